import { decodeHex } from './hex-bytes.ts';

/** Size of a PhotoDNA value (Microsoft): 144 numbers of one byte, which are compared by Euclidean distance. Labs supply them; none is computed here. */
export const PHOTO_DNA_BYTES = 144;
/** More values of one record than this are left out and noted; VICS has up to four. */
export const MAX_PHOTO_DNA_PER_RECORD = 8;

const HEX_DIGITS = PHOTO_DNA_BYTES * 2;
const BASE64 = /^[A-Za-z0-9+/]{192}$/;
/** Between several values in one text; neither hexadecimal nor base64 has any of them. */
const SEPARATORS = /[\s,;|]+/;

/** The 144 bytes that `text` spells in hexadecimal or base64; null when it is neither. */
export function photoDnaBytes(text: string): Uint8Array | null {
  if (text.length === HEX_DIGITS) {
    const bytes = new Uint8Array(PHOTO_DNA_BYTES);
    return decodeHex(Buffer.from(text, 'latin1'), 0, bytes, 0, PHOTO_DNA_BYTES) ? bytes : null;
  }
  return BASE64.test(text) ? Buffer.from(text, 'base64') : null;
}

/** The values that a text or a list of texts holds, null for each one that is malformed; nothing for what is empty or null. */
export function photoDnaValues(value: unknown): (Uint8Array | null)[] {
  if (value === null || value === undefined || value === '') return [];
  if (Array.isArray(value)) return value.flatMap(photoDnaValues);
  if (typeof value !== 'string') return [null];
  return value
    .split(SEPARATORS)
    .filter((text) => text !== '')
    .map(photoDnaBytes);
}

/** The PhotoDNA values of a batch, of all its rows one after the other. */
export interface PhotoDnaColumn {
  readonly photoDnaCount: number;
  /** Row of each value; it never decreases. The order within a row is that of the orientations as supplied. */
  readonly photoDnaRow: Int32Array;
  /** PHOTO_DNA_BYTES a value. */
  readonly photoDnaValue: Uint8Array;
}

/** Collects the values of one record after the other; what a rejected record left is dropped by the next `begin`. */
export class PhotoDnaCollector {
  #rows = new Int32Array(0);
  #values = new Uint8Array(0);
  #end = 0;
  #mark = 0;

  /** Whether the record being read has one. */
  get given(): boolean {
    return this.#end > this.#mark;
  }

  begin(): void {
    this.#end = this.#mark;
  }

  commit(): void {
    this.#mark = this.#end;
  }

  /** False when the record has as many as it may; a value that it has already is taken once. */
  add(row: number, value: Uint8Array): boolean {
    for (let entry = this.#mark; entry < this.#end; entry++) {
      if (Buffer.compare(this.#values.subarray(entry * PHOTO_DNA_BYTES, (entry + 1) * PHOTO_DNA_BYTES), value) === 0)
        return true;
    }
    if (this.#end - this.#mark >= MAX_PHOTO_DNA_PER_RECORD) return false;
    if (this.#end === this.#rows.length) this.#grow();
    this.#rows[this.#end] = row;
    this.#values.set(value, this.#end * PHOTO_DNA_BYTES);
    this.#end++;
    return true;
  }

  /** What was committed; the collector goes on empty. */
  take(): PhotoDnaColumn {
    const taken = { photoDnaCount: this.#mark, photoDnaRow: this.#rows, photoDnaValue: this.#values };
    this.#rows = new Int32Array(0);
    this.#values = new Uint8Array(0);
    this.#end = 0;
    this.#mark = 0;
    return taken;
  }

  #grow(): void {
    const capacity = Math.max(64, this.#rows.length * 2);
    const rows = new Int32Array(capacity);
    rows.set(this.#rows);
    const values = new Uint8Array(capacity * PHOTO_DNA_BYTES);
    values.set(this.#values);
    this.#rows = rows;
    this.#values = values;
  }
}
