/**
 * Rows in PostgreSQL's binary COPY format (documentation of COPY, "Binary Format"): big-endian, each row a 16-bit field
 * count and fields of a 32-bit length and the type's send/receive form; a length of -1 is null.
 */
export const COPY_HEADER = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), Buffer.alloc(8)]);
export const COPY_TRAILER = Buffer.from([0xff, 0xff]);

/** PostgreSQL counts microseconds from 2000-01-01. */
const EPOCH_MS = Date.UTC(2000, 0, 1);
const TWO_POW_32 = 2 ** 32;

/**
 * Encodes rows into two large buffers in turn, without an object per row: `beginRow`, one call per column in the order of
 * the COPY, and `take` when `sizeBytes` is past what a chunk should hold. A number beyond its column's type would be wrapped, not
 * refused: bound it before.
 */
export class CopyEncoder {
  #buffer: Buffer;
  /** Of the same memory: its setters are single instructions, where those of a Buffer check and go byte by byte. */
  #view: DataView;
  #spare: Buffer;
  #end = 0;
  #rowCount = 0;

  constructor(chunkBytes = 1 << 20) {
    // Room for a last row beyond the size at which the owner takes the chunk.
    this.#buffer = Buffer.allocUnsafeSlow(chunkBytes + 65_536);
    this.#spare = Buffer.allocUnsafeSlow(chunkBytes + 65_536);
    this.#view = viewOf(this.#buffer);
  }

  get sizeBytes(): number {
    return this.#end;
  }

  get rowCount(): number {
    return this.#rowCount;
  }

  /** The rows encoded so far, valid until `take` is called the second time from now. */
  take(): Uint8Array {
    const taken = this.#buffer.subarray(0, this.#end);
    [this.#buffer, this.#spare] = [this.#spare, this.#buffer];
    this.#view = viewOf(this.#buffer);
    this.#end = 0;
    return taken;
  }

  beginRow(fieldCount: number): void {
    this.#reserve(2);
    this.#view.setInt16(this.#end, fieldCount);
    this.#end += 2;
    this.#rowCount += 1;
  }

  null(): void {
    this.#reserve(4);
    this.#view.setInt32(this.#end, -1);
    this.#end += 4;
  }

  int2(value: number): void {
    this.#field(2);
    this.#view.setInt16(this.#end, value);
    this.#end += 2;
  }

  int4(value: number): void {
    this.#field(4);
    this.#view.setInt32(this.#end, value);
    this.#end += 4;
  }

  /** A safe integer. */
  int8(value: number): void {
    this.#field(8);
    this.#int64(value);
  }

  float8(value: number): void {
    this.#field(8);
    this.#view.setFloat64(this.#end, value);
    this.#end += 8;
  }

  bool(value: boolean): void {
    this.#field(1);
    this.#buffer[this.#end++] = value ? 1 : 0;
  }

  /** `timeMs` as Date.getTime() gives it. */
  timestamptz(timeMs: number): void {
    this.#field(8);
    // In microseconds a time past the year 2285 is no longer a safe integer.
    this.#view.setBigInt64(this.#end, BigInt(timeMs - EPOCH_MS) * 1000n);
    this.#end += 8;
  }

  text(value: string): void {
    // Three bytes a UTF-16 unit at most.
    this.#reserve(4 + value.length * 3);
    const length = this.#buffer.write(value, this.#end + 4, 'utf8');
    this.#view.setInt32(this.#end, length);
    this.#end += 4 + length;
  }

  /** bytea, or text that is UTF-8 already: the bytes of `source` from `from` to `to`. */
  bytes(source: Uint8Array, from = 0, to: number = source.length): void {
    this.#field(to - from);
    if (to - from <= 64) {
      // Below some 64 bytes a loop is quicker than the call of set with its subarray.
      const buffer = this.#buffer;
      let end = this.#end;
      for (let at = from; at < to; at += 1) buffer[end++] = source[at] ?? 0;
      this.#end = end;
      return;
    }
    this.#buffer.set(source.subarray(from, to), this.#end);
    this.#end += to - from;
  }

  /** bit(256): 32 bytes of `source` from `from`, first bit first. */
  bits256(source: Uint8Array, from = 0): void {
    this.#reserve(40);
    const buffer = this.#buffer;
    this.#view.setInt32(this.#end, 36);
    this.#view.setInt32(this.#end + 4, 256);
    let end = this.#end + 8;
    for (let at = 0; at < 32; at += 1) buffer[end++] = source[from + at] ?? 0;
    this.#end = end;
  }

  uuid(value: string): void {
    this.bytes(Buffer.from(value.replaceAll('-', ''), 'hex'));
  }

  #int64(value: number): void {
    const high = Math.floor(value / TWO_POW_32);
    this.#view.setInt32(this.#end, high);
    this.#view.setUint32(this.#end + 4, value - high * TWO_POW_32);
    this.#end += 8;
  }

  #field(length: number): void {
    this.#reserve(4 + length);
    this.#view.setInt32(this.#end, length);
    this.#end += 4;
  }

  #reserve(byteCount: number): void {
    if (this.#end + byteCount <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#buffer.length * 2, this.#end + byteCount));
    this.#buffer.copy(larger, 0, 0, this.#end);
    this.#buffer = larger;
    this.#view = viewOf(larger);
  }
}

const viewOf = (buffer: Buffer): DataView => new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);

/**
 * The fields of each row of a binary COPY, null or a view into the chunk that is valid until the next row is asked for.
 * @throws RangeError when the stream is not in the format or ends within a row
 */
export async function* decodeCopy(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<(Buffer | null)[]> {
  let held: Buffer = Buffer.alloc(0);
  let at = 0;
  let headerSeen = false;
  let ended = false;
  for await (const chunk of chunks) {
    const next = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    held = at >= held.length ? next : Buffer.concat([held.subarray(at), next]);
    at = 0;
    if (!headerSeen) {
      if (held.length < COPY_HEADER.length) continue;
      if (!held.subarray(0, 11).equals(COPY_HEADER.subarray(0, 11))) throw new RangeError('no binary COPY signature');
      at = COPY_HEADER.length + held.readInt32BE(15);
      headerSeen = true;
    }
    while (!ended) {
      const row = readRow(held, at);
      if (row === undefined) break;
      at = row.end;
      if (row.fields === null) ended = true;
      else yield row.fields;
    }
  }
  if (!ended) throw new RangeError('binary COPY ended without its trailer');
}

/** Undefined when the row is not all there yet; `fields` is null at the trailer. */
function readRow(held: Buffer, start: number): { fields: (Buffer | null)[] | null; end: number } | undefined {
  if (start + 2 > held.length) return undefined;
  const fieldCount = held.readInt16BE(start);
  let at = start + 2;
  if (fieldCount < 0) return { fields: null, end: at };
  const fields: (Buffer | null)[] = [];
  for (let field = 0; field < fieldCount; field += 1) {
    if (at + 4 > held.length) return undefined;
    const length = held.readInt32BE(at);
    at += 4;
    if (length < 0) {
      fields.push(null);
      continue;
    }
    if (at + length > held.length) return undefined;
    fields.push(held.subarray(at, at + length));
    at += length;
  }
  return { fields, end: at };
}
