import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { sharedData } from '../test/shared-data.ts';
import { Fleet } from '../workers/fleet/fleet.ts';
import {
  type Bench,
  type BenchOptions,
  type BenchResult,
  interleave,
  judged,
  median,
  NotAvailable,
  significant,
} from './harness.ts';
import { picturesOf, readManifest } from './picture-set.ts';

const ORDINARY_FILES = 100;
/** The budget of a file is 10 s; what it takes to notice, kill and start again is to be within 2 s more. */
const LONGEST_BOMB_SECONDS = 12;
const MOST_LOSS_PERCENT = 20;
/** Pictures of the hostile folder that are small on disk and claim or unfold to very much. */
const BOMB_FOLDERS = ['gen/bomb', 'gen/huge-header', 'found'] as const;

interface BombRecord {
  readonly file: string;
  readonly outcome: string;
  readonly reason: string;
  readonly seconds: number;
}

/** Examines all, the bombs spread among the ordinary ones. @returns ordinary files a second, and what became of each bomb */
async function throughput(fleet: Fleet, ordinary: readonly string[], bombs: readonly string[]) {
  const every = Math.max(1, Math.floor(ordinary.length / Math.max(1, bombs.length)));
  const queue = ordinary.flatMap((file, at) => {
    const bomb = at % every === 0 ? bombs[at / every] : undefined;
    return bomb === undefined
      ? [{ file, bomb: false }]
      : [
          { file: bomb, bomb: true },
          { file, bomb: false },
        ];
  });
  const records: BombRecord[] = [];
  const started = performance.now();
  let lastOrdinaryMs = started;
  let next = 0;
  const work = async () => {
    for (let entry = queue[next++]; entry !== undefined; entry = queue[next++]) {
      const begun = performance.now();
      const { outcome, reason } = await fleet.examine(Buffer.from(entry.file), { mode: 'exact' });
      const now = performance.now();
      if (!entry.bomb) lastOrdinaryMs = now;
      else
        records.push({
          file: entry.file,
          outcome: `${outcome}`,
          reason: `${reason?.code ?? ''}`,
          seconds: (now - begun) / 1000,
        });
    }
  };
  await Promise.all(Array.from({ length: fleet.capacity * 2 }, work));
  return { filesPerSecond: ordinary.length / ((lastOrdinaryMs - started) / 1000), records };
}

async function run({ quick, say }: BenchOptions): Promise<BenchResult> {
  const folder = sharedData('data/hostile');
  if (folder === undefined) throw new NotAvailable('the hostile files', 'they lie in ../shared/data/hostile');
  const bombs = BOMB_FOLDERS.flatMap((name) =>
    readdirSync(path.join(folder, name)).map((file) => path.join(folder, name, file)),
  );
  const ordinary = picturesOf(readManifest(), 2, ORDINARY_FILES);
  const rounds = quick ? 1 : 3;
  const hosts = Math.max(2, availableParallelism());
  const scratchRoot = mkdtempSync(path.join(tmpdir(), 'hw-bench-'));
  const fleet = await Fleet.start({
    hosts,
    threadsPerHost: 1,
    scratchRoot,
    hiddenFolders: [],
    readableRoots: [path.dirname(ordinary[0] ?? ''), folder],
  });
  const alone: number[] = [];
  const beside: number[] = [];
  let records: BombRecord[] = [];
  try {
    say(`${ordinary.length} ordinary files, ${bombs.length} bombs, ${rounds} rounds`);
    await throughput(fleet, ordinary.slice(0, 10), []);
    await interleave(
      {
        alone: async () => void alone.push((await throughput(fleet, ordinary, [])).filesPerSecond),
        beside: async () => {
          const measured = await throughput(fleet, ordinary, bombs);
          beside.push(measured.filesPerSecond);
          records = measured.records;
        },
      },
      rounds,
    );
  } finally {
    await fleet.close();
    rmSync(scratchRoot, { recursive: true, force: true });
  }
  const lossPercent = (1 - median(beside) / median(alone)) * 100;
  const longest = Math.max(...records.map((record) => record.seconds));
  return {
    measures: [
      judged('throughput lost by 100 ordinary files beside bombs', lossPercent, '%', '<', MOST_LOSS_PERCENT),
      judged('longest time until a bomb was recorded', longest, 's', '<=', LONGEST_BOMB_SECONDS),
    ],
    tables: [
      {
        title: 'What became of the bombs (seconds include waiting for a host)',
        columns: ['file', 'outcome', 'reason', 'seconds'],
        rows: records
          .toSorted((a, b) => b.seconds - a.seconds)
          .map((record) => [
            path.relative(folder, record.file),
            record.outcome,
            record.reason,
            significant(record.seconds),
          ]),
      },
    ],
    parameters: { ordinaryFiles: ordinary.length, bombs: bombs.length, rounds, hosts, threadsPerHost: 1 },
    notes: [],
  };
}

export const bench: Bench = { name: 'bombs', run };
