/**
 * `npm run check [-- NAME...]`: every check:* script of package.json, one after the other, none left out because an
 * earlier one failed. HOMEWARD_CHECK_COUNTS=FILE writes how many passed and failed as JSON.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '..');
const PREFIX = 'check:';
const LAUNCHED = 'node bin/launch.cjs ';

const say = (line: string) => process.stdout.write(`${line}\n`);

const manifest: { scripts: Record<string, string> } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
const checks = Object.entries(manifest.scripts)
  .filter(([name]) => name.startsWith(PREFIX))
  .map(([name, command]) => ({ name: name.slice(PREFIX.length), command }));
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !checks.some((check) => check.name === name));
if (unknown.length > 0) {
  process.stderr.write(`expected ${checks.map(({ name }) => name).join(', ')}, received ${unknown.join(', ')}\n`);
  process.exit(2);
}

const outcomes = checks
  .filter(({ name }) => wanted.length === 0 || wanted.includes(name))
  .map(({ name, command }) => {
    if (!command.startsWith(LAUNCHED)) throw new Error(`expected ${PREFIX}${name} to begin with "${LAUNCHED}"`);
    say(`--- ${name}: ${command}`);
    const startedMs = performance.now();
    // This process is the runtime that the launcher would find, so the launcher can be left out.
    const ran = spawnSync(process.execPath, command.slice(LAUNCHED.length).split(' '), { cwd: ROOT, stdio: 'inherit' });
    return { name, passed: ran.status === 0, durationMs: performance.now() - startedMs };
  });

say('');
for (const { name, passed, durationMs } of outcomes) {
  say(`${passed ? 'ok  ' : 'FAIL'} ${name}  ${(durationMs / 1000).toFixed(1)} s`);
}
const failed = outcomes.filter(({ passed }) => !passed).length;
const countsFile = process.env['HOMEWARD_CHECK_COUNTS'];
if (countsFile !== undefined) {
  writeFileSync(countsFile, `${JSON.stringify({ passed: outcomes.length - failed, failed })}\n`);
}
process.exit(failed > 0 ? 1 : 0);
