/**
 * What to set on a server for a machine and for what is stored. Sources: PostgreSQL's manual (chapters "Resource Consumption", "Write Ahead Log",
 * "Query Planning"), pgvector's README ("Performance", "Index Build Time"), and what was measured here (docs/scale.md).
 */

export interface TunedMachine {
  readonly memoryMb: number;
  readonly cores: number;
}

export interface StoredAmounts {
  /** Known perceptual hashes. */
  readonly hashes: number;
  /** Memory that building the largest index of vectors takes; 0 where none is needed. */
  readonly indexBuildMb: number;
  /** Its name, such as `dlib-128@1.0.0/embedding`; null where none is needed. */
  readonly largestIndex: string | null;
}

/** A setting as the server shows it in pg_settings. */
export interface ServerSetting {
  readonly name: string;
  readonly value: string;
  /** Such as `8kB`, `kB`, `MB`, `s`, `min`; null for what has none. */
  readonly unit: string | null;
  readonly choices: readonly string[];
}

export interface Advice {
  readonly setting: string;
  /** As it is written in postgresql.conf. */
  readonly advised: string;
  /** As the server has it, in the same form; null where the server has no such setting. */
  readonly now: string | null;
  readonly differs: boolean;
  readonly needsRestart: boolean;
  readonly reason: string;
}

/** atLeast: more does no harm. about: within a quarter. equal: the very value. */
type Comparison = 'atLeast' | 'about' | 'equal';
type Measure = 'MB' | 'seconds' | 'number' | 'word';
interface Rule {
  readonly setting: string;
  readonly measure: Measure;
  readonly advised: number | string;
  readonly comparison: Comparison;
  readonly needsRestart?: true;
  readonly reason: string;
}

const clamped = (value: number, least: number, most: number): number => Math.min(most, Math.max(least, value));
/** Rounded to what a person would write: three binary digits. Down for what is shared out, up for what has to suffice. */
function roundMb(megabytes: number, to: 'down' | 'up' = 'down'): number {
  const step = 2 ** Math.max(0, Math.floor(Math.log2(Math.max(1, megabytes))) - 2);
  return Math.max(1, (to === 'down' ? Math.floor(megabytes / step) : Math.ceil(megabytes / step)) * step);
}

const MANY_HASHES = 10_000_000;
/** Connections of one engine: its pool and the one it listens on. */
const CONNECTIONS_PER_ENGINE = 9;
const MOST_CONNECTIONS = 100;

function rulesFor(machine: TunedMachine, stored: StoredAmounts, compression: string): Rule[] {
  const { memoryMb, cores } = machine;
  const sharedMb = roundMb(clamped(memoryMb / 4, 128, 65_536));
  const mostBuildMb = Math.max(256, roundMb(memoryMb * 0.4));
  const buildMb = clamped(roundMb(stored.indexBuildMb, 'up'), 256, mostBuildMb);
  const whole = buildMb >= stored.indexBuildMb;
  const workMb = roundMb(clamped(memoryMb / 8 / MOST_CONNECTIONS, 4, 64));
  return [
    {
      setting: 'shared_buffers',
      measure: 'MB',
      advised: sharedMb,
      comparison: 'about',
      needsRestart: true,
      reason: 'a quarter of the memory; what is read in order goes by the cache of the operating system anyway',
    },
    {
      setting: 'effective_cache_size',
      measure: 'MB',
      advised: roundMb(memoryMb * 0.7),
      comparison: 'about',
      reason: 'what the server and the operating system can keep of the tables; takes no memory, only steers plans',
    },
    {
      setting: 'maintenance_work_mem',
      measure: 'MB',
      advised: buildMb,
      comparison: 'atLeast',
      reason:
        stored.largestIndex === null
          ? 'no index of vectors is needed by now; enough for the other indexes'
          : `the graph of ${stored.largestIndex} takes ${stored.indexBuildMb} MB while it is built${whole ? '' : ', which is more than this machine should give: the rest is built on disk, ten times slower'}`,
    },
    {
      setting: 'max_parallel_maintenance_workers',
      measure: 'number',
      advised: clamped(cores - 1, 1, 8),
      comparison: 'atLeast',
      reason: 'builds an index on all cores: the one that leads works along',
    },
    {
      setting: 'max_parallel_workers_per_gather',
      measure: 'number',
      advised: clamped(Math.ceil(cores / 2), 1, 8),
      comparison: 'atLeast',
      reason: 'the exact scan of hashes, which checks the index, uses half of the cores',
    },
    {
      setting: 'max_parallel_workers',
      measure: 'number',
      advised: Math.max(2, cores),
      comparison: 'atLeast',
      reason: 'all parallel work together, one worker a core',
    },
    {
      setting: 'max_worker_processes',
      measure: 'number',
      advised: Math.max(8, cores + 4),
      comparison: 'atLeast',
      needsRestart: true,
      reason: 'parallel workers and what the server does in the background come out of this',
    },
    {
      setting: 'work_mem',
      measure: 'MB',
      advised: workMb,
      comparison: 'atLeast',
      reason: 'each sort and each hash of each connection may take it',
    },
    {
      setting: 'max_wal_size',
      measure: 'MB',
      advised: stored.hashes > MANY_HASHES ? 16_384 : 4096,
      comparison: 'atLeast',
      reason: 'an import must not stop for a checkpoint every few seconds; takes as much disk beside the data',
    },
    {
      setting: 'checkpoint_timeout',
      measure: 'seconds',
      advised: 900,
      comparison: 'atLeast',
      reason: 'fewer checkpoints write fewer whole pages to the log; starting after a crash takes a little longer',
    },
    {
      setting: 'wal_compression',
      measure: 'word',
      advised: compression,
      comparison: 'equal',
      reason: 'whole pages in the log shrink to half or less, at hardly any processor time',
    },
    {
      setting: 'random_page_cost',
      measure: 'number',
      advised: 1.1,
      comparison: 'equal',
      reason: 'for disks without moving parts; leave 4 where the data lies on turning ones',
    },
    {
      setting: 'jit',
      measure: 'word',
      advised: 'off',
      comparison: 'equal',
      reason: 'compiling a statement takes longer than most of ours run; distances are compiled code already',
    },
    {
      setting: 'max_connections',
      measure: 'number',
      advised: MOST_CONNECTIONS,
      comparison: 'atLeast',
      needsRestart: true,
      reason: `an engine takes up to ${CONNECTIONS_PER_ENGINE}: enough for ${Math.floor(MOST_CONNECTIONS / CONNECTIONS_PER_ENGINE)} of them, and work_mem is reckoned with it`,
    },
  ];
}

/** What the engine sets by itself for each search; listed so that nobody looks for it in the file. */
export const SET_PER_QUERY: readonly { readonly setting: string; readonly reason: string }[] = [
  {
    setting: 'hnsw.ef_search',
    reason: 'set by the engine for each search of an index of vectors, so that its recall does not hang on the file',
  },
  {
    setting: 'hnsw.iterative_scan, hnsw.max_scan_tuples, hnsw.scan_mem_multiplier',
    reason:
      'set by the engine where it reads more from an index than hnsw.ef_search can give; the file changes nothing',
  },
];

/** Every rule with what the server has now. */
export function adviseServer(
  machine: TunedMachine,
  stored: StoredAmounts,
  settings: readonly ServerSetting[],
): Advice[] {
  const byName = new Map(settings.map((one) => [one.name, one]));
  const compression = byName.get('wal_compression')?.choices.includes('lz4') === true ? 'lz4' : 'on';
  return rulesFor(machine, stored, compression).map((rule) => {
    const found = byName.get(rule.setting);
    const now = found === undefined ? null : valueIn(rule.measure, found);
    return {
      setting: rule.setting,
      advised: written(rule.measure, rule.advised),
      now: now === null ? null : written(rule.measure, now),
      differs: now === null || !suits(rule, now),
      needsRestart: rule.needsRestart === true,
      reason: rule.reason,
    };
  });
}

function suits({ comparison, advised }: Rule, now: number | string): boolean {
  if (typeof advised === 'string' || typeof now === 'string') return String(advised) === String(now);
  if (comparison === 'atLeast') return now >= advised;
  if (comparison === 'about') return now >= advised * 0.75 && now <= advised * 1.25;
  return now === advised;
}

const BYTES: Readonly<Record<string, number>> = { B: 1, kB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 };
const SECONDS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, min: 60, h: 3600, d: 86_400 };

/** A unit of pg_settings may carry a factor: `8kB`. */
function valueIn(measure: Measure, { value, unit }: ServerSetting): number | string {
  if (measure === 'word') return value;
  const [, factor = '', name = ''] = /^(\d*)([A-Za-z]*)$/.exec(unit ?? '') ?? [];
  const scaled = Number(value) * Number(factor || 1);
  if (measure === 'MB') return (scaled * (BYTES[name] ?? 1)) / 1024 ** 2;
  if (measure === 'seconds') return scaled * (SECONDS[name] ?? 1);
  return scaled;
}

/** As postgresql.conf has it: whole gigabytes and minutes where they are whole. */
function written(measure: Measure, value: number | string): string {
  if (typeof value === 'string' || measure === 'number' || measure === 'word') return String(value);
  if (measure === 'MB') return value >= 1024 && value % 1024 === 0 ? `${value / 1024}GB` : `${Math.round(value)}MB`;
  return value >= 60 && value % 60 === 0 ? `${value / 60}min` : `${value}s`;
}
