/** How far a stored vector's length may be from 1: float32 rounding of 16,000 values stays below a thousandth of this. */
const LENGTH_TOLERANCE = 1e-3;

/**
 * What is wrong with a vector that was to be stored or searched with; null for none. All spaces hold unit vectors, those with a
 * euclidean metric too: between unit vectors its square is twice the cosine distance, and ranks alike.
 */
export function vectorProblem(vector: Float32Array, dimensions: number): string | null {
  if (vector.length !== dimensions) return `expected ${dimensions} values, received ${vector.length}`;
  let squares = 0;
  for (const value of vector) squares += value * value;
  if (!Number.isFinite(squares)) return 'expected finite values, received NaN or Infinity';
  const length = Math.sqrt(squares);
  if (Math.abs(length - 1) > LENGTH_TOLERANCE)
    return `expected a vector of length 1, received ${length.toPrecision(6)}`;
  return null;
}

/** Little-endian 32-bit floats in base64, as in schemas/embedding.ts; bytes past the last whole value are counted as one that is missing. */
export function vectorFromBase64(base64: string): Float32Array {
  const decoded = Buffer.from(base64, 'base64');
  // A copy: a Buffer of this size may begin at any byte of a larger memory, an array of floats may not.
  const bytes = new Uint8Array(Math.ceil(decoded.length / 4) * 4);
  bytes.set(decoded);
  const vector = new Float32Array(bytes.buffer);
  if (decoded.length % 4 !== 0) vector[vector.length - 1] = Number.NaN;
  return vector;
}

/** Bytes of pgvector's binary form before the values: dimensions and a reserved number, 16 bits each (vector_send in its vector.c). */
export const VECTOR_HEADER_BYTES = 4;

/** pgvector's binary form, its values big-endian. */
export function vectorToBinary(vector: Float32Array): Buffer {
  const binary = Buffer.alloc(VECTOR_HEADER_BYTES + vector.length * 4);
  binary.writeInt16BE(vector.length, 0);
  binary.set(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength), VECTOR_HEADER_BYTES);
  binary.subarray(VECTOR_HEADER_BYTES).swap32();
  return binary;
}

export function vectorFromBinary(binary: Uint8Array): Float32Array {
  const bytes = Uint8Array.from(binary.subarray(VECTOR_HEADER_BYTES));
  Buffer.from(bytes.buffer).swap32();
  return new Float32Array(bytes.buffer);
}

/** pgvector's text form, for parameters; every float32 comes back as it was. */
export const vectorLiteral = (vector: Float32Array): string => `[${vector.join(',')}]`;
