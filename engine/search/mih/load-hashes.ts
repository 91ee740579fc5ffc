import { BITS_ALGORITHMS, MOST_HASHES_OF_SEGMENT } from '../../../schemas/constants.ts';
import { COPY_HEADER } from '../../store/binary-copy.ts';
import type { Transaction } from '../../store/db.ts';
import { SegmentFiller } from './segment.ts';

/** Each has segments of its own; a query goes to those that it compares with. */
export type StoredAlgorithm = (typeof BITS_ALGORITHMS)[number];

export interface LoadedHashes {
  readonly algorithm: StoredAlgorithm;
  readonly filler: SegmentFiller;
}

// Number of fields, then each with its length before it: record (8 bytes), algorithm (2), bits (4 bytes of length, 32 of bits), quality (2 or null).
const ROW_BYTES_AT_LEAST = 2 + (4 + 8) + (4 + 2) + (4 + 36) + 4;
const ROW_BYTES_AT_MOST = ROW_BYTES_AT_LEAST + 2;
const TWO_POW_32 = 2 ** 32;

/**
 * Hashes by algorithm, in memory shared between threads. Read as the rows come, without an object a row: ten million take seconds, not a
 * minute.
 *
 * @param from a table, view or select with the columns of known_bits; written by us, never taken from outside: COPY takes no parameters
 */
export async function loadHashes(tx: Transaction, from = 'searched_bits'): Promise<LoadedHashes[]> {
  const places = BITS_ALGORITHMS.map((name, at) => `when '${name}' then ${at}`).join(' ');
  const select = `select record_id, (case algorithm ${places} end)::int2, bits, quality from ${from} b`;
  const loaded = BITS_ALGORITHMS.map((): SegmentFiller[] => []);
  const rows = new RowReader((algorithm, recordId, buffer, bitsAt, quality) => {
    const fillers = loaded[algorithm];
    if (fillers === undefined) throw new RangeError(`expected a known algorithm, received number ${algorithm}`);
    let filler = fillers.at(-1);
    if (filler === undefined || filler.count === MOST_HASHES_OF_SEGMENT) {
      filler = new SegmentFiller();
      fillers.push(filler);
    }
    filler.add(recordId, buffer, bitsAt, quality);
  });
  for await (const chunk of tx.copyOut(select)) rows.take(chunk);
  rows.end();
  return BITS_ALGORITHMS.flatMap((algorithm, at) => (loaded[at] ?? []).map((filler) => ({ algorithm, filler })));
}

type TakeRow = (algorithm: number, recordId: number, buffer: Buffer, bitsAt: number, quality: number | null) => void;

/** Reads rows of one fixed shape out of a binary COPY that is cut anywhere. */
class RowReader {
  readonly #row: TakeRow;
  #held: Buffer = Buffer.alloc(0);
  #headerSeen = false;
  #ended = false;

  constructor(row: TakeRow) {
    this.#row = row;
  }

  take(chunk: Uint8Array): void {
    let buffer = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    // Only what is left of a row cut in two is put before the next chunk.
    if (this.#held.length > 0) buffer = Buffer.concat([this.#held, buffer]);
    let at = 0;
    if (!this.#headerSeen) {
      if (buffer.length < COPY_HEADER.length) {
        this.#held = Buffer.from(buffer);
        return;
      }
      at = COPY_HEADER.length + buffer.readInt32BE(15);
      this.#headerSeen = true;
    }
    const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
    while (!this.#ended && buffer.length - at >= ROW_BYTES_AT_MOST) at = this.#read(buffer, view, at);
    this.#held = Buffer.from(buffer.subarray(at));
  }

  /** @throws RangeError when the last row is cut off */
  end(): void {
    const buffer = this.#held;
    const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
    for (let at = 0; !this.#ended; ) {
      if (buffer.length - at < 2) throw new RangeError('binary COPY ended without its trailer');
      at = this.#read(buffer, view, at);
    }
  }

  /** @returns where the next row begins */
  #read(buffer: Buffer, view: DataView, at: number): number {
    const fields = view.getInt16(at);
    if (fields === -1) {
      this.#ended = true;
      return at + 2;
    }
    const qualityBytes = fields === 4 ? view.getInt32(at + 60) : 0;
    if (fields !== 4 || view.getInt32(at + 2) !== 8 || view.getInt32(at + 14) !== 2 || view.getInt32(at + 20) !== 36)
      throw new RangeError('expected rows of record, algorithm, bits and quality in a binary COPY');
    const recordId = view.getInt32(at + 6) * TWO_POW_32 + view.getUint32(at + 10);
    const quality = qualityBytes < 0 ? null : view.getInt16(at + 64);
    this.#row(view.getInt16(at + 18), recordId, buffer, at + 28, quality);
    return at + ROW_BYTES_AT_LEAST + Math.max(0, qualityBytes);
  }
}
