import { readFileSync } from 'node:fs';
import os from 'node:os';
import sharp from 'sharp';

/** One figure of a bench; `pass` is what was measured against the target, null where there is none. */
export interface Measure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly target: string | null;
  readonly pass: boolean | null;
}

export interface BenchTable {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

export interface BenchResult {
  readonly measures: readonly Measure[];
  readonly tables: readonly BenchTable[];
  /** What was run with: files, rounds, hosts, threads. */
  readonly parameters: Readonly<Record<string, string | number | boolean>>;
  readonly notes: readonly string[];
}

export interface BenchOptions {
  /** Small subsets and few rounds: to see that a bench works, not to publish. */
  readonly quick: boolean;
  /** A PostgreSQL server to measure on, from HOMEWARD_BENCH_DATABASE_URL; otherwise a throw-away one is started where that is possible. */
  readonly databaseUrl?: string | undefined;
  /** Says what goes on, on stderr. */
  say(text: string): void;
}

export interface Bench {
  readonly name: string;
  run(options: BenchOptions): Promise<BenchResult>;
}

/** A bench needs something that is not there; that bench fails by name, the others go on. */
export class NotAvailable extends Error {
  constructor(what: string, todo: string) {
    super(`not available yet: ${what} (${todo})`);
    this.name = 'NotAvailable';
  }
}

type Comparison = '>=' | '<=' | '<';

/** A figure with a target, judged as measured (before rounding). */
export function judged(name: string, value: number, unit: string, comparison: Comparison, target: number): Measure {
  const pass = comparison === '>=' ? value >= target : comparison === '<=' ? value <= target : value < target;
  return { name, value: significant(value), unit, target: `${comparison} ${target}`, pass };
}

export const figure = (name: string, value: number, unit: string): Measure => ({
  name,
  value: significant(value),
  unit,
  target: null,
  pass: null,
});

/** Four significant digits: more would claim a precision that no run repeats. */
export const significant = (value: number): number => (Number.isFinite(value) ? Number(value.toPrecision(4)) : value);

/** Nearest-rank percentile, `share` in 0..1; NaN of nothing. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const rank = Math.max(0, Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1));
  return sorted[rank] ?? Number.NaN;
}

/** Median, the mean of the two middle ones for an even count; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? Number.NaN;
  return (upper + lower) / 2;
}

/**
 * Runs the contestants in turns, `rounds` times each, the order turning round every time so that warm-up, heat and what
 * else the machine does fall on all alike.
 */
export async function interleave<K extends string>(
  contestants: Readonly<Record<K, (round: number) => Promise<void>>>,
  rounds: number,
): Promise<void> {
  const names = Object.keys(contestants) as K[];
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? names : names.toReversed();
    for (const name of order) await contestants[name](round);
  }
}

/** What a figure was taken on; load above the core count means somebody else was at work too. */
export function machineLine(): Readonly<Record<string, string | number>> {
  const [cpu] = os.cpus();
  return {
    cpu: cpu?.model.trim() ?? 'unknown',
    cores: os.availableParallelism(),
    memoryGb: Math.round(os.totalmem() / 1e9),
    kernel: `${os.type()} ${os.release()}`,
    node: process.version,
    sharp: sharp.versions.sharp ?? 'unknown',
    libvips: sharp.versions.vips,
    date: new Date().toISOString(),
    loadAverageAtStart: loadAverage(),
  };
}

function loadAverage(): number {
  try {
    return Number(readFileSync('/proc/loadavg', 'utf8').split(' ')[0]);
  } catch {
    return significant(os.loadavg()[0] ?? 0);
  }
}
