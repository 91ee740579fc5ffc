import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Compile } from 'typebox/compile';
import { type OpenSetOptions, openSet } from '../engine/hashset/formats/reader.ts';
import {
  noNotes,
  noRejections,
  type ReadNote,
  type RejectedFor,
  recordsOf,
} from '../engine/hashset/formats/record-batch.ts';
import { HomewardError } from '../schemas/error.ts';
import { type KnownBits, KnownRecord, type SetDescription } from '../schemas/known-record.ts';

/** For tests of hash sets: reads a set whole, and makes records. */

export interface ReadSet {
  readonly description: SetDescription;
  readonly records: KnownRecord[];
  /** Only what is not zero. */
  readonly rejected: Partial<Record<RejectedFor, number>>;
  readonly notes: Partial<Record<ReadNote, number>>;
}

const checkRecord = Compile(KnownRecord);

/** Reads a set from chunks; every record has to satisfy KnownRecord. */
export async function readSet(
  chunks: Iterable<Uint8Array>,
  options: OpenSetOptions = { format: 'auto' },
): Promise<ReadSet> {
  const reader = await openSet(streamOf(chunks), options);
  const records: KnownRecord[] = [];
  const rejected = noRejections();
  const notes = noNotes();
  for await (const batch of reader.batches()) {
    for (const record of recordsOf(batch)) {
      if (!checkRecord.Check(record)) assert.fail(`a row that is no KnownRecord: ${JSON.stringify(record)}`);
      records.push(record);
    }
    addTo(rejected, batch.rejected);
    addTo(notes, batch.notes);
  }
  return { description: reader.description, records, rejected: nonZero(rejected), notes: nonZero(notes) };
}

/** The set, or the code of the HomewardError it was refused with; any other exception is a failure. */
export async function readOrRefuse(chunks: Iterable<Uint8Array>, options?: OpenSetOptions): Promise<ReadSet | string> {
  try {
    return await readSet(chunks, options);
  } catch (error) {
    if (error instanceof HomewardError) return error.code;
    throw error;
  }
}

export async function* streamOf<T>(values: Iterable<T>): AsyncGenerator<T, void, undefined> {
  yield* values;
}

export async function joined(buffers: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const buffer of buffers) parts.push(buffer);
  return Buffer.concat(parts);
}

/** Cuts bytes at the given places, in any order and with repeats: an empty chunk is a chunk too. */
export function cutAt(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const sorted = [0, ...places.map((place) => place % (bytes.length + 1)), bytes.length].sort(
    (left, right) => left - right,
  );
  return sorted.slice(1).map((end, index) => bytes.subarray(sorted[index], end));
}

function addTo<K extends string>(totals: Record<K, number>, counts: Readonly<Record<K, number>>): void {
  for (const key in counts) totals[key] += counts[key];
}

function nonZero<K extends string>(counts: Record<K, number>): Partial<Record<K, number>> {
  const kept: Partial<Record<K, number>> = {};
  for (const key in counts) if (counts[key] > 0) kept[key] = counts[key];
  return kept;
}

const hex = (byteCount: number) =>
  fc.uint8Array({ minLength: byteCount, maxLength: byteCount }).map((bytes) => Buffer.from(bytes).toString('hex'));

/** Text that PostgreSQL can hold, of at most `limit` code points, full of what formats trip over. */
const text = (limit: number) =>
  fc
    .array(
      fc.oneof(
        fc.constantFrom(...'=+-@\t\r\n\'",;][}{\\ /\u2028é日😀＝', 'a', '0'),
        fc
          .string({ unit: 'binary', minLength: 1, maxLength: 1 })
          .filter((character) => character !== '\0' && character.isWellFormed()),
      ),
      { maxLength: Math.min(limit, 30) },
    )
    .map((characters) => characters.join(''));

const flag = fc.constantFrom(null, true, false);

const bits: fc.Arbitrary<KnownBits> = fc.oneof(
  fc.record(
    {
      algorithm: fc.constant('pdq' as const),
      flavour: fc.constantFrom(null, 'pdq-512' as const, 'pdq-full' as const),
      hex: hex(32),
      quality: fc.option(fc.nat(100)),
    },
    { noNullPrototype: true },
  ),
  fc.record(
    {
      algorithm: fc.constant('blockhash-256-r512' as const),
      flavour: fc.constant(null),
      hex: hex(32),
      quality: fc.option(fc.nat(100)),
    },
    { noNullPrototype: true },
  ),
);

/** Left out where there is none, as readers leave it out. */
const photoDna = fc.uniqueArray(hex(144), { maxLength: 3 });

export const arbitraryRecord: fc.Arbitrary<KnownRecord> = fc
  .record(
    {
      sourceKey: fc.option(fc.oneof(text(200), fc.nat(5).map(String))),
      md5: fc.option(hex(16)),
      sha1: fc.option(hex(20)),
      sha256: fc.option(hex(32)),
      bits: fc.array(bits, { maxLength: 8 }),
      sizeBytes: fc.option(fc.maxSafeNat()),
      categoryCode: fc.option(fc.oneof(text(40), fc.nat(12).map(String))),
      series: fc.option(text(300)),
      tags: fc.option(text(1000)),
      photoDna,
      victimIdentified: flag,
      offenderIdentified: flag,
      distributed: flag,
      precategorised: flag,
      suspected: flag,
    },
    { noNullPrototype: true },
  )
  .map((record): KnownRecord => {
    if (record.photoDna.length > 0) return record;
    const { photoDna: _none, ...without } = record;
    return without;
  })
  .filter(({ md5, sha1, sha256, bits }) => md5 !== null || sha1 !== null || sha256 !== null || bits.length > 0);

export function emptyRecord(given: Partial<KnownRecord>): KnownRecord {
  return {
    sourceKey: null,
    md5: null,
    sha1: null,
    sha256: null,
    bits: [],
    sizeBytes: null,
    categoryCode: null,
    series: null,
    tags: null,
    victimIdentified: null,
    offenderIdentified: null,
    distributed: null,
    precategorised: null,
    suspected: null,
    ...given,
  };
}
