import { HomewardError } from '../../../schemas/error.ts';

/** No record is as long as this; a reader that finds no end of one within it would otherwise keep the whole file in memory. */
export const MAX_RECORD_BYTES = 8 * 1024 * 1024;

/**
 * The part of a stream that is being parsed: bytes `start` to `end` of `bytes`, and a zero at `end`, which no format allows there,
 * so that scanning loops stop without comparing positions. A parser moves `start` past what it has taken.
 */
export class ByteWindow {
  bytes: Uint8Array = new Uint8Array(64 * 1024);
  start = 0;
  end = 0;
  /** True once no more bytes will come. */
  final = false;
  /** Offset in the stream of `bytes[0]`. */
  #offset: number;

  constructor(offset: number) {
    this.#offset = offset;
  }

  get length(): number {
    return this.end - this.start;
  }

  /** Offset in the stream of a position in `bytes`. */
  offsetOf(position: number): number {
    return this.#offset + position;
  }

  /** Keeps what has not been taken, moved to the front, and adds `chunk` to it. */
  append(chunk: Uint8Array): void {
    const kept = this.length;
    if (kept > MAX_RECORD_BYTES) {
      throw new HomewardError(
        'HW_SET_DAMAGED',
        `expected a record to end within ${MAX_RECORD_BYTES} bytes, received one without an end at byte ${this.offsetOf(this.start)}; ask the source of the set for the file again`,
      );
    }
    const needed = kept + chunk.length + 1;
    if (needed > this.bytes.length) {
      const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2));
      grown.set(this.bytes.subarray(this.start, this.end));
      this.bytes = grown;
    } else {
      this.bytes.copyWithin(0, this.start, this.end);
    }
    this.#offset += this.start;
    this.bytes.set(chunk, kept);
    this.start = 0;
    this.end = kept + chunk.length;
    this.bytes[this.end] = 0;
  }
}

/** The error for a set whose bytes end in the middle of it; `offset` counts bytes of the text as UTF-8. */
export function truncated(format: string, offset: number): HomewardError {
  return new HomewardError(
    'HW_SET_DAMAGED',
    `expected a whole ${format} file, received one that is truncated: it ends at byte ${offset} in the middle of its content; nothing was kept, ask the source of the set for the file again`,
  );
}

/** The error for a set that is not well-formed at `offset`. */
export function malformed(format: string, offset: number, found: string): HomewardError {
  return new HomewardError(
    'HW_SET_DAMAGED',
    `expected a well-formed ${format} file, received ${found} at byte ${offset}; nothing was kept, ask the source of the set for the file again`,
  );
}
