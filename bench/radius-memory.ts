/** The index alone: how exact, how quick, how large, how it grows. */
import { MihKernel } from '../engine/search/mih/mih-kernel.ts';
import { MihThreads } from '../engine/search/mih/mih-threads.ts';
import type { Segment } from '../engine/search/mih/segment.ts';
import { HASHES_AT, mostHitsOf, scratchOf } from '../engine/search/mih/segment-layout.ts';
import { type BenchOptions, figure, judged, type Measure, significant } from './harness.ts';
import { buildIndex, latencyOf, perSecond, RADIUS_BITS, recallOf, together } from './radius-index.ts';
import { flip, hashAt, plantCluster, type RealHashes, randomHashes, skewedHashes, WORDS } from './radius-sets.ts';
import { seededRandom } from './random.ts';

const SEED = 7;
const CLUSTERS = [500, 5000] as const;
const MOST_COPIES = Math.max(...CLUSTERS);
const THREADS = 2;

export interface MemoryFigures {
  readonly measures: readonly Measure[];
  readonly growth: readonly (readonly (string | number)[])[];
  readonly words: Uint32Array<ArrayBuffer>;
  readonly queries: readonly Uint8Array[];
  /** Of two threads over the largest random set. */
  readonly queriesPerSecond: number;
}

/** Hashes of the set with some bits turned: what a variant of something known looks like. */
export function plantedQueries(words: Uint32Array, count: number, seed: number): Uint8Array[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => {
    const query = hashAt(words, random.integer(0, words.length / WORDS - 1));
    flip(query, random.integer(0, RADIUS_BITS), random);
    return query;
  });
}

export async function memoryFigures(real: RealHashes, { quick, say }: BenchOptions): Promise<MemoryFigures> {
  const sizes = quick ? [30_000, 300_000] : [1_000_000, 3_000_000, 10_000_000];
  const largest = sizes.at(-1) ?? 0;
  const measures: Measure[] = [];
  const growth: (string | number)[][] = [];
  const medians: number[] = [];
  const threads = new MihThreads(THREADS);
  let result: Pick<MemoryFigures, 'words' | 'queries' | 'queriesPerSecond'> | null = null;
  try {
    for (const size of sizes) {
      say(`random: ${size} hashes`);
      const words = randomHashes(size, SEED);
      const clusters = CLUSTERS.map((copies, at) => plantCluster(words, at * 10_000, copies, SEED + at));
      const queries = plantedQueries(words, quick ? 2000 : 20_000, SEED + 9);
      const { segment, buildSeconds, bytesPerHash } = await buildIndex(threads, words);
      const latency = latencyOf(segment, queries.slice(0, 5000));
      const rate = await perSecond(threads, segment, queries);
      const scan = scanMs(segment, queries.slice(0, 5));
      medians.push(latency.meanMs);
      growth.push([
        size,
        `${segment.layout.bands} of ${segment.layout.widthBits} bits`,
        ...[latency.medianMs, latency.meanMs, latency.p99Ms, rate, scan, buildSeconds, bytesPerHash].map(significant),
      ]);
      if (size === largest) {
        const sample = [...queries.slice(0, quick ? 20 : 100), ...clusters];
        const exact = await recallOf(threads, segment, words, sample);
        const name = `${size} random hashes`;
        measures.push(
          judged(
            `${name}: recall within ${RADIUS_BITS} bits, planted, clusters of 500 and 5,000`,
            exact.recall,
            '',
            '>=',
            1,
          ),
          judged(`${name}: one query, one thread, median`, latency.medianMs, 'ms', '<=', 0.5),
          judged(`${name}: one query, one thread, p99`, latency.p99Ms, 'ms', '<=', 1.5),
          judged(`${name}: queries on ${THREADS} threads`, rate, '/s', '>=', 5000),
          judged(
            `${name}: index on ${THREADS} threads / brute-force scan in WebAssembly on one`,
            (rate * scan) / 1000,
            '',
            '>=',
            20,
          ),
          judged(`${name}: memory with the hash`, bytesPerHash, 'bytes a hash', '<=', 130),
        );
        result = { words, queries, queriesPerSecond: rate };
      }
      threads.detach(segment);
    }
    const growthRatio = (medians.at(-1) ?? Number.NaN) / (medians[0] ?? Number.NaN);
    measures.push(judged(`time a query, ${largest} / ${sizes[0]} hashes`, growthRatio, '', '<=', 3));
    measures.push(...(await skewedFigures(real, threads, largest, { quick, say })));
  } finally {
    await threads.close();
  }
  if (result === null) throw new RangeError('expected figures of the largest set');
  return { measures, growth, ...result };
}

async function skewedFigures(
  real: RealHashes,
  threads: MihThreads,
  size: number,
  { quick, say }: BenchOptions,
): Promise<Measure[]> {
  say(`skewed: ${size} hashes from ${real.hashes.length} real ones`);
  const words = skewedHashes(real, size, SEED);
  const random = seededRandom(SEED);
  const queries = Array.from({ length: quick ? 300 : 3000 }, () => Uint8Array.from(random.pick(real.pairs).edited));
  const flat = real.flat.slice(0, 200).map((hash) => Uint8Array.from(hash));
  const { segment } = await buildIndex(threads, words);
  const latency = latencyOf(segment, queries);
  const worst = latencyOf(segment, flat);
  const exact = await recallOf(threads, segment, words, [...queries.slice(0, quick ? 10 : 60), ...flat.slice(0, 3)]);
  const rate = await perSecond(threads, segment, queries);
  const few = latencyOf(segment, await withFewHits(threads, segment, queries));
  threads.detach(segment);
  const name = `${size} skewed hashes`;
  return [
    judged(`${name}: recall within ${RADIUS_BITS} bits, real edits and near-flat pictures`, exact.recall, '', '>=', 1),
    judged(`${name}: one query of a real edit, one thread, p99`, latency.p99Ms, 'ms', '<=', 3),
    figure(`${name}: one query of a real edit, one thread, median`, latency.medianMs, 'ms'),
    figure(`${name}: hits a query`, latency.hits / queries.length, ''),
    figure(`${name}: the same p99 of queries with up to ${MOST_COPIES} hits`, few.p99Ms, 'ms'),
    figure(`${name}: most hits of a query`, latency.mostHits, ''),
    figure(`${name}: queries on ${THREADS} threads`, rate, '/s'),
    figure(`${name}: one query of a near-flat picture (never asked by the engine), p99`, worst.p99Ms, 'ms'),
  ];
}

async function withFewHits(
  threads: MihThreads,
  segment: Segment,
  queries: readonly Uint8Array[],
): Promise<Uint8Array[]> {
  const hits = new Int32Array(queries.length);
  for (const part of await threads.within(segment, together(queries), RADIUS_BITS))
    for (let at = 0; at < part.length; at += 3) hits[part[at] ?? 0] = (hits[part[at] ?? 0] ?? 0) + 1;
  return queries.filter((_, at) => (hits[at] ?? 0) <= MOST_COPIES);
}

/** A plain scan over all, as the kernel makes it where bands do not pay. */
function scanMs(segment: Segment, queries: readonly Uint8Array[]): number {
  const kernel = new MihKernel(segment, 0);
  const { queryAt, resultsAt } = scratchOf(segment.layout, 0);
  const place = new Uint8Array(segment.memory.buffer, queryAt, 32);
  const started = performance.now();
  for (const query of queries) {
    place.set(query);
    kernel.scan(HASHES_AT, 0, segment.count, queryAt, RADIUS_BITS, resultsAt, mostHitsOf(segment.count));
  }
  return (performance.now() - started) / queries.length;
}
