import { isUtf8 } from 'node:buffer';
import { decodeHex } from './hex-bytes.ts';
import { PhotoDnaCollector, photoDnaValues } from './photo-dna.ts';
import {
  MAX_BITS_PER_RECORD,
  noNotes,
  noRejections,
  PRESENT,
  type ReadNote,
  type RecordBatch,
  type RejectedFor,
  TEXT_LIMITS,
  type TextField,
} from './record-batch.ts';

/** Rows of a full batch: large enough that a batch costs nothing, small enough (about half a megabyte) to be forgotten at once. */
export const ROWS_PER_BATCH = 4096;
/** Rows of the first batch: most sets are short lists. */
const ROWS_OF_FIRST_BATCH = 128;

/** Digests of the empty file, which every seized machine holds: a record of it would match everywhere. */
const EMPTY_FILE = {
  md5: Buffer.from('d41d8cd98f00b204e9800998ecf8427e', 'hex'),
  sha1: Buffer.from('da39a3ee5e6b4b0d3255bfef95601890afd80709', 'hex'),
  sha256: Buffer.from('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', 'hex'),
};

const BAD_DIGEST = 1;
const BAD_BITS = 2;
const BAD_FIELD = 4;
/** Notes of a record that say that a hash of it was left out. */
const HASH_LEFT_OUT: ReadonlySet<ReadNote> = new Set([
  'digestIgnored',
  'bitsIgnored',
  'photoDnaIgnored',
  'otherHashIgnored',
]);

class TextStore {
  readonly starts: Int32Array;
  readonly ends: Int32Array;

  constructor(rows: number) {
    this.starts = new Int32Array(rows);
    this.ends = new Int32Array(rows);
  }
}

/** Memory of one batch; handed out with it and replaced. */
class Columns {
  readonly present: Uint8Array;
  readonly incomplete: Uint8Array;
  readonly md5: Uint8Array;
  readonly sha1: Uint8Array;
  readonly sha256: Uint8Array;
  readonly sizeBytes: Float64Array;
  readonly flags: Uint16Array;
  readonly sourceKey: TextStore;
  readonly categoryCode: TextStore;
  readonly series: TextStore;
  readonly tags: TextStore;
  text: Uint8Array;
  bitsRow = new Int32Array(64);
  bitsAlgorithm = new Uint8Array(64);
  bitsQuality = new Int8Array(64);
  bitsValue = new Uint8Array(64 * 32);
  readonly rejected = noRejections();
  readonly notes = noNotes();

  constructor(rows: number) {
    this.present = new Uint8Array(rows);
    this.incomplete = new Uint8Array(rows);
    this.md5 = new Uint8Array(rows * 16);
    this.sha1 = new Uint8Array(rows * 20);
    this.sha256 = new Uint8Array(rows * 32);
    this.sizeBytes = new Float64Array(rows);
    this.flags = new Uint16Array(rows);
    this.sourceKey = new TextStore(rows);
    this.categoryCode = new TextStore(rows);
    this.series = new TextStore(rows);
    this.tags = new TextStore(rows);
    this.text = new Uint8Array(rows * 16);
  }
}

/**
 * Collects one record after the other into a batch: `begin`, any setters, `commit` or `reject`.
 * Holds the bounds of KnownRecord: what commit lets through satisfies it.
 */
export class BatchBuilder {
  #columns = new Columns(ROWS_OF_FIRST_BATCH);
  #row = 0;
  #textEnd = 0;
  #bitsEnd = 0;
  /** Where the record being read began, so that a rejected one leaves nothing. */
  #textMark = 0;
  #bitsMark = 0;
  #present = 0;
  #problems = 0;
  #flags = 0;
  /** Notes of the record being read: counted when it is taken, forgotten when it is read again or rejected. */
  readonly #recordNotes: ReadNote[] = [];
  readonly #photoDna = new PhotoDnaCollector();
  /** For readers that know two members which name the record: true once the better one was read. */
  keyGiven = false;

  get full(): boolean {
    return this.#row === this.#columns.present.length;
  }

  /** Starts a record, dropping whatever an unfinished one left. */
  begin(): void {
    const columns = this.#columns;
    const row = this.#row;
    this.#textEnd = this.#textMark;
    this.#bitsEnd = this.#bitsMark;
    this.#photoDna.begin();
    this.#present = 0;
    this.#problems = 0;
    this.#flags = 0;
    this.#recordNotes.length = 0;
    this.keyGiven = false;
    columns.sizeBytes[row] = -1;
    columns.sourceKey.starts[row] = -1;
    columns.categoryCode.starts[row] = -1;
    columns.series.starts[row] = -1;
    columns.tags.starts[row] = -1;
  }

  /** A digest as hexadecimal in `source`; empty is not given, anything not 32, 40 or 64 digits as its kind wants is malformed. */
  md5(source: Uint8Array, from: number, to: number): void {
    this.#digest(PRESENT.md5, this.#columns.md5, 16, source, from, to);
  }

  sha1(source: Uint8Array, from: number, to: number): void {
    this.#digest(PRESENT.sha1, this.#columns.sha1, 20, source, from, to);
  }

  sha256(source: Uint8Array, from: number, to: number): void {
    this.#digest(PRESENT.sha256, this.#columns.sha256, 32, source, from, to);
  }

  /** Takes a digest (`kind` is of PRESENT) if all its digits stand at `from`; false, and nothing noted, when they do not. */
  plainDigest(kind: number, source: Uint8Array, from: number): boolean {
    const { md5, sha1, sha256 } = this.#columns;
    const [column, byteCount] = kind === PRESENT.md5 ? [md5, 16] : kind === PRESENT.sha1 ? [sha1, 20] : [sha256, 32];
    const taken = decodeHex(source, from, column, this.#row * byteCount, byteCount);
    if (taken) this.#present |= kind;
    return taken;
  }

  /** A digest whose length says its kind. */
  anyDigest(source: Uint8Array, from: number, to: number): void {
    const digits = to - from;
    if (digits === 32) this.md5(source, from, to);
    else if (digits === 40) this.sha1(source, from, to);
    else this.sha256(source, from, to);
  }

  badDigest(): void {
    this.#problems |= BAD_DIGEST;
    this.note('digestIgnored');
  }

  has(digest: number): boolean {
    return (this.#present & digest) !== 0;
  }

  /** `algorithm` is an index into BITS_ALGORITHMS; `quality` is -1 when not given. */
  bits(algorithm: number, source: Uint8Array, from: number, to: number, quality: number): void {
    const entry = this.#bitsEnd;
    if (to === from) return;
    if (entry - this.#bitsMark >= MAX_BITS_PER_RECORD || to - from !== 64) {
      this.badBits();
      return;
    }
    if (entry === this.#columns.bitsRow.length) this.#growBits();
    if (!decodeHex(source, from, this.#columns.bitsValue, entry * 32, 32)) {
      this.badBits();
      return;
    }
    this.#columns.bitsRow[entry] = this.#row;
    this.#columns.bitsAlgorithm[entry] = algorithm;
    this.#columns.bitsQuality[entry] = quality >= 0 && quality <= 100 ? quality : -1;
    this.#bitsEnd = entry + 1;
  }

  badBits(): void {
    this.#problems |= BAD_BITS;
    this.note('bitsIgnored');
  }

  /** PhotoDNA values as hexadecimal or base64: a text of one or several, or a list of texts. */
  photoDna(value: unknown): void {
    for (const bytes of photoDnaValues(value)) {
      if (bytes === null || !this.#photoDna.add(this.#row, bytes)) this.note('photoDnaIgnored');
    }
  }

  /** `sizeBytes` as decimal digits; empty is not given. */
  size(source: Uint8Array, from: number, to: number): void {
    this.#columns.sizeBytes[this.#row] = -1;
    if (to === from) return;
    let value = 0;
    for (let position = from; position < to; position++) {
      const digit = (source[position] ?? 0) - 48;
      if (digit < 0 || digit > 9) value = Number.NaN;
      else value = value * 10 + digit;
    }
    if (value <= Number.MAX_SAFE_INTEGER) this.#columns.sizeBytes[this.#row] = value;
    else this.note('sizeIgnored');
  }

  /** `index` counts FLAG_NAMES; null takes the flag as not given. */
  flag(index: number, value: boolean | null): void {
    this.#flags &= ~(3 << (2 * index));
    if (value !== null) this.#flags |= (value ? 3 : 1) << (2 * index);
  }

  /** Text as UTF-8 in `source`. Empty text is text: a format in which it means `not given` does not call this. */
  text(field: TextField, source: Uint8Array, from: number, to: number): void {
    const columns = this.#columns;
    if (this.#textEnd + (to - from) > columns.text.length) this.#growText(to - from);
    const arena = columns.text;
    const start = this.#textEnd;
    let end = start;
    let seen = 0;
    let codePoints = 0;
    let nulls = 0;
    for (let position = from; position < to; position++) {
      const byte = source[position] ?? 0;
      seen |= byte;
      if (byte === 0) nulls++;
      if ((byte & 0xc0) !== 0x80) codePoints++;
      arena[end++] = byte;
    }
    if (nulls > 0 || ((seen & 0x80) !== 0 && !isUtf8(arena.subarray(start, end)))) {
      this.note('textReplaced');
      const repaired = Buffer.from(arena.subarray(start, end)).toString('utf8').replaceAll('\0', '\ufffd');
      const bytes = Buffer.from(repaired, 'utf8');
      this.text(field, bytes, 0, bytes.length);
      return;
    }
    const limit = TEXT_LIMITS[field];
    if (codePoints > limit) {
      // A cut key or code would be another key or code; a cut name or list of tags still helps whoever reads it.
      if (field === 'sourceKey' || field === 'categoryCode') {
        this.badField();
        return;
      }
      this.note('textShortened');
      end = endOfCodePoint(arena, start, limit);
    }
    const column = columns[field];
    column.starts[this.#row] = start;
    column.ends[this.#row] = end;
    this.#textEnd = end;
  }

  textString(field: TextField, value: string): void {
    const bytes = Buffer.from(value, 'utf8');
    this.text(field, bytes, 0, bytes.length);
  }

  noText(field: TextField): void {
    this.#columns[field].starts[this.#row] = -1;
  }

  badField(): void {
    this.#problems |= BAD_FIELD;
  }

  /** Notes something about the record being read. */
  note(note: ReadNote): void {
    this.#recordNotes.push(note);
  }

  /** Notes something about the set as a whole. */
  noteOfSet(note: ReadNote): void {
    this.#columns.notes[note]++;
  }

  /** Counts something that is no usable record; `begin` need not have been called. */
  reject(reason: RejectedFor): void {
    this.#columns.rejected[reason]++;
  }

  /**
   * Takes the record if it is usable, otherwise counts why not; true when it was taken. A record that only names others may do so by its
   * key alone.
   */
  commit(keyIsEnough = false): boolean {
    const reason = this.#rejection(keyIsEnough);
    if (reason !== undefined) {
      this.reject(reason);
      return false;
    }
    const columns = this.#columns;
    for (const note of this.#recordNotes) columns.notes[note]++;
    columns.incomplete[this.#row] = this.#recordNotes.some((note) => HASH_LEFT_OUT.has(note)) ? 1 : 0;
    columns.present[this.#row] = this.#present;
    columns.flags[this.#row] = this.#flags;
    this.#textMark = this.#textEnd;
    this.#bitsMark = this.#bitsEnd;
    this.#photoDna.commit();
    this.#row++;
    return true;
  }

  /** The batch so far; the builder goes on with fresh memory for `nextRows` more. */
  take(bytesRead: number, nextRows = ROWS_PER_BATCH): RecordBatch {
    const { text, bitsRow, bitsAlgorithm, bitsQuality, bitsValue, ...columns } = this.#columns;
    const batch = {
      ...columns,
      text,
      bitsRow,
      bitsAlgorithm,
      bitsQuality,
      bitsValue,
      rowCount: this.#row,
      bitsCount: this.#bitsMark,
      ...this.#photoDna.take(),
      bytesRead,
    };
    this.#columns = new Columns(nextRows);
    this.#row = 0;
    this.#textEnd = 0;
    this.#textMark = 0;
    this.#bitsEnd = 0;
    this.#bitsMark = 0;
    return batch;
  }

  #rejection(keyIsEnough: boolean): RejectedFor | undefined {
    if (this.#present !== 0 && this.#isEmptyFile()) return 'emptyFile';
    if ((this.#problems & BAD_FIELD) !== 0) return 'badField';
    if (this.#present !== 0 || this.#bitsEnd > this.#bitsMark || this.#photoDna.given) return undefined;
    if (keyIsEnough && this.#problems === 0 && (this.#columns.sourceKey.starts[this.#row] ?? -1) >= 0) return undefined;
    if ((this.#problems & BAD_DIGEST) !== 0) return 'badDigest';
    return (this.#problems & BAD_BITS) !== 0 ? 'badPdq' : 'noHash';
  }

  #digest(bit: number, column: Uint8Array, byteCount: number, source: Uint8Array, from: number, to: number): void {
    this.#present &= ~bit;
    if (to === from) return;
    if (to - from === byteCount * 2 && decodeHex(source, from, column, this.#row * byteCount, byteCount))
      this.#present |= bit;
    else this.badDigest();
  }

  #isEmptyFile(): boolean {
    const { md5, sha1, sha256 } = this.#columns;
    return (
      (this.has(PRESENT.md5) && isAt(md5, this.#row * 16, EMPTY_FILE.md5)) ||
      (this.has(PRESENT.sha1) && isAt(sha1, this.#row * 20, EMPTY_FILE.sha1)) ||
      (this.has(PRESENT.sha256) && isAt(sha256, this.#row * 32, EMPTY_FILE.sha256))
    );
  }

  #growText(needed: number): void {
    const grown = new Uint8Array(Math.max(this.#columns.text.length * 2, this.#textEnd + needed));
    grown.set(this.#columns.text);
    this.#columns.text = grown;
  }

  #growBits(): void {
    const columns = this.#columns;
    const capacity = Math.max(ROWS_PER_BATCH, columns.bitsRow.length * 2);
    const grow = <T extends Int32Array | Uint8Array | Int8Array>(grown: T, column: T): T => {
      grown.set(column);
      return grown;
    };
    columns.bitsRow = grow(new Int32Array(capacity), columns.bitsRow);
    columns.bitsAlgorithm = grow(new Uint8Array(capacity), columns.bitsAlgorithm);
    columns.bitsQuality = grow(new Int8Array(capacity), columns.bitsQuality);
    columns.bitsValue = grow(new Uint8Array(capacity * 32), columns.bitsValue);
  }
}

function isAt(column: Uint8Array, at: number, wanted: Uint8Array): boolean {
  for (let index = 0; index < wanted.length; index++) if (column[at + index] !== wanted[index]) return false;
  return true;
}

/** Where the first `count` code points of the UTF-8 text at `start` end. */
function endOfCodePoint(text: Uint8Array, start: number, count: number): number {
  let position = start;
  let codePoints = 0;
  for (;;) {
    const byte = text[position];
    if (byte === undefined) return position;
    if ((byte & 0xc0) !== 0x80 && codePoints++ === count) return position;
    position++;
  }
}
