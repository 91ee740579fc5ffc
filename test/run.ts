/**
 * `npm test [-- PATTERN...] [--name REGEX] [--timeout-s N]`: every *.test.ts of the checkout, two at a time, each in its own process.
 * `npm run test:proofs`: the *.proof.test.ts, which take long or hold a figure in seconds and so have the machine to themselves.
 *
 * PATTERN is a part of a file's path, the timeout is each file's. Environment: HOMEWARD_TEST_COUNTS=FILE writes the counts as JSON;
 * HOMEWARD_REQUIRE_ALL=1 makes a skipped test a failure (the project's own CI, which has all that a test can need).
 * Ends with 1 when a test failed, when a file holds none, left something behind or hung, or when files are missing.
 */
import { globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { makeTestTemplate, TEST_TEMPLATE_VARIABLE } from './pglite-template.ts';
import { type FileResult, type Remark, runFile } from './runner/one-file.ts';
import { orphans, ownStartTicks } from './runner/orphans.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
/** Below this many files the search itself is broken, and "0 failed" would be a lie. Raise it as the suite grows. */
const LEAST_FILES = 65;
const SLOWEST_SHOWN = 8;
/** Making tables once for all pays from here on. */
const LEAST_FILES_FOR_TEMPLATE = 5;
/** Reasons of skips that say for whom a test is, not what is lacking; these alone are accepted where everything is required. */
const APPLIES_ELSEWHERE = ['root may read everything'];
/** A host that lost its parent ends by itself; it is given this long. */
const ORPHAN_GRACE_MS = 3_000;

const say = (line = '') => process.stdout.write(`${line}\n`);
const seconds = (durationMs: number) => `${(durationMs / 1000).toFixed(1)} s`;

const { values, positionals } = parseArgs({
  options: { name: { type: 'string' }, 'timeout-s': { type: 'string' }, proofs: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const [filesAtOnce, defaultTimeoutSeconds] = values.proofs ? [1, 1200] : [2, 300];
const requireAll = process.env['HOMEWARD_REQUIRE_ALL'] === '1';

const every = globSync('**/*.test.ts', {
  cwd: ROOT,
  exclude: (entry) => ['node_modules', '.git', 'dist', 'homeward-data', 'set'].includes(path.basename(entry)),
}).sort();
const chosen = every
  .filter((file) => file.endsWith('.proof.test.ts') === values.proofs)
  .filter((file) => positionals.length === 0 || positionals.some((part) => file.includes(part.replace(/^\.\//, ''))));
if (every.length < LEAST_FILES) fail(`expected at least ${LEAST_FILES} test files, found ${every.length}`);
if (chosen.length === 0) fail(`no test file matches ${positionals.join(' ')}`);

const startedMs = performance.now();
const startTicks = ownStartTicks();
const scratch = mkdtempSync(path.join(tmpdir(), 'hw-'));
const interrupt = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupt.abort());

const results: FileResult[] = [];
const waiting = [...chosen];
if (chosen.length >= LEAST_FILES_FOR_TEMPLATE) {
  const template = path.join(scratch, 'template');
  await makeTestTemplate(template);
  process.env[TEST_TEMPLATE_VARIABLE] = template;
}
await Promise.all(Array.from({ length: filesAtOnce }, work));
rmSync(scratch, { recursive: true, force: true });

if (orphans(ROOT, startTicks).length > 0) await sleep(ORPHAN_GRACE_MS);
const leaked = orphans(ROOT, startTicks);
const refusedSkips = requireAll ? results.flatMap((result) => result.skips.filter(lacksSomething)) : [];
const counts = {
  files: results.length,
  passed: sum((result) => result.passed),
  failed: sum((result) => result.failures.length) + refusedSkips.length + leaked.length,
  skipped: sum((result) => result.skips.length),
};
summarise();
const countsFile = process.env['HOMEWARD_TEST_COUNTS'];
if (countsFile !== undefined) writeFileSync(countsFile, `${JSON.stringify(counts)}\n`);
process.exit(interrupt.signal.aborted ? 130 : counts.failed > 0 ? 1 : 0);

async function work(): Promise<void> {
  for (let file = waiting.shift(); file !== undefined && !interrupt.signal.aborted; file = waiting.shift()) {
    const index = chosen.indexOf(file);
    const result = await runFile({
      root: ROOT,
      file,
      timeoutMs: Number(values['timeout-s'] ?? defaultTimeoutSeconds) * 1000,
      namePattern: values.name,
      scratch: path.join(scratch, String(index)),
      interrupt: interrupt.signal,
    });
    results.push(result);
    showFile(result);
  }
}

function showFile(result: FileResult): void {
  const bad = result.failures.length;
  const skipped = result.skips.length > 0 ? `, ${result.skips.length} skipped` : '';
  const failed = bad > 0 ? `, ${bad} FAILED` : '';
  say(
    `${bad > 0 ? 'FAIL' : 'ok  '} ${result.file}  ${result.passed} passed${skipped}${failed}  ${seconds(result.durationMs)}`,
  );
  if (bad === 0) return;
  for (const failure of result.failures) say(indent(`- ${failure.name}\n${indent(failure.detail)}`));
  if (result.output.trim() !== '') say(indent(`printed by ${result.file}:\n${indent(result.output.trimEnd())}`));
}

function summarise(): void {
  say();
  say('slowest:');
  const slowest = results.toSorted((a, b) => b.durationMs - a.durationMs).slice(0, SLOWEST_SHOWN);
  for (const result of slowest) say(`  ${seconds(result.durationMs).padStart(8)}  ${result.file}`);
  const skips = results.flatMap((result) => result.skips.map((skip) => `${result.file}: ${skip.name}: ${skip.detail}`));
  if (skips.length > 0) {
    say('skipped:');
    for (const skip of skips) say(`  ${skip}`);
  }
  if (refusedSkips.length > 0)
    say(`${refusedSkips.length} of the skipped are refused here, because everything is required`);
  const broken = results.filter((result) => result.failures.length > 0);
  if (broken.length > 0) say('failed:');
  for (const result of broken) for (const failure of result.failures) say(`  ${result.file}: ${failure.name}`);
  for (const line of leaked) say(`  left running: ${line}`);
  if (interrupt.signal.aborted) say(`interrupted after ${results.length} of ${chosen.length} files`);
  say();
  say(
    `${counts.files} files in ${seconds(performance.now() - startedMs)}: ` +
      `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`,
  );
}

function lacksSomething(skip: Remark): boolean {
  return !APPLIES_ELSEWHERE.some((reason) => reason === skip.detail);
}

function sum(of: (result: FileResult) => number): number {
  return results.reduce((total, result) => total + of(result), 0);
}

function indent(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '    ');
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
