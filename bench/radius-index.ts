/** What the benches of the radius search ask of the index, without a database. */
import { MihKernel } from '../engine/search/mih/mih-kernel.ts';
import type { MihThreads } from '../engine/search/mih/mih-threads.ts';
import { type Segment, SegmentFiller } from '../engine/search/mih/segment.ts';
import { percentile } from './harness.ts';
import { HASH_BYTES, WORDS } from './radius-sets.ts';

export const RADIUS_BITS = 31;

export interface BuiltIndex {
  readonly segment: Segment;
  readonly buildSeconds: number;
  /** Of the index with its hashes, records and qualities. */
  readonly bytesPerHash: number;
}

export async function buildIndex(threads: MihThreads, words: Uint32Array): Promise<BuiltIndex> {
  const filler = new SegmentFiller();
  const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
  for (let at = 0; at * WORDS < words.length; at += 1) filler.add(at, bytes, at * HASH_BYTES, 100);
  const started = performance.now();
  const segment = filler.finish(threads.count);
  threads.attach(segment);
  await threads.build(segment, 'now');
  return {
    segment,
    buildSeconds: (performance.now() - started) / 1000,
    bytesPerHash: segment.layout.imageBytes / segment.count,
  };
}

export interface Latency {
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly meanMs: number;
  readonly hits: number;
  /** Of one query. */
  readonly mostHits: number;
}

/** One query after the other in this thread. */
export function latencyOf(segment: Segment, queries: readonly Uint8Array[]): Latency {
  const kernel = new MihKernel(segment, 0);
  const times: number[] = [];
  let found = 0;
  let mostHits = 0;
  for (const query of queries.slice(0, 200)) kernel.within(query, RADIUS_BITS);
  for (const query of queries) {
    const started = performance.now();
    const hits = kernel.within(query, RADIUS_BITS);
    times.push(performance.now() - started);
    found += hits.length / 3;
    mostHits = Math.max(mostHits, hits.length / 3);
  }
  return {
    medianMs: percentile(times, 0.5),
    p99Ms: percentile(times, 0.99),
    meanMs: times.reduce((sum, time) => sum + time, 0) / times.length,
    hits: found,
    mostHits,
  };
}

export function together(queries: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(queries.length * HASH_BYTES);
  for (const [at, query] of queries.entries()) bytes.set(query, at * HASH_BYTES);
  return bytes;
}

export async function perSecond(
  threads: MihThreads,
  segment: Segment,
  queries: readonly Uint8Array[],
): Promise<number> {
  const bytes = together(queries);
  const started = performance.now();
  await threads.within(segment, bytes, RADIUS_BITS);
  return (queries.length * 1000) / (performance.now() - started);
}

/** Share of what a plain comparison with every hash finds that the index finds too; NaN when it finds something that is not there. */
export async function recallOf(
  threads: MihThreads,
  segment: Segment,
  words: Uint32Array,
  queries: readonly Uint8Array[],
): Promise<{ readonly recall: number; readonly hits: number }> {
  const found = new Set<string>();
  for (const part of await threads.within(segment, together(queries), RADIUS_BITS))
    for (let at = 0; at < part.length; at += 3) found.add(`${part[at]} ${part[at + 1]} ${part[at + 2]}`);
  let wanted = 0;
  let had = 0;
  for (const [number, query] of queries.entries()) {
    for (const { position, distanceBits } of plainlyWithin(words, query)) {
      wanted += 1;
      if (found.has(`${number} ${position} ${distanceBits}`)) had += 1;
    }
  }
  return { recall: found.size > had ? Number.NaN : wanted === 0 ? 1 : had / wanted, hits: wanted };
}

/** All within the radius from a position on, compared one after the other by nothing that the index uses. */
export function* plainlyWithin(
  words: Uint32Array,
  query: Uint8Array,
  from = 0,
): Generator<{ readonly position: number; readonly distanceBits: number }> {
  const asked = new Uint32Array(Uint8Array.from(query).buffer);
  for (let position = from, base = from * WORDS; base < words.length; position += 1, base += WORDS) {
    let distanceBits = 0;
    for (let word = 0; word < WORDS && distanceBits <= RADIUS_BITS; word += 1)
      distanceBits += bitsOf((words[base + word] ?? 0) ^ (asked[word] ?? 0));
    if (distanceBits <= RADIUS_BITS) yield { position, distanceBits };
  }
}

/** Warren, Hacker's Delight, 5-1. */
function bitsOf(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
