import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import type { DecodeMode } from '../schemas/fingerprint.ts';
import { Fleet } from '../workers/fleet/fleet.ts';
import { BareLoop } from './bare-loop.ts';
import {
  type Bench,
  type BenchOptions,
  type BenchResult,
  type BenchTable,
  figure,
  interleave,
  judged,
  type Measure,
  median,
  significant,
} from './harness.ts';
import { mixOf, picturesOf, readManifest, SET_FOLDER, SIZE_CLASSES } from './picture-set.ts';
import { cpuSecondsOfTree } from './process-tree.ts';

/** The figures to reach: the share of the bare loop's throughput that is left when the hashes are computed too. */
const LEAST_RATIO = { exact: 0.55, fast: 0.8 } as const;

/** Enough of each class that a round takes seconds; the big ones few, since each one is work enough. */
const PER_CLASS: Readonly<Record<number, number>> = { 0.5: 300, 2: 120, 12: 30, 48: 8 };

const WARM_UP_FILES = 300;

interface Cost {
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
}

interface Compared {
  /** Throughput of the engine by that of the bare loop, by wall and by CPU time. */
  readonly wallRatio: number;
  readonly cpuRatio: number;
  readonly engine: Cost;
  readonly bare: Cost;
}

async function costOf(work: () => Promise<void>): Promise<Cost> {
  const cpuBefore = cpuSecondsOfTree(process.pid);
  const started = performance.now();
  await work();
  const wallSeconds = (performance.now() - started) / 1000;
  return { wallSeconds, cpuSeconds: cpuSecondsOfTree(process.pid) - cpuBefore };
}

/** As the scan does it: twice the capacity in flight, so that no thread waits. */
async function examineAll(fleet: Fleet, files: readonly string[], mode: DecodeMode): Promise<void> {
  let next = 0;
  const work = async () => {
    for (let file = files[next++]; file !== undefined; file = files[next++]) {
      const examination = await fleet.examine(Buffer.from(file), { mode });
      if (examination.outcome !== 'done' || examination.picture?.pdq.length !== 2) {
        throw new Error(`expected a fingerprint of ${file}, received ${JSON.stringify(examination.reason)}`);
      }
    }
  };
  await Promise.all(Array.from({ length: fleet.capacity * 2 }, work));
}

async function compare(
  fleet: Fleet,
  bare: BareLoop,
  files: readonly string[],
  mode: DecodeMode,
  rounds: number,
): Promise<Compared> {
  const costs: { engine: Cost[]; bare: Cost[] } = { engine: [], bare: [] };
  await interleave(
    {
      bare: async () => void costs.bare.push(await costOf(() => bare.run(files, mode === 'fast'))),
      engine: async () => void costs.engine.push(await costOf(() => examineAll(fleet, files, mode))),
    },
    rounds,
  );
  const middle = (list: readonly Cost[]): Cost => ({
    wallSeconds: median(list.map((cost) => cost.wallSeconds)),
    cpuSeconds: median(list.map((cost) => cost.cpuSeconds)),
  });
  // The ratio is taken round by round: two neighbours in time share what else the machine was doing.
  const ratios = (key: keyof Cost) =>
    costs.engine.map((cost, round) => (costs.bare[round]?.[key] ?? Number.NaN) / cost[key]);
  return {
    wallRatio: median(ratios('wallSeconds')),
    cpuRatio: median(ratios('cpuSeconds')),
    engine: middle(costs.engine),
    bare: middle(costs.bare),
  };
}

async function run({ quick, say }: BenchOptions): Promise<BenchResult> {
  const manifest = readManifest();
  const rounds = 3;
  const hosts = Math.max(1, availableParallelism());
  const threadsPerHost = 1;
  const share = quick ? 0.15 : 1;
  const groups = [
    ...SIZE_CLASSES.map(({ mpx }) => ({
      label: `${mpx} Mpx`,
      files: picturesOf(manifest, mpx, Math.max(2, Math.round((PER_CLASS[mpx] ?? 0) * share))),
    })),
    { label: 'whole mix', files: mixOf(manifest, quick ? 60 : manifest.pictures.length) },
  ];
  const measures: Measure[] = [];
  const rows: (string | number)[][] = [];
  const scratchRoot = mkdtempSync(path.join(tmpdir(), 'hw-bench-'));
  const fleet = await Fleet.start({
    hosts,
    threadsPerHost,
    scratchRoot,
    hiddenFolders: [],
    readableRoots: [SET_FOLDER],
  });
  const bare = await BareLoop.start(hosts, threadsPerHost);
  try {
    for (const mode of ['exact', 'fast'] as const) {
      // Both sides compile what they run only after some hundred files; before that, the ratio would be one of compilers.
      await compare(fleet, bare, picturesOf(manifest, 0.5, WARM_UP_FILES), mode, 1);
      for (const { label, files } of groups) {
        say(`${mode}, ${label}: ${files.length} pictures, ${rounds} rounds`);
        await compare(fleet, bare, files.slice(0, hosts), mode, 1); // memory grows to what these need
        const compared = await compare(fleet, bare, files, mode, rounds);
        const name = `${mode}, ${label}`;
        if (label === 'whole mix')
          measures.push(judged(`${name}: engine / bare loop`, compared.wallRatio, '', '>=', LEAST_RATIO[mode]));
        else measures.push(figure(`${name}: engine / bare loop`, compared.wallRatio, ''));
        const perSecond = (seconds: number) => significant(files.length / seconds);
        rows.push([
          name,
          files.length,
          perSecond(compared.engine.wallSeconds),
          perSecond(compared.bare.wallSeconds),
          significant(compared.wallRatio),
          perSecond(compared.engine.cpuSeconds),
          perSecond(compared.bare.cpuSeconds),
          significant(compared.cpuRatio),
        ]);
      }
    }
  } finally {
    await bare.stop();
    await fleet.close();
    rmSync(scratchRoot, { recursive: true, force: true });
  }
  const table: BenchTable = {
    title: 'Pictures a second of wall time and of CPU time',
    columns: ['mode and size', 'pictures', 'engine/s', 'bare/s', 'ratio', 'engine/CPU s', 'bare/CPU s', 'ratio by CPU'],
    rows,
  };
  return {
    measures,
    tables: [table],
    parameters: { hosts, threadsPerHost, rounds, pictures: manifest.pictures.length, origin: manifest.origin },
    notes: [
      'Bare loop: the same number of processes and threads, which read, digest (MD5, SHA-1, SHA-256) and decode the same files to the same size, and nothing else.',
    ],
  };
}

export const bench: Bench = { name: 'hash-throughput', run };
