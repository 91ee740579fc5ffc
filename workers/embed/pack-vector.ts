import type { PackVector } from '../../schemas/embedding.ts';

const FLOAT_BYTES = 4;
/** A vector shorter than this has no direction to speak of: what a net says of a picture without content. */
const LEAST_LENGTH = 1e-12;

/** The vector at length 1, or undefined where it holds NaN or Infinity or has no direction. */
export function unitVector(values: Float32Array): Float32Array | undefined {
  let squares = 0;
  for (const value of values) squares += value * value;
  const length = Math.sqrt(squares);
  // NaN fails every comparison, so this is also the check for it.
  if (!(length >= LEAST_LENGTH && length < Number.POSITIVE_INFINITY)) return undefined;
  return values.map((value) => value / length);
}

export function packVector(pack: string, version: string, output: string, values: Float32Array): PackVector {
  const bytes = Buffer.alloc(values.length * FLOAT_BYTES);
  for (let i = 0; i < values.length; i++) bytes.writeFloatLE(values[i] ?? 0, i * FLOAT_BYTES);
  return { pack, version, output, dimensions: values.length, values: bytes.toString('base64') };
}
