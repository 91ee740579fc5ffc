import type { DigestFilter } from '../engine/search/digests/digest-filter.ts';
import { highOfHex, lowOfHex } from '../engine/search/digests/digest-key.ts';
import { buildDigestFilter, type KeySource } from '../engine/search/digests/filter-builder.ts';
import { openServer } from '../engine/store/adapters/pg.ts';
import type { Db } from '../engine/store/db.ts';
import { bytes, row } from '../engine/store/row-shape.ts';
import {
  type Bench,
  type BenchOptions,
  type BenchResult,
  figure,
  judged,
  type Measure,
  median,
  NotAvailable,
  percentile,
  significant,
} from './harness.ts';
import { withServerDatabase } from './real-server.ts';

const MOST_MISS_MICROSECONDS = 2;
const MOST_BYTES_A_DIGEST = 2;
/** Digests asked for in one measured batch, and batches; each digest is asked for once, so that none is in a cache for having been asked. */
const DIGESTS_PER_BATCH = 1_000;
const BATCHES = 2_000;
/** What a Set of JavaScript can hold: some 16 million entries. */
const MOST_IN_SET = 2_000_000;
const ROUND_TRIPS = 300;

/**
 * Synthetic digests, of which the first eight bytes count here: the number of the digest through the finaliser of SplitMix64's kin in two
 * 32-bit words (Steele and others, 2014), the same in every run. Number and seed give another digest each.
 */
function keyOf(number: number, seed: number, key: Uint32Array): void {
  let high = Math.imul(number ^ seed, 0x9e3779b1);
  high = Math.imul(high ^ (high >>> 16), 0x85ebca6b);
  high = Math.imul(high ^ (high >>> 13), 0xc2b2ae35);
  let low = Math.imul(number + seed, 0x27d4eb2f) ^ high;
  low = Math.imul(low ^ (low >>> 15), 0x21f0aaad);
  low = Math.imul(low ^ (low >>> 15), 0x735a2d97);
  key[0] = (low ^ (low >>> 15)) >>> 0;
  key[1] = (high ^ (high >>> 16)) >>> 0;
}

const HELD_SEED = 0x1234_5678;
const STRANGER_SEED = 0x7a5c_3e91;

function sourceOf(count: number): KeySource {
  return async ({ first, last }, add) => {
    const key = new Uint32Array(2);
    for (let number = 0; number < count; number += 1) {
      keyOf(number, HELD_SEED, key);
      const high = key[1] ?? 0;
      const byte = high >>> 24;
      if (byte >= first && byte <= last) add(key[0] ?? 0, high);
    }
  };
}

interface Filled {
  readonly buildSeconds: number;
  readonly bytesADigest: number;
  readonly falsePositives: number;
  readonly missMicroseconds: number;
  readonly missP99Microseconds: number;
  /** With what a look-up does before: making a key of hexadecimal digits. */
  readonly textMicroseconds: number;
}

async function measure(count: number): Promise<Filled> {
  const started = performance.now();
  const filter = await buildDigestFilter(count, sourceOf(count), new AbortController().signal);
  const buildSeconds = (performance.now() - started) / 1000;
  lacksNone(filter, count);
  const strangers = new Uint32Array(DIGESTS_PER_BATCH * 2);
  const key = new Uint32Array(2);
  const batches: number[] = [];
  let falsePositives = 0;
  for (let batch = 0; batch < BATCHES; batch += 1) {
    for (let at = 0; at < DIGESTS_PER_BATCH; at += 1) {
      keyOf(batch * DIGESTS_PER_BATCH + at, STRANGER_SEED, key);
      strangers.set(key, at * 2);
    }
    const began = performance.now();
    let found = 0;
    for (let at = 0; at < strangers.length; at += 2)
      if (filter.mayHold(strangers[at] ?? 0, strangers[at + 1] ?? 0)) found += 1;
    batches.push(((performance.now() - began) * 1000) / DIGESTS_PER_BATCH);
    falsePositives += found;
  }
  return {
    buildSeconds,
    bytesADigest: filter.sizeBytes / count,
    falsePositives: falsePositives / (BATCHES * DIGESTS_PER_BATCH),
    missMicroseconds: median(batches),
    missP99Microseconds: percentile(batches, 0.99),
    textMicroseconds: missOfText(filter),
  };
}

function missOfText(filter: DigestFilter): number {
  const key = new Uint32Array(2);
  const batches: number[] = [];
  for (let batch = 0; batch < BATCHES / 10; batch += 1) {
    const strangers = Array.from({ length: DIGESTS_PER_BATCH }, (_, at) => {
      keyOf(-1 - batch * DIGESTS_PER_BATCH - at, STRANGER_SEED, key);
      return textOf(key).padEnd(64, '0');
    });
    const began = performance.now();
    let found = 0;
    for (const hex of strangers) if (filter.mayHold(lowOfHex('sha256', hex), highOfHex(hex))) found += 1;
    batches.push(((performance.now() - began) * 1000) / DIGESTS_PER_BATCH);
    if (found > DIGESTS_PER_BATCH / 10) throw new Error(`expected strangers, found ${found} in the filter`);
  }
  return median(batches);
}

const textOf = (key: Uint32Array): string =>
  (key[1] ?? 0).toString(16).padStart(8, '0') + (key[0] ?? 0).toString(16).padStart(8, '0');

/** A sample of a million of its digests; building has looked each of them up. */
function lacksNone(filter: DigestFilter, count: number): void {
  const key = new Uint32Array(2);
  const step = Math.max(1, Math.floor(count / 1_000_000));
  for (let number = 0; number < count; number += step) {
    keyOf(number, HELD_SEED, key);
    if (!filter.mayHold(key[0] ?? 0, key[1] ?? 0)) throw new Error(`the filter lacks digest ${number}`);
  }
}

/** Microseconds of one miss in a Set of hexadecimal text, and bytes an entry of it. */
function setOfText(count: number): { readonly missMicroseconds: number; readonly bytesADigest: number } {
  const key = new Uint32Array(2);
  const numbered = (number: number, seed: number): string => {
    keyOf(number, seed, key);
    return textOf(key);
  };
  const before = process.memoryUsage().heapUsed;
  const held = new Set<string>();
  for (let number = 0; number < count; number += 1) held.add(numbered(number, HELD_SEED));
  const bytesADigest = (process.memoryUsage().heapUsed - before) / count;
  const strangers = Array.from({ length: 200_000 }, (_, at) => numbered(at, STRANGER_SEED));
  const began = performance.now();
  let found = 0;
  for (const stranger of strangers) if (held.has(stranger)) found += 1;
  const missMicroseconds = ((performance.now() - began) * 1000) / strangers.length;
  if (found > 10) throw new Error(`expected strangers, found ${found} of them in the set`);
  return { missMicroseconds, bytesADigest };
}

/** Microseconds of asking a server, on the same machine, for a SHA-256 that no record has, by the index that a look-up goes by. */
async function roundTrip(db: Db, count: number): Promise<number> {
  await db.execute(
    `insert into known_record (set_id, sha256) select 1, sha256(int8send(n)) from generate_series(1, $1::bigint) n`,
    [count],
  );
  await db.execute('analyze known_record');
  const times: number[] = [];
  for (let at = 0; at < ROUND_TRIPS; at += 1) {
    const wanted = Buffer.alloc(32, at + 1);
    const began = performance.now();
    await db.read(row({ sha256: bytes }), 'select sha256 from known_record where sha256 = $1', [wanted]);
    times.push((performance.now() - began) * 1000);
  }
  return median(times);
}

async function run({ quick, say, databaseUrl }: BenchOptions): Promise<BenchResult> {
  const sizes = quick ? [200_000, 2_000_000] : [10_000_000, 100_000_000];
  const rows: (string | number)[][] = [];
  const filled: Filled[] = [];
  for (const size of sizes) {
    say(`a filter of ${size} digests`);
    const one = await measure(size);
    filled.push(one);
    rows.push([
      size,
      significant(one.missMicroseconds),
      significant(one.missP99Microseconds),
      significant(one.bytesADigest),
      significant(one.falsePositives * 100),
      significant(one.buildSeconds),
    ]);
  }
  const [small, large] = [filled[0], filled.at(-1)];
  if (small === undefined || large === undefined) throw new Error('expected filters of two sizes');
  const inSet = Math.min(MOST_IN_SET, sizes.at(-1) ?? 0);
  say(`a Set of ${inSet} texts`);
  const text = setOfText(inSet);
  const name = `of ${sizes.at(-1)} digests`;
  const measures: Measure[] = [
    judged(`miss in a filter ${name}, median of batches`, large.missMicroseconds, 'us', '<=', MOST_MISS_MICROSECONDS),
    judged(
      `the same, of a SHA-256 as text, median of batches`,
      large.textMicroseconds,
      'us',
      '<=',
      MOST_MISS_MICROSECONDS,
    ),
    figure(`miss in a filter ${name}, p99 of batches`, large.missP99Microseconds, 'us'),
    judged(`memory of a filter ${name}`, large.bytesADigest, 'bytes a digest', '<=', MOST_BYTES_A_DIGEST),
    figure('false positives', large.falsePositives * 100, '%'),
    figure(`miss at ${sizes.at(-1)} / at ${sizes[0]} digests`, large.missMicroseconds / small.missMicroseconds, ''),
    figure(
      `memory of a Set of ${inSet} texts of 16 digits / of the filter`,
      text.bytesADigest / large.bytesADigest,
      '',
    ),
    figure(
      `miss in a Set of ${inSet} texts / in the filter ${name}`,
      text.missMicroseconds / large.missMicroseconds,
      '',
    ),
  ];
  const notes = [
    'One digest a look-up; a content is looked up by three. Synthetic digests, each asked for once, so that none is in a cache for having been asked.',
    'Building: keys made and passed over as a database would hand them over, built in a thread beside it, each key looked up in what was built.',
  ];
  try {
    const trip = await withServerDatabase(databaseUrl, async (url) => {
      const db = await openServer({ url });
      try {
        return await roundTrip(db, quick ? 10_000 : 1_000_000);
      } finally {
        await db.close();
      }
    });
    measures.push(
      figure(`round trip to a server on this machine / miss in the filter ${name}`, trip / large.missMicroseconds, ''),
    );
  } catch (error) {
    if (!(error instanceof NotAvailable)) throw error;
    notes.push('No server was there to ask for the round trip.');
  }
  return {
    measures,
    tables: [
      {
        title: 'Filters of synthetic digests',
        columns: ['digests', 'miss, us', 'p99, us', 'bytes a digest', 'false positives, %', 'built in, s'],
        rows,
      },
    ],
    parameters: { digestsPerBatch: DIGESTS_PER_BATCH, batches: BATCHES, inSet, quick },
    notes,
  };
}

export const bench: Bench = { name: 'digest-filter', run };
