/**
 * `npm run bundle:try [-- ARCHIVE] [--full]`: unpacks a bundle into an empty folder and uses it as a lab would, in a network
 * namespace without network, with an empty home and an empty npm cache: checksums, the command with and without a Node of the
 * machine, npm start, and the tests (a quick choice; all of them with --full). HOMEWARD_TEST_COUNTS is handed on.
 */
import { spawnSync } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, realpathSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

const ROOT = path.resolve(import.meta.dirname, '..');
/** Quick ones that together touch the launcher, the lock file, a database, a picture and a host process. */
const QUICK_TESTS = [
  'test/launcher',
  'test/dependencies',
  'test/errors',
  'engine/store',
  'workers/decode',
  'workers/fleet',
];
/** What ./homeward itself calls; with only these on the PATH there is no Node but the one in the bundle. */
const SHELL_TOOLS = ['readlink', 'dirname'];
/** Exits with 1 if a connection to the outside gets further than "unreachable". */
const UNREACHABLE = `require('node:net').connect(53, '192.0.2.1')
  .on('connect', () => process.exit(1)).on('error', (error) => process.exit(error.code === 'ENETUNREACH' ? 0 : 1))`;

const { values, positionals } = parseArgs({
  options: { full: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const archive = positionals[0] ?? newestBundle();
const place = realpathSync(mkdtempSync(path.join(tmpdir(), 'bundle-')));
const home = path.join(place, 'home');
const tools = path.join(place, 'tools');
let failed = 0;

try {
  for (const folder of [home, path.join(home, 'data'), tools, path.join(place, 'tmp'), path.join(place, 'unpacked')]) {
    mkdirSync(folder);
  }
  for (const tool of SHELL_TOOLS) symlinkSync(which(tool), path.join(tools, tool));
  tryIt();
} finally {
  rmSync(place, { recursive: true, force: true });
}
process.stdout.write(`${archive}: ${failed === 0 ? 'works' : `${failed} steps failed`}\n`);
process.exit(failed === 0 ? 0 : 1);

function tryIt(): void {
  const unpacked = path.join(place, 'unpacked');
  if (!step('unpack', ['tar', '-xzf', path.resolve(archive)], unpacked)) return;
  const [folder] = globSync('*', { cwd: unpacked });
  if (folder === undefined) throw new Error(`expected one folder in ${archive}, found none`);
  const bundle = path.join(unpacked, folder);
  const tests = values.full ? [] : ['--', ...QUICK_TESTS];

  step('no network is reachable', ['node', '-e', UNREACHABLE], bundle);
  step('checksums', ['sha256sum', '--check', '--quiet', 'SHA256SUMS'], bundle);
  step('./homeward without any Node on the PATH', ['./homeward', '--help'], bundle, { PATH: tools });
  step('./homeward doctor', ['./homeward', 'doctor', '--data', path.join(home, 'data')], bundle);
  step('./homeward demo', ['./homeward', 'demo'], bundle);
  step('npm start', ['npm', 'start', '--silent', '--', '--version'], bundle);
  step('npm test', ['npm', 'test', '--silent', ...tests], bundle);
}

/** Runs one command without network; loopback is there, as on any machine. */
function step(name: string, command: readonly string[], cwd: string, extra: Record<string, string> = {}): boolean {
  process.stdout.write(`--- ${name}\n`);
  const root = process.getuid?.() === 0;
  const ran = spawnSync(
    'unshare',
    [
      root ? '-n' : '-Urn',
      'sh',
      '-c',
      '{ ip link set lo up || true; } 2>/dev/null; PATH=$INNER_PATH exec "$@"',
      'sh',
      ...command,
    ],
    { cwd, stdio: 'inherit', env: environment(extra) },
  );
  const ok = ran.status === 0;
  if (!ok) failed += 1;
  process.stdout.write(`${ok ? 'ok  ' : 'FAIL'} ${name}\n`);
  return ok;
}

/** Nothing of the caller's but where programs are: no npm settings, no caches, no credentials. */
function environment(extra: Record<string, string>): Record<string, string> {
  const outer = (process.env['PATH'] ?? '').split(path.delimiter).filter((folder) => !folder.includes('node_modules'));
  const searchPath = [...new Set([...outer, '/usr/sbin', '/sbin'])].join(path.delimiter);
  const countsFile = process.env['HOMEWARD_TEST_COUNTS'];
  return {
    PATH: searchPath,
    INNER_PATH: extra['PATH'] ?? searchPath,
    HOME: home,
    TMPDIR: path.join(place, 'tmp'),
    npm_config_cache: path.join(home, 'npm-cache'),
    ...(countsFile === undefined ? {} : { HOMEWARD_TEST_COUNTS: path.resolve(countsFile) }),
  };
}

function which(tool: string): string {
  const found = (process.env['PATH'] ?? '')
    .split(path.delimiter)
    .map((folder) => path.join(folder, tool))
    .find(isFile);
  if (found === undefined) throw new Error(`expected ${tool} on the PATH, found none`);
  return found;
}

function isFile(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;
}

function newestBundle(): string {
  const bundles = globSync('dist/homeward-offline-*.tar.gz', { cwd: ROOT }).map((name) => path.join(ROOT, name));
  const newest = bundles.toSorted((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)[0];
  if (newest === undefined)
    throw new Error('expected a bundle under dist/, found none: run npm run bundle:offline first');
  return newest;
}
