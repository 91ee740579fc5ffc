import { HomewardError } from '../../schemas/error.ts';

/**
 * Reads the wire format of Protocol Buffers without building anything: a visitor is told of each field.
 * Source: Protocol Buffers documentation, "Encoding". Groups (wire types 3 and 4) occur in no ONNX file and are refused.
 */
export interface WireField {
  readonly number: number;
  /** Value of a varint (above 2^53: Infinity); 0 for the others. */
  readonly value: number;
  /** Where the bytes of a length-delimited field begin and end; of the others, where their own begin and end. */
  readonly start: number;
  readonly end: number;
  readonly wire: 0 | 1 | 2 | 5;
}

const VARINT_BYTES = 10;

function malformed(at: number): HomewardError {
  return new HomewardError(
    'HW_MODEL_FORMAT',
    `expected an ONNX file for the net, received bytes that are no Protocol Buffers message at offset ${at}; export the net again`,
  );
}

/** Tells `visit` of every field between `start` and `end`. @throws HomewardError HW_MODEL_FORMAT where the bytes are none */
export function eachField(bytes: Uint8Array, start: number, end: number, visit: (field: WireField) => void): void {
  let at = start;
  const varint = (): number => {
    let value = 0;
    for (let index = 0; index < VARINT_BYTES; index++) {
      const byte = at < end ? bytes[at] : undefined;
      if (byte === undefined) throw malformed(at);
      at += 1;
      value += (byte & 0x7f) * 2 ** (7 * index);
      if (byte < 0x80) return value > Number.MAX_SAFE_INTEGER ? Number.POSITIVE_INFINITY : value;
    }
    throw malformed(at);
  };
  while (at < end) {
    const key = varint();
    const number = Math.floor(key / 8);
    const wire = key % 8;
    if (number < 1 || !Number.isFinite(key)) throw malformed(at);
    if (wire === 0) {
      const from = at;
      const value = varint();
      visit({ number, wire, value, start: from, end: at });
      continue;
    }
    if (wire !== 1 && wire !== 2 && wire !== 5) throw malformed(at);
    const length = wire === 2 ? varint() : wire === 1 ? 8 : 4;
    if (length > end - at) throw malformed(at);
    visit({ number, wire, value: 0, start: at, end: at + length });
    at += length;
  }
}

/** The varints of a repeated integer field, packed or not. */
export function eachVarint(bytes: Uint8Array, field: WireField, visit: (value: number) => void): void {
  if (field.wire === 0) {
    visit(field.value);
    return;
  }
  let value = 0;
  let shift = 0;
  for (let at = field.start; at < field.end; at++) {
    const byte = bytes[at] ?? 0;
    value += (byte & 0x7f) * 2 ** shift;
    shift += 7;
    if (byte < 0x80) {
      visit(value > Number.MAX_SAFE_INTEGER ? Number.POSITIVE_INFINITY : value);
      value = 0;
      shift = 0;
    } else if (shift >= 7 * VARINT_BYTES) throw malformed(at);
  }
  if (shift !== 0) throw malformed(field.end);
}
