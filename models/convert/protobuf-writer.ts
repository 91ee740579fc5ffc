const VARINT = 0;
const LENGTH_DELIMITED = 2;
const FIXED_32 = 5;

/**
 * Writes one message of Protocol Buffers, in the order of the calls, so that the same calls give the same bytes.
 * Wire format: https://protobuf.dev/programming-guides/encoding/
 */
export class ProtobufWriter {
  readonly #chunks: Uint8Array[] = [];
  #sizeBytes = 0;

  /** An int32, int64, bool or enum that is not negative and at most 2^53 - 1. */
  integer(field: number, value: number): this {
    this.#key(field, VARINT);
    return this.#varint(value);
  }

  float(field: number, value: number): this {
    this.#key(field, FIXED_32);
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    return this.#append(bytes);
  }

  text(field: number, value: string): this {
    return this.bytes(field, Buffer.from(value, 'utf8'));
  }

  bytes(field: number, value: Uint8Array): this {
    this.#key(field, LENGTH_DELIMITED);
    this.#varint(value.length);
    return this.#append(value);
  }

  message(field: number, value: ProtobufWriter): this {
    this.#key(field, LENGTH_DELIMITED);
    this.#varint(value.#sizeBytes);
    for (const chunk of value.#chunks) this.#append(chunk);
    return this;
  }

  finish(): Uint8Array {
    const whole = new Uint8Array(this.#sizeBytes);
    let offset = 0;
    for (const chunk of this.#chunks) {
      whole.set(chunk, offset);
      offset += chunk.length;
    }
    return whole;
  }

  #key(field: number, wireType: number): void {
    this.#varint(field * 8 + wireType);
  }

  #varint(value: number): this {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new RangeError(`expected a whole number from 0 to 2^53 - 1 for a varint, received ${value}`);
    }
    const bytes: number[] = [];
    let rest = value;
    while (rest >= 0x80) {
      bytes.push((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    bytes.push(rest);
    return this.#append(Uint8Array.from(bytes));
  }

  #append(bytes: Uint8Array): this {
    this.#chunks.push(bytes);
    this.#sizeBytes += bytes.length;
    return this;
  }
}
