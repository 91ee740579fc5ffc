import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import {
  type Bench,
  type BenchOptions,
  type BenchResult,
  figure,
  judged,
  median,
  NotAvailable,
  significant,
} from './harness.ts';
import { withServerDatabase } from './real-server.ts';
import { type ScanProcess, startScan } from './scan-process.ts';
import { makeSmallSet, smallSetFolders } from './small-set.ts';

const SEED = 20_261_124;
const MEGABYTE = 1_000_000;
const MOST_GROWTH_MB = 50;
/** A sample is the median of the ones this near: what a request in flight holds for a moment is no growth. */
const NEIGHBOURS = 2;

const Sample = Type.Object({
  atMs: Type.Number(),
  heapUsed: Type.Number(),
  external: Type.Number(),
  rss: Type.Number(),
});
type Sample = Static<typeof Sample>;
const sampleValidator = Compile(Sample);

interface Timeline {
  readonly samples: readonly Sample[];
  readonly progress: ScanProcess['progress'];
}

/** Scans `files` small pictures as a user would, with the supervisor's memory written down every second. */
async function scanOf(files: number, databaseUrl: string | undefined): Promise<Timeline> {
  const folder = mkdtempSync(path.join(tmpdir(), 'hw-bench-'));
  const memoryFile = path.join(folder, 'memory.ndjson');
  const scratchFolder = path.join(folder, 'scratch');
  mkdirSync(scratchFolder);
  try {
    const scan = startScan(smallSetFolders(files), {
      dataFolder: path.join(folder, 'data'),
      scratchFolder,
      runtimeArguments: ['--expose-gc', '--import', path.join(import.meta.dirname, 'heap-sampler.ts')],
      environment: {
        HOMEWARD_BENCH_MEMORY_FILE: memoryFile,
        ...(databaseUrl === undefined ? {} : { HOMEWARD_DATABASE_URL: databaseUrl }),
      },
    });
    await scan.done;
    const samples = readFileSync(memoryFile, 'utf8').trim().split('\n').map(sampleOf);
    return { samples, progress: scan.progress };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function sampleOf(line: string): Sample {
  const parsed: unknown = JSON.parse(line);
  if (!sampleValidator.Check(parsed)) throw new Error(`expected a memory sample, received ${line}`);
  return parsed;
}

interface Held {
  readonly files: number;
  /** Heap and external memory after a collection. */
  readonly liveMb: number;
  readonly residentMb: number;
}

/** What the supervisor held when so many files had been read: the median of the samples around that time. */
function heldAt({ samples, progress }: Timeline, files: number): Held {
  const line = progress.find((entry) => entry.line.read >= files) ?? progress.at(-1);
  if (line === undefined) throw new NotAvailable('progress lines of the scan', 'the scan printed none on stderr');
  const nearest = samples.reduce(
    (best, sample, at) =>
      Math.abs(sample.atMs - line.atMs) < Math.abs((samples[best]?.atMs ?? 0) - line.atMs) ? at : best,
    0,
  );
  const around = samples.slice(Math.max(0, nearest - NEIGHBOURS), nearest + NEIGHBOURS + 1);
  return {
    files: line.line.read,
    liveMb: median(around.map((sample) => sample.heapUsed + sample.external)) / MEGABYTE,
    residentMb: median(around.map((sample) => sample.rss)) / MEGABYTE,
  };
}

async function run({ quick, databaseUrl, say }: BenchOptions): Promise<BenchResult> {
  const marks = quick ? [1000, 2000, 3000] : [1000, 10_000, 20_000, 30_000, 40_000];
  const [first = 0, second = 0] = marks;
  const last = marks.at(-1) ?? 0;
  say(`${last} small pictures are made where they are missing`);
  await makeSmallSet(last, SEED);
  say(`embedded database: scan of ${last}`);
  const embedded = await scanOf(last, undefined);
  say(`server database: scan of ${second}`);
  const server = await withServerDatabase(databaseUrl, async (url) => await scanOf(second, url));
  const held = marks.map((files) => heldAt(embedded, files));
  const onServer = [first, second].map((files) => heldAt(server, files));
  const growth = (list: readonly Held[], key: 'liveMb' | 'residentMb', from: number, to: number) =>
    (list.at(to)?.[key] ?? Number.NaN) - (list.at(from)?.[key] ?? Number.NaN);
  const row = (where: string) => (each: Held) => [
    where,
    each.files,
    significant(each.liveMb),
    significant(each.residentMb),
  ];
  return {
    measures: [
      judged(
        `supervisor heap and external, ${first} to ${second} files, embedded`,
        growth(held, 'liveMb', 0, 1),
        'MB',
        '<',
        MOST_GROWTH_MB,
      ),
      judged(
        `supervisor heap and external, ${first} to ${second} files, server`,
        growth(onServer, 'liveMb', 0, 1),
        'MB',
        '<',
        MOST_GROWTH_MB,
      ),
      judged(
        `resident as a whole, ${first} to ${second} files, server`,
        growth(onServer, 'residentMb', 0, 1),
        'MB',
        '<',
        MOST_GROWTH_MB,
      ),
      judged(
        `resident as a whole, ${second} to ${last} files, embedded`,
        growth(held, 'residentMb', 1, -1),
        'MB',
        '<',
        MOST_GROWTH_MB,
      ),
      figure('files a second, embedded', last / secondsOf(embedded), ''),
    ],
    tables: [
      {
        title: 'Memory of the supervisor in MB after a collection, by files read',
        columns: ['database', 'files', 'heap and external', 'resident'],
        rows: [...held.map(row('embedded')), ...onServer.map(row('server'))],
      },
    ],
    parameters: { files: last, sizePixels: '320 x 240', samplesASecond: 1 },
    notes: [
      'The embedded database lives in the supervisor: its memory is in the resident figure, not in heap and external of the main thread.',
    ],
  };
}

const secondsOf = ({ progress }: Timeline): number => (progress.at(-1)?.line.elapsedMs ?? Number.NaN) / 1000;

export const bench: Bench = { name: 'memory', run };
