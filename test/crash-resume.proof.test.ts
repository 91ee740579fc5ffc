import assert from 'node:assert/strict';
import { createWriteStream, readFileSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ZipFile } from 'yazl';
import { drawnJpeg, mirroredJpeg, randomUnits } from '../workers/decode/test-encoded-pictures.ts';
import {
  type Finished,
  hostsOf,
  killHard,
  progressLines,
  type RunningCli,
  recordedRows,
  runCli,
  startCli,
  supervisorOf,
  TestFolder,
  untilProgress,
  withData,
} from './cli-kit.ts';

const MOMENTS = 50;
const SEED = Number(process.env['HOMEWARD_SEED'] ?? '20261124');
const PICTURES = 280;
const IN_THE_ZIP = 14;
const NOT_PICTURES: Readonly<Record<string, Buffer>> = {
  'empty.jpg': Buffer.alloc(0),
  'text.txt': Buffer.from('nothing to see\n'.repeat(40)),
  'header-only.jpg': Buffer.from('ffd8ffe000104a46494600010100000100010000', 'hex'),
  'noise.bin': Buffer.from(Array.from({ length: 999 }, (_, at) => (at * 197 + 31) & 255)),
  'no-entries.zip': Buffer.from(`504b0506${'00'.repeat(18)}`, 'hex'),
};
/** The zip, a cut copy of a picture, and the same content twice. */
const FILES = PICTURES + Object.keys(NOT_PICTURES).length + 3;
const LONGEST_RESUME_MS = 10_000;

type Rows = Awaited<ReturnType<typeof recordedRows>>;

describe('R1: a scan that is killed and resumed', {
  skip: process.platform === 'linux' ? false : 'finds its processes in /proc',
  timeout: 3_600_000,
}, () => {
  let folder: TestFolder;
  let undisturbed: Rows;
  let undisturbedMs: number;
  let known: string[];
  const random = randomUnits(SEED);

  before(async () => {
    folder = await TestFolder.make();
    const material = folder.at('material');
    await mkdir(path.join(material, 'sub'), { recursive: true });
    await makeMaterial(material);
    await mkdir(folder.at('own'));
    for (const seed of [3, 5, 8, 13]) await writeFile(folder.at('own', `${seed}.jpg`), await drawnJpeg(seed));
    const made = await runCli([
      'hashset',
      'make',
      folder.at('own'),
      '--series',
      'own',
      '--out',
      folder.at('own.ndjson'),
      '--data',
      folder.at('unused'),
    ]);
    assert.equal(made.code, 0, made.stderr);
    known = ['--known', folder.at('own.ndjson')];
    const cli = scan(folder, 'undisturbed', known);
    const run = await cli.finished;
    assert.equal(run.code, 0, run.stderr);
    undisturbedMs = afterStart(run);
    undisturbed = await rowsOf(folder, 'undisturbed');
  });
  after(async () => await folder[Symbol.asyncDispose]());

  it('an undisturbed one has an item for each file and each entry, and matches', () => {
    assert.equal(undisturbed.items.length, FILES + IN_THE_ZIP);
    assert.equal(new Set(undisturbed.items.map(keyOf)).size, undisturbed.items.length);
    assert.ok(undisturbed.matches.length >= 4, `${undisturbed.matches.length} matches`);
  });

  it(`R1: kill -9 at ${MOMENTS} random moments, then resumed: the rows of an undisturbed run, one item a file`, async (t) => {
    const resumeMs: number[] = [];
    const kills = { supervisor: 0, host: 0, beforeTheBatch: 0 };
    for (let batch = 0; kills.supervisor + kills.host < MOMENTS; batch += 1) {
      const data = `killed-${batch}`;
      let resume = false;
      for (;;) {
        const cli = scan(folder, data, [...known, ...(resume ? ['--resume'] : [])]);
        const left = MOMENTS - kills.supervisor - kills.host;
        const killed = left > 0 ? await disturb(cli, random, undisturbedMs, kills, left) : false;
        const run = await cli.finished;
        if (resume) {
          const firstMs = firstNewRowMs(cli, run);
          if (firstMs !== null) resumeMs.push(firstMs);
        }
        if (run.code === 2 && run.stderr.includes('HW_BATCH_NOT_FOUND')) {
          // It was killed before there was a batch: the person starts it as before.
          resume = false;
          continue;
        }
        if (!killed) {
          assert.equal(run.code, 0, `batch ${batch}: ${withoutProgress(run.stderr)}`);
          break;
        }
        resume = true;
      }
      assertSameRows(await rowsOf(folder, data), undisturbed, `batch ${batch}, seed ${SEED}`);
      await rm(folder.at(data), { recursive: true });
      assert.deepEqual(await readdir(folder.at('scratch')), [], 'nothing seized stays in the scratch folder');
    }
    const sorted = resumeMs.toSorted((a, b) => a - b);
    const shown = sorted.map((ms) => (ms / 1000).toFixed(1)).join(' ');
    t.diagnostic(
      `killed ${kills.supervisor} supervisors (${kills.beforeTheBatch} while starting) and ${kills.host} hosts; seconds from start to the first new row after a kill: ${shown}`,
    );
    assert.ok((sorted.at(-1) ?? 0) <= LONGEST_RESUME_MS, `every resume within ${LONGEST_RESUME_MS} ms: ${shown}`);
  });

  it(`R1: resumes within ${LONGEST_RESUME_MS / 1_000} s of the start, to the first new row`, async (t) => {
    const killed = scan(folder, 'resumed', known);
    assert.ok(await untilProgress(killed, () => true));
    assert.ok(killSupervisor(killed));
    await killed.finished;
    const cli = scan(folder, 'resumed', [...known, '--resume']);
    const run = await cli.finished;
    assert.equal(run.code, 0, withoutProgress(run.stderr));
    const firstMs = firstNewRowMs(cli, run);
    t.diagnostic(`first new row ${firstMs} ms after the start`);
    assert.ok(firstMs !== null && firstMs <= LONGEST_RESUME_MS, `${firstMs} ms`);
  });

  it('R1: SIGINT and SIGTERM stop cleanly with 130, and --resume goes on', async () => {
    let recorded = 0;
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      const resume = signal === 'SIGINT' ? [] : ['--resume'];
      const cli = scan(folder, 'stopped', [...known, ...resume]);
      assert.ok(await untilProgress(cli, () => true));
      // Early, since a fast machine is through with the rest in a second.
      await sleep(0.15 * undisturbedMs);
      cli.process.kill(signal);
      const stopped = await cli.finished;
      assert.equal(stopped.code, 130, withoutProgress(stopped.stderr));
      assert.match(stopped.stderr, /--resume goes on where it stopped/);
      const before = recorded;
      recorded = (await rowsOf(folder, 'stopped')).items.length;
      assert.ok(recorded >= before && recorded < undisturbed.items.length, `${recorded} items after ${signal}`);
    }
    const resumed = await scan(folder, 'stopped', [...known, '--resume']).finished;
    assert.equal(resumed.code, 0, withoutProgress(resumed.stderr));
    assertSameRows(await rowsOf(folder, 'stopped'), undisturbed, 'the stopped batch');
  });

  it('R1: --resume where nothing was interrupted ends with 2 and says what to do', async () => {
    const run = await scan(folder, 'fresh', ['--resume']).finished;
    assert.equal(run.code, 2);
    assert.match(run.stderr, /HW_BATCH_NOT_FOUND: expected .* run the command without --resume/);
    // The refusal itself leaves no batch behind that would let the next one through.
    const again = await scan(folder, 'fresh', ['--resume']).finished;
    assert.match(again.stderr, /HW_BATCH_NOT_FOUND/);
  });

  it('a second process on the same data folder is refused while the first goes on', async () => {
    const first = scan(folder, 'shared', known);
    assert.ok(await untilProgress(first, () => true));
    const supervisor = supervisorOf(first);
    assert.ok(supervisor);
    // Held still, so that however fast the machine is, the first one has the folder open when the second one comes.
    process.kill(supervisor.pid, 'SIGSTOP');
    const second = await runCli(['hashset', 'list', '--data', folder.at('shared')]);
    process.kill(supervisor.pid, 'SIGCONT');
    assert.equal(second.code, 2, withoutProgress(second.stderr));
    assert.match(second.stderr, /HW_DATA_LOCKED/);
    assert.equal((await first.finished).code, 0);
  });
});

/** Kills a host once or twice, or the supervisor, at moments drawn by chance. Returns whether the supervisor was killed. */
async function disturb(
  cli: RunningCli,
  random: () => number,
  batchMs: number,
  kills: { supervisor: number; host: number; beforeTheBatch: number },
  left: number,
): Promise<boolean> {
  const running = { ended: false };
  void cli.finished.then(() => {
    running.ended = true;
  });
  if (random() < 0.15) {
    await sleep(200 + random() * 2_500);
    if (!killSupervisor(cli)) return false;
    kills.supervisor += 1;
    kills.beforeTheBatch += 1;
    return true;
  }
  if (!(await untilProgress(cli, () => true))) return false;
  if (left > 1 && random() < 0.6) {
    await sleep(random() * batchMs * 0.6);
    const hosts = hostsOf(cli);
    const chosen = hosts[Math.floor(random() * hosts.length)];
    if (!running.ended && chosen !== undefined && killHard(chosen.pid)) kills.host += 1;
  }
  await sleep(random() * batchMs * 0.6);
  if (running.ended || !killSupervisor(cli)) return false;
  kills.supervisor += 1;
  return true;
}

function killSupervisor(cli: RunningCli): boolean {
  const supervisor = supervisorOf(cli);
  return supervisor !== undefined && killHard(supervisor.pid);
}

function scan(folder: TestFolder, data: string, more: readonly string[]): RunningCli {
  return startCli(['scan', '--hash-only', folder.at('material'), '--case', 'R1', '--data', folder.at(data), ...more], {
    HOMEWARD_SCRATCH: folder.at('scratch'),
  });
}

async function rowsOf(folder: TestFolder, data: string): Promise<Rows> {
  return await withData(folder.at(data), recordedRows);
}

function assertSameRows(found: Rows, expected: Rows, where: string): void {
  for (const table of ['items', 'media', 'fingerprints', 'matches'] as const) {
    assert.deepEqual(found[table], expected[table], `${table} of ${where}`);
  }
}

function keyOf(line: string): string {
  const row: { key: string } = JSON.parse(line);
  return row.key;
}

/** From the first progress line to the last. */
function afterStart(run: Finished): number {
  const lines = progressLines(run.stderr);
  return Date.parse(lines.at(-1)?.at ?? '') - Date.parse(lines[0]?.at ?? '');
}

/** From the start of the process to the first progress line that counts a row of this run; null when there is none. */
function firstNewRowMs(cli: RunningCli, run: Finished): number | null {
  const line = progressLines(run.stderr).find((one) => one.known + one.nearDuplicate + one.unseen > 0);
  return line === undefined ? null : Date.parse(line.at) - (performance.timeOrigin + cli.startedMs);
}

function withoutProgress(stderr: string): string {
  return stderr
    .split('\n')
    .filter((line) => !line.startsWith('{'))
    .join('\n');
}

async function makeMaterial(folder: string): Promise<void> {
  const zip = new ZipFile();
  for (let seed = 0; seed < PICTURES + IN_THE_ZIP; seed++) {
    // One in twenty is a mirrored copy of a picture before it, so that there are near duplicates of known ones.
    const jpeg = seed % 20 === 19 ? await mirroredJpeg(seed - 16) : await drawnJpeg(seed);
    if (seed >= PICTURES) zip.addBuffer(jpeg, `inside/${seed}.jpg`);
    else await writeFile(path.join(folder, seed % 3 === 0 ? 'sub' : '', `picture ${seed}.jpg`), jpeg);
  }
  zip.end();
  await pipeline(zip.outputStream, createWriteStream(path.join(folder, 'album.zip')));
  for (const [name, content] of Object.entries(NOT_PICTURES)) await writeFile(path.join(folder, name), content);
  const whole = readFileSync(path.join(folder, 'picture 7.jpg'));
  await writeFile(path.join(folder, 'cut.jpg'), whole.subarray(0, whole.length / 2));
  await writeFile(path.join(folder, 'sub', 'again.jpg'), whole);
}
