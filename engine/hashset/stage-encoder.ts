import { BITS_ALGORITHMS } from '../../schemas/constants.ts';
import { CopyEncoder } from '../store/binary-copy.ts';
import { VECTOR_HEADER_BYTES } from '../store/queries/vector-values.ts';
import { PHOTO_DNA_BYTES } from './formats/photo-dna.ts';
import { PRESENT, type RecordBatch, type TextColumn } from './formats/record-batch.ts';

/** Large enough that the database is asked seldom, small enough to stay in the processor's cache. */
const CHUNK_BYTES = 256 * 1024;
const ALGORITHM_BYTES = BITS_ALGORITHMS.map((name) => Buffer.from(name));
const NO_ALGORITHM = Buffer.alloc(0);

/** Encodes rows `fromRow` and after of batches as binary COPY rows of the staging tables, without an object per record. */
export class StageEncoder {
  readonly #records = new CopyEncoder(CHUNK_BYTES);
  readonly #bits = new CopyEncoder(CHUNK_BYTES);
  readonly #photoDna = new CopyEncoder(CHUNK_BYTES);
  readonly #vector = Buffer.alloc(VECTOR_HEADER_BYTES + PHOTO_DNA_BYTES * 4);

  /** Chunks of the records; each is valid until the next but one. `firstRowNumber` is the number of the batch's row 0. */
  *records(batch: RecordBatch, firstRowNumber: number, fromRow: number): Generator<Uint8Array> {
    const encoder = this.#records;
    for (let at = fromRow; at < batch.rowCount; at += 1) {
      const present = batch.present[at] ?? 0;
      encoder.beginRow(10);
      encoder.int8(firstRowNumber + at);
      text(encoder, batch, batch.sourceKey, at);
      digest(encoder, batch.md5, 16, at, (present & PRESENT.md5) !== 0);
      digest(encoder, batch.sha1, 20, at, (present & PRESENT.sha1) !== 0);
      digest(encoder, batch.sha256, 32, at, (present & PRESENT.sha256) !== 0);
      const sizeBytes = batch.sizeBytes[at] ?? -1;
      if (sizeBytes < 0) encoder.null();
      else encoder.int8(sizeBytes);
      text(encoder, batch, batch.categoryCode, at);
      text(encoder, batch, batch.series, at);
      text(encoder, batch, batch.tags, at);
      encoder.int2(batch.flags[at] ?? 0);
      if (encoder.sizeBytes >= CHUNK_BYTES) yield encoder.take();
    }
    if (encoder.sizeBytes > 0) yield encoder.take();
  }

  /** The batch's perceptual hashes as one copy of their own, to be sent when the records are. Null when there are none. */
  bits(batch: RecordBatch, firstRowNumber: number, fromRow: number): Uint8Array | null {
    const encoder = this.#bits;
    for (let entry = 0; entry < batch.bitsCount; entry += 1) {
      const at = batch.bitsRow[entry] ?? 0;
      if (at < fromRow) continue;
      encoder.beginRow(4);
      encoder.int8(firstRowNumber + at);
      encoder.bytes(ALGORITHM_BYTES[batch.bitsAlgorithm[entry] ?? 0] ?? NO_ALGORITHM);
      encoder.bits256(batch.bitsValue, entry * 32);
      const quality = batch.bitsQuality[entry] ?? -1;
      if (quality < 0) encoder.null();
      else encoder.int2(quality);
    }
    return encoder.sizeBytes === 0 ? null : Uint8Array.from(encoder.take());
  }

  /** The batch's PhotoDNA values as one copy of their own. Null when there are none. */
  photoDna(batch: RecordBatch, firstRowNumber: number, fromRow: number): Uint8Array | null {
    const encoder = this.#photoDna;
    const vector = this.#vector;
    vector.writeInt16BE(PHOTO_DNA_BYTES, 0);
    let orientation = 0;
    for (let entry = 0; entry < batch.photoDnaCount; entry += 1) {
      const at = batch.photoDnaRow[entry] ?? 0;
      orientation = entry > 0 && batch.photoDnaRow[entry - 1] === at ? orientation + 1 : 0;
      if (at < fromRow) continue;
      for (let index = 0; index < PHOTO_DNA_BYTES; index += 1)
        vector.writeFloatBE(batch.photoDnaValue[entry * PHOTO_DNA_BYTES + index] ?? 0, VECTOR_HEADER_BYTES + index * 4);
      encoder.beginRow(3);
      encoder.int8(firstRowNumber + at);
      encoder.int2(orientation);
      encoder.bytes(vector);
    }
    return encoder.sizeBytes === 0 ? null : Uint8Array.from(encoder.take());
  }
}

function digest(encoder: CopyEncoder, column: Uint8Array, byteCount: number, at: number, present: boolean): void {
  if (present) encoder.bytes(column, at * byteCount, (at + 1) * byteCount);
  else encoder.null();
}

function text(encoder: CopyEncoder, batch: RecordBatch, column: TextColumn, at: number): void {
  const start = column.starts[at] ?? -1;
  if (start < 0) encoder.null();
  else encoder.bytes(batch.text, start, column.ends[at] ?? start);
}
