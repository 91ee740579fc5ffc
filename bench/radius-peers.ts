/** What a unit could pick instead: pgvector's HNSW over bits and usearch, on the same hashes. */

import { openServer } from '../engine/store/adapters/pg.ts';
import type { Db } from '../engine/store/db.ts';
import { integer, row } from '../engine/store/row-shape.ts';
import { type BenchOptions, figure, judged, type Measure, significant } from './harness.ts';
import { plainlyWithin, RADIUS_BITS } from './radius-index.ts';
import { HASH_BYTES, hashAt, WORDS } from './radius-sets.ts';

const BREADTH = 400;
/** Where bench/radius-memory.ts planted its cluster of 500. */
const CLUSTER = { from: 0, copies: 500 } as const;
/** Clusters end here; what a query finds beyond is the one hash that was planted for it. */
const CLUSTERS_END = 15_000;
/** Most hits that are asked for: a cluster and what is near it by chance. */
const MOST_HITS = 600;

interface Peer {
  readonly name: string;
  readonly hashes: number;
  /** Share of queries whose planted hash was found; share of the cluster that was found. */
  readonly recallOne: number;
  readonly recallCluster: number;
  readonly perSecond: number;
  readonly buildSeconds: number;
}

export async function peerFigures(
  url: string,
  words: Uint32Array,
  queries: readonly Uint8Array[],
  queriesPerSecond: number,
  { quick, say }: BenchOptions,
): Promise<{ readonly measures: readonly Measure[]; readonly rows: readonly (readonly (string | number)[])[] }> {
  const size = Math.min(words.length / WORDS, quick ? 20_000 : 1_000_000);
  const part = words.subarray(0, size * WORDS);
  const asked = queries.slice(0, quick ? 50 : 1000);
  const near = asked.map((query) => nearestOf(part, query));
  const ours: Peer = {
    name: 'ours (exact)',
    hashes: words.length / WORDS,
    recallOne: 1,
    recallCluster: 1,
    perSecond: queriesPerSecond,
    buildSeconds: Number.NaN,
  };
  say(`pgvector HNSW over ${size}`);
  const hnsw = await pgvectorHnsw(url, part, asked, near);
  say(`usearch over ${size}`);
  const usearch = await usearchPeer(part, asked, near);
  const list = [ours, hnsw, usearch];
  return {
    measures: [
      judged(
        `index over ${ours.hashes} on two threads / pgvector HNSW over ${size} at ef ${BREADTH}`,
        queriesPerSecond / hnsw.perSecond,
        '',
        '>=',
        4,
      ),
      figure(`building pgvector HNSW over ${size}`, hnsw.buildSeconds, 's'),
      figure(`building usearch over ${size}`, usearch.buildSeconds, 's'),
    ],
    rows: list.map((peer) => [
      peer.name,
      peer.hashes,
      significant(peer.recallOne),
      significant(peer.recallCluster),
      significant(peer.perSecond),
      peer === ours ? 2 : 1,
    ]),
  };
}

/** Position of the hash within the radius, -1 where it is of a cluster or beyond this part of the set. */
function nearestOf(words: Uint32Array, query: Uint8Array): number {
  for (const { position } of plainlyWithin(words, query, CLUSTERS_END)) return position;
  return -1;
}

/** Runs the queries and looks what was found of what there is to find. */
async function measured(
  search: (query: Uint8Array, most: number) => Promise<readonly number[]>,
  words: Uint32Array,
  asked: readonly Uint8Array[],
  near: readonly number[],
): Promise<Pick<Peer, 'recallOne' | 'recallCluster' | 'perSecond'>> {
  let wanted = 0;
  let had = 0;
  const started = performance.now();
  for (const [at, query] of asked.entries()) {
    const found = await search(query, 10);
    const planted = near[at] ?? -1;
    if (planted < 0) continue;
    wanted += 1;
    if (found.includes(planted)) had += 1;
  }
  const perSecond = (asked.length * 1000) / (performance.now() - started);
  const cluster = new Set(await search(hashAt(words, CLUSTER.from), MOST_HITS));
  let members = 0;
  for (let copy = 0; copy < CLUSTER.copies; copy += 1) if (cluster.has(CLUSTER.from + copy)) members += 1;
  return { recallOne: had / wanted, recallCluster: members / CLUSTER.copies, perSecond };
}

async function pgvectorHnsw(
  url: string,
  words: Uint32Array,
  asked: readonly Uint8Array[],
  near: readonly number[],
): Promise<Peer> {
  const db = await openServer({ url });
  const count = words.length / WORDS;
  try {
    await db.execute(
      'create table bench_bits as select record_id - 1 as position, bits from known_bits where record_id <= $1',
      [count],
    );
    const started = performance.now();
    await db.transaction(
      async (tx) =>
        await tx.script(`set local maintenance_work_mem = '2GB'; set local statement_timeout = 0;
          create index bench_hnsw on bench_bits using hnsw (bits bit_hamming_ops);`),
    );
    const buildSeconds = (performance.now() - started) / 1000;
    const figures = await measured(async (query, most) => await hnswWithin(db, query, most), words, asked, near);
    return { name: `pgvector HNSW, ef ${BREADTH}`, hashes: count, buildSeconds, ...figures };
  } finally {
    await db.execute('drop table if exists bench_bits');
    await db.close();
  }
}

async function hnswWithin(db: Db, query: Uint8Array, most: number): Promise<number[]> {
  const hex = Buffer.from(query).toString('hex');
  return await db.transaction(async (tx) => {
    await tx.script(`set local hnsw.ef_search = ${BREADTH}; set local enable_seqscan = off;`);
    const found = await tx.read(
      row({ position: integer }),
      `select position from (select position, bits <~> ('x' || $1)::bit(256) as distance from bench_bits
        order by bits <~> ('x' || $1)::bit(256) limit $2) nearest where distance <= $3`,
      [hex, most, RADIUS_BITS],
    );
    return found.map((one) => one.position);
  });
}

async function usearchPeer(words: Uint32Array, asked: readonly Uint8Array[], near: readonly number[]): Promise<Peer> {
  const { Index, MetricKind, ScalarKind } = await import('usearch');
  const count = words.length / WORDS;
  const index = new Index({
    metric: MetricKind.Hamming,
    quantization: ScalarKind.B1,
    dimensions: 256,
    connectivity: 16,
    expansion_add: 128,
    expansion_search: BREADTH,
    multi: false,
  });
  const started = performance.now();
  const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
  const batch = 5000;
  for (let from = 0; from < count; from += batch) {
    const to = Math.min(count, from + batch);
    const keys = BigUint64Array.from({ length: to - from }, (_, at) => BigInt(from + at));
    const values = new Int8Array((to - from) * 256);
    for (let at = from; at < to; at += 1) {
      values.set(unpacked(bytes.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES)), (at - from) * 256);
    }
    index.add(keys, values, 2);
  }
  const buildSeconds = (performance.now() - started) / 1000;
  const figures = await measured(
    async (query, most) => {
      const { keys, distances } = index.search(unpacked(query), most, 1);
      return [...keys].flatMap((key, at) => ((distances[at] ?? 257) <= RADIUS_BITS ? [Number(key)] : []));
    },
    words,
    asked,
    near,
  );
  return { name: `usearch, expansion ${BREADTH}`, hashes: count, buildSeconds, ...figures };
}

/** One number a bit, which is how usearch takes bits from JavaScript. */
function unpacked(hash: Uint8Array): Int8Array<ArrayBuffer> {
  const values = new Int8Array(256);
  for (let bit = 0; bit < 256; bit += 1) values[bit] = ((hash[bit >> 3] ?? 0) >> (bit & 7)) & 1;
  return values;
}
