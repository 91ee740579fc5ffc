import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Bench, type BenchOptions, type BenchResult, figure, judged, median } from './harness.ts';
import { cpuSecondsOfTree, processTree } from './process-tree.ts';
import { startScan } from './scan-process.ts';

const FIRST_TIME_MOST_SECONDS = 5;
const LATER_MOST_SECONDS = 2;
/** So large that reading it takes far longer than the time between two looks; sparse, so that it takes no room. */
const FILE_BYTES = 1_000_000_000;
const LOOK_EVERY_MS = 5;
const GIVE_UP_MS = 180_000;

interface FirstRead {
  readonly seconds: number;
  /** Of all processes up to then: what it would take at best, however busy the machine is. */
  readonly cpuSeconds: number;
}

/**
 * Seconds from spawning `npm start -- scan` to a host having the file open, seen from outside in /proc: nothing in the
 * engine takes part in the measurement.
 */
async function startToFirstRead(folder: string, name: string): Promise<FirstRead> {
  const seizure = path.join(folder, name);
  mkdirSync(seizure);
  const file = path.join(realpathSync(seizure), 'large.bin');
  const descriptor = openSync(file, 'w');
  ftruncateSync(descriptor, FILE_BYTES);
  closeSync(descriptor);
  const scratchFolder = path.join(folder, 'scratch');
  mkdirSync(scratchFolder, { recursive: true });
  const started = performance.now();
  const scan = startScan([seizure], { dataFolder: path.join(folder, 'data'), scratchFolder, throughNpm: true });
  const pid = scan.child.pid;
  let seconds = Number.NaN;
  let cpuSeconds = Number.NaN;
  while (Number.isNaN(seconds) && pid !== undefined && scan.child.exitCode === null) {
    if (processTree(pid).some((each) => hasOpen(each.pid, file))) {
      seconds = (performance.now() - started) / 1000;
      cpuSeconds = cpuSecondsOfTree(pid);
    } else if (performance.now() - started > GIVE_UP_MS) break;
    else await sleep(LOOK_EVERY_MS);
  }
  await scan.done;
  if (Number.isNaN(seconds)) throw new Error('expected a host to open the file, the scan ended without');
  return { seconds, cpuSeconds };
}

function hasOpen(pid: number, file: string): boolean {
  try {
    const folder = `/proc/${pid}/fd`;
    return readdirSync(folder).some((descriptor) => readlinkSync(`${folder}/${descriptor}`) === file);
  } catch {
    return false; // a process or descriptor that went away while it was looked at
  }
}

async function run({ quick, say }: BenchOptions): Promise<BenchResult> {
  const rounds = quick ? 2 : 5;
  const first: FirstRead[] = [];
  const later: FirstRead[] = [];
  for (let round = 0; round < rounds; round++) {
    const folder = mkdtempSync(path.join(tmpdir(), 'hw-bench-'));
    try {
      first.push(await startToFirstRead(folder, 'first'));
      later.push(await startToFirstRead(folder, 'later'));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    say(
      `round ${round + 1} of ${rounds}: first ${first.at(-1)?.seconds.toFixed(2)} s, later ${later.at(-1)?.seconds.toFixed(2)} s`,
    );
  }
  return {
    measures: [
      judged(
        'from npm start to the first file read, fresh data folder',
        median(first.map((each) => each.seconds)),
        's',
        '<=',
        FIRST_TIME_MOST_SECONDS,
      ),
      judged('the same, later', median(later.map((each) => each.seconds)), 's', '<=', LATER_MOST_SECONDS),
      figure('processor time until then, fresh data folder', median(first.map((each) => each.cpuSeconds)), 's'),
      figure('processor time until then, later', median(later.map((each) => each.cpuSeconds)), 's'),
    ],
    tables: [],
    parameters: { rounds },
    notes: [
      'The files of the engine itself are in the page cache; on a machine that was just switched on they are read from disk first.',
      'What Node keeps of compiled code under node_modules/.cache is there from the second round on, and in the first one where the engine ran before.',
    ],
  };
}

export const bench: Bench = { name: 'start-up', run };
