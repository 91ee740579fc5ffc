import { BITS_ALGORITHMS } from '../../../schemas/constants.ts';
import type { KnownBits, KnownRecord, REJECTION_REASONS } from '../../../schemas/known-record.ts';
import { PHOTO_DNA_BYTES, type PhotoDnaColumn } from './photo-dna.ts';

/**
 * What a reader took otherwise than written, or left out, without rejecting the record. Counted, never silent.
 * - photoDnaIgnored: a PhotoDNA value that is not 144 bytes in hexadecimal or base64, or one beyond the eighth
 * - otherHashIgnored: an alternative hash of a kind not used
 * - digestIgnored, bitsIgnored: a malformed digest or perceptual hash (or one beyond the eighth) beside a usable one
 * - sizeIgnored, flagIgnored: a size or flag that cannot be read, taken as not given
 * - textShortened: series or tags longer than a record may hold, cut at the limit
 * - textReplaced: text that is not UTF-8 or holds NUL; U+FFFD stands there now, since PostgreSQL stores neither
 * - headerTotalDiffers: a case whose TotalMediaFiles is not the number of its media; the media are believed
 */
export const READ_NOTES = [
  'photoDnaIgnored',
  'otherHashIgnored',
  'digestIgnored',
  'bitsIgnored',
  'sizeIgnored',
  'flagIgnored',
  'textShortened',
  'textReplaced',
  'headerTotalDiffers',
] as const;
export type ReadNote = (typeof READ_NOTES)[number];

/** A reason of REJECTION_REASONS; `duplicate` is the importer's to count. */
export type RejectedFor = (typeof REJECTION_REASONS)[number];

/** Bits of RecordBatch.present. */
export const PRESENT = { md5: 1, sha1: 2, sha256: 4 } as const;

/** The five flags in the order of RecordBatch.flags: flag i has bit 2i when the source gave it, bit 2i + 1 when it is true. */
export const FLAG_NAMES = [
  'victimIdentified',
  'offenderIdentified',
  'distributed',
  'precategorised',
  'suspected',
] as const;

/** Longest text of a record in code points, as KnownRecord bounds it. */
export const TEXT_LIMITS = { sourceKey: 200, categoryCode: 40, series: 300, tags: 1000 } as const;
export type TextField = keyof typeof TEXT_LIMITS;

export const MAX_BITS_PER_RECORD = 8;

/** Text of each row as UTF-8 in RecordBatch.text from `starts[row]` to `ends[row]`; a start of -1 is null. */
export interface TextColumn {
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

/**
 * Some thousand records by columns, in the order of the file, so that a database importer encodes them without an object per record.
 * Repeated records are all there: only the database can see them within constant memory, and row order says which was first.
 * A batch owns its memory: it stays as it is when the next one is read.
 */
export interface RecordBatch extends PhotoDnaColumn {
  readonly rowCount: number;
  /** PRESENT bits of each row; the bytes of an absent digest mean nothing. */
  readonly present: Uint8Array;
  /** 1 where a hash of the row was left out (malformed, one too many, of a kind not used): nothing may be said not to match it. */
  readonly incomplete: Uint8Array;
  /** 16, 20 and 32 bytes a row. */
  readonly md5: Uint8Array;
  readonly sha1: Uint8Array;
  readonly sha256: Uint8Array;
  /** -1 when not given. */
  readonly sizeBytes: Float64Array;
  /** As FLAG_NAMES says, the layout of known_record.flags. */
  readonly flags: Uint16Array;
  readonly text: Uint8Array;
  readonly sourceKey: TextColumn;
  readonly categoryCode: TextColumn;
  readonly series: TextColumn;
  readonly tags: TextColumn;
  /** Perceptual hashes of all rows: entry i belongs to row `bitsRow[i]`, which never decreases. */
  readonly bitsCount: number;
  readonly bitsRow: Int32Array;
  /** Index into BITS_ALGORITHMS. */
  readonly bitsAlgorithm: Uint8Array;
  /** 0 to 100, -1 when not given. */
  readonly bitsQuality: Int8Array;
  /** 32 bytes an entry. */
  readonly bitsValue: Uint8Array;
  /** Records rejected while this batch was read. */
  readonly rejected: Readonly<Record<RejectedFor, number>>;
  readonly notes: Readonly<Record<ReadNote, number>>;
  /** Bytes of the source taken in when this batch was handed out; for progress only. */
  readonly bytesRead: number;
}

export const noRejections = (): Record<RejectedFor, number> => ({
  noHash: 0,
  emptyFile: 0,
  badDigest: 0,
  badPdq: 0,
  badField: 0,
  duplicate: 0,
  notARecord: 0,
});

export const noNotes = (): Record<ReadNote, number> => ({
  photoDnaIgnored: 0,
  otherHashIgnored: 0,
  digestIgnored: 0,
  bitsIgnored: 0,
  sizeIgnored: 0,
  flagIgnored: 0,
  textShortened: 0,
  textReplaced: 0,
  headerTotalDiffers: 0,
});

/** Adds the counts of a batch to those of all. */
export function addCounts<K extends string>(total: Record<K, number>, more: Readonly<Record<K, number>>): void {
  for (const key in more) total[key] += more[key];
}

/** The rows of a batch as objects: for tests and for what is small. An import reads the columns. */
export function* recordsOf(batch: RecordBatch): Generator<KnownRecord> {
  let entry = 0;
  let value = 0;
  for (let row = 0; row < batch.rowCount; row++) {
    const bits: KnownBits[] = [];
    while (entry < batch.bitsCount && batch.bitsRow[entry] === row) bits.push(bitsOf(batch, entry++));
    const photoDna: string[] = [];
    while (value < batch.photoDnaCount && batch.photoDnaRow[value] === row)
      photoDna.push(hexOf(batch.photoDnaValue, value++, PHOTO_DNA_BYTES));
    const flag = (index: number) => flagValue(batch.flags[row] ?? 0, index);
    const size = batch.sizeBytes[row] ?? -1;
    yield {
      sourceKey: textOf(batch, batch.sourceKey, row),
      md5: digestOf(batch, batch.md5, PRESENT.md5, 16, row),
      sha1: digestOf(batch, batch.sha1, PRESENT.sha1, 20, row),
      sha256: digestOf(batch, batch.sha256, PRESENT.sha256, 32, row),
      bits,
      ...(photoDna.length === 0 ? {} : { photoDna }),
      sizeBytes: size < 0 ? null : size,
      categoryCode: textOf(batch, batch.categoryCode, row),
      series: textOf(batch, batch.series, row),
      tags: textOf(batch, batch.tags, row),
      victimIdentified: flag(0),
      offenderIdentified: flag(1),
      distributed: flag(2),
      precategorised: flag(3),
      suspected: flag(4),
    };
  }
}

/** Text of one row, null when it has none. */
export function textOf(batch: RecordBatch, column: TextColumn, row: number): string | null {
  const start = column.starts[row] ?? -1;
  return start < 0 ? null : Buffer.from(batch.text.subarray(start, column.ends[row] ?? start)).toString('utf8');
}

function digestOf(batch: RecordBatch, column: Uint8Array, bit: number, byteCount: number, row: number): string | null {
  return ((batch.present[row] ?? 0) & bit) === 0 ? null : hexOf(column, row, byteCount);
}

function bitsOf(batch: RecordBatch, entry: number): KnownBits {
  const name = BITS_ALGORITHMS[batch.bitsAlgorithm[entry] ?? 0] ?? 'pdq';
  const quality = batch.bitsQuality[entry] ?? -1;
  return {
    algorithm: name === 'blockhash-256-r512' ? name : 'pdq',
    flavour: name === 'pdq-512' || name === 'pdq-full' ? name : null,
    hex: hexOf(batch.bitsValue, entry, 32),
    quality: quality < 0 ? null : quality,
  };
}

const hexOf = (column: Uint8Array, index: number, byteCount: number): string =>
  Buffer.from(column.subarray(index * byteCount, (index + 1) * byteCount)).toString('hex');

const flagValue = (flags: number, index: number): boolean | null =>
  (flags & (1 << (2 * index))) === 0 ? null : (flags & (2 << (2 * index))) !== 0;
