import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { finished } from 'node:stream/promises';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ZipFile } from 'yazl';
import { gradientBitmap, isAlive, until } from './test-kit.ts';

const GONE_MS = 2000;

describe('S7: hosts of a supervisor that died', { skip: process.platform === 'linux' ? false : 'reads /proc' }, () => {
  let folder: string;
  let supervisor: ChildProcess;
  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'hw-orphans-'));
    for (const name of ['evidence', 'data', 'scratch']) mkdirSync(path.join(folder, name));
    writeFileSync(path.join(folder, 'evidence', 'large.bmp'), gradientBitmap(4000, 3000, 1));
    const zip = new ZipFile();
    for (let n = 0; n < 100; n += 1) zip.addBuffer(gradientBitmap(40, 30, n), `${n}.bmp`);
    zip.end();
    await finished(zip.outputStream.pipe(createWriteStream(path.join(folder, 'evidence', 'archive.zip'))));
    const script = fileURLToPath(new URL('./test-supervisor.ts', import.meta.url));
    supervisor = spawn(process.execPath, ['--no-warnings', script, folder, 'work'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  });
  after(() => {
    supervisor.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  test('R1: kill -9 of the supervisor ends every host within 2 s, even a stopped one, and clears what was unpacked', async () => {
    const hosts = await new Promise<number[]>((resolve) => {
      supervisor.stdout?.once('data', (line: Buffer) => resolve(JSON.parse(line.toString())));
    });
    const scratch = path.join(folder, 'scratch');
    await until('entries are unpacked', () => readdirSync(scratch).length > 0, 10_000);
    assert.equal(hosts.length, 3);
    assert.ok(hosts.every(isAlive));
    const [first] = hosts;
    assert.ok(first !== undefined);
    process.kill(first, 'SIGSTOP');
    supervisor.kill('SIGKILL');
    await until('hosts are gone', () => !hosts.some(isAlive), GONE_MS);
    assert.deepEqual(readdirSync(scratch), []);
  });
});
