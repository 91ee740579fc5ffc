import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { constants, tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

const ROOT = path.resolve(import.meta.dirname, '..');
const LAUNCHER = path.join(ROOT, 'bin', 'launch.cjs');
const DEPENDENCY_MISSING = 3;

/** The Node that the machine came with: the launcher starts under that one, while this test runs under ours. */
const SYSTEM_NODE = systemNode();
const SYSTEM_MAJOR = SYSTEM_NODE === undefined ? 0 : majorOf(SYSTEM_NODE);
const needsSystemNode = { skip: SYSTEM_NODE === undefined ? 'needs a Node outside this checkout on the PATH' : false };

const unixOnly = { skip: process.platform === 'win32' ? './homeward is a shell script' : false };

const PROGRAM = `
const [what, value]: string[] = process.argv.slice(2);
const held = setInterval(() => {}, 1000);
process.on('SIGINT', () => { clearInterval(held); process.exitCode = 130; });
if (what === 'exit') process.exit(Number(value));
if (what === 'die') process.kill(process.pid, value);
if (what === 'tell') process.stdout.write(JSON.stringify({ value, version: process.version }), () => process.exit());
if (what === 'echo') process.stdin.on('end', () => process.exit()).pipe(process.stdout);
if (what === 'wait') process.stdout.write('waiting');
`;

describe('the launcher', () => {
  let folder: string;
  let program: string;

  before(() => {
    folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'launcher-')));
    program = path.join(folder, 'program.ts');
    writeFileSync(program, PROGRAM);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const launch = (...args: string[]) =>
    spawnSync(SYSTEM_NODE ?? process.execPath, [LAUNCHER, program, ...args], { encoding: 'utf8', input: 'from stdin' });

  for (const code of [0, 1, 2, 3, 4, 130]) {
    it(`ends with the exit code ${code} of what it ran`, () => {
      assert.equal(launch('exit', String(code)).status, code);
    });
  }

  for (const signal of ['SIGKILL', 'SIGTERM', 'SIGSEGV'] as const) {
    it(`ends with 128 plus the number of the ${signal} that ended what it ran`, () => {
      assert.equal(launch('die', signal).status, 128 + constants.signals[signal]);
    });
  }

  it('runs TypeScript on Node 24 whatever Node started it, and keeps an argument with spaces in one piece', () => {
    const told: { value: string; version: string } = JSON.parse(launch('tell', 'two words * "quoted"').stdout);
    assert.equal(told.value, 'two words * "quoted"');
    assert.match(told.version, /^v24\./);
  });

  it('hands standard input through', () => {
    assert.equal(launch('echo').stdout, 'from stdin');
  });

  it('hands an interrupt on and waits for the clean stop', async () => {
    const child = spawn(SYSTEM_NODE ?? process.execPath, [LAUNCHER, program, 'wait'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    child.kill('SIGINT');
    assert.equal(await exitCode(child), 130);
  });

  it('hands a termination on, so that nothing stays behind', async () => {
    const child = spawn(SYSTEM_NODE ?? process.execPath, [LAUNCHER, program, 'wait'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    child.kill('SIGTERM');
    assert.equal(await exitCode(child), 128 + constants.signals.SIGTERM);
  });

  it(
    'ends with 3 and HW_RUNTIME_MISSING where no Node 24 is to be found, or uses the one it runs on',
    needsSystemNode,
    () => {
      const copy = path.join(folder, 'elsewhere', 'bin', 'launch.cjs');
      mkdirSync(path.dirname(copy), { recursive: true });
      copyFileSync(LAUNCHER, copy);
      const ran = spawnSync(SYSTEM_NODE ?? '', [copy, program, 'exit', '0'], { encoding: 'utf8' });
      if (SYSTEM_MAJOR >= 24) {
        assert.equal(ran.status, 0);
      } else {
        assert.equal(ran.status, DEPENDENCY_MISSING);
        assert.match(ran.stderr, /^HW_RUNTIME_MISSING: expected .* found none .*npm ci.*\n$/);
      }
    },
  );

  it('is what npm start calls', () => {
    const ran = spawnSync('npm', ['start', '--silent', '--', '--version'], {
      cwd: ROOT,
      encoding: 'utf8',
      shell: process.platform === 'win32',
    });
    const manifest: { version: string } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
    assert.equal(ran.status, 0, ran.stderr);
    assert.equal(ran.stdout.trim(), manifest.version);
  });

  it('starts the command from any folder through ./homeward', unixOnly, () => {
    const ran = spawnSync(path.join(ROOT, 'homeward'), ['--no-such-option'], { cwd: folder, encoding: 'utf8' });
    assert.equal(ran.status, 2, ran.stderr);
  });

  it('starts through ./homeward with the runtime of the checkout where the machine has no Node', unixOnly, () => {
    const ran = spawnSync(path.join(ROOT, 'homeward'), ['--no-such-option'], {
      env: { PATH: bareTools(folder) },
      encoding: 'utf8',
    });
    assert.equal(ran.status, 2, ran.stderr);
  });

  it('ends ./homeward with 3 and HW_RUNTIME_MISSING where there is no Node at all', unixOnly, () => {
    const copy = path.join(folder, 'bare', 'homeward');
    mkdirSync(path.dirname(copy));
    copyFileSync(path.join(ROOT, 'homeward'), copy);
    const ran = spawnSync(copy, ['--help'], { env: { PATH: bareTools(folder) }, encoding: 'utf8' });
    assert.equal(ran.status, DEPENDENCY_MISSING);
    assert.match(ran.stderr, /^HW_RUNTIME_MISSING: expected /);
  });

  it('starts the command when it is linked as homeward, as npm does with bin', () => {
    const link = path.join(folder, 'homeward');
    symlinkSync(LAUNCHER, link);
    const ran = spawnSync(SYSTEM_NODE ?? process.execPath, [link, '--no-such-option'], { encoding: 'utf8' });
    assert.equal(ran.status, 2, ran.stderr);
  });
});

async function exitCode(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null) await once(child, 'exit');
  return child.exitCode;
}

/** A folder with the two programs that ./homeward calls, to be the whole PATH. */
function bareTools(folder: string): string {
  const tools = path.join(folder, 'tools');
  mkdirSync(tools, { recursive: true });
  for (const tool of ['readlink', 'dirname']) {
    const from = ['/usr/bin', '/bin'].map((place) => path.join(place, tool)).find((file) => existsSync(file));
    if (from !== undefined && !existsSync(path.join(tools, tool))) symlinkSync(from, path.join(tools, tool));
  }
  return tools;
}

function systemNode(): string | undefined {
  const name = process.platform === 'win32' ? 'node.exe' : 'node';
  for (const folder of (process.env['PATH'] ?? '').split(path.delimiter)) {
    const candidate = path.join(folder, name);
    // npm puts node_modules/.bin before the machine's own folders, and there lies a link to our runtime.
    if (existsSync(candidate) && !realpathSync(candidate).includes('node_modules')) return candidate;
  }
  return undefined;
}

function majorOf(node: string): number {
  return Number(spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.match(/^v(\d+)/)?.[1] ?? 0);
}
