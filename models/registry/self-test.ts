import type { ModelPackManifest, PackInput, PackSelfTest } from '../../schemas/model-pack.ts';
import { hashedInput } from '../convert/hashed-input.ts';

/** Shape of the input tensor with its batch of one. */
export function inputShape({ layout, widthPixels, heightPixels }: PackInput): number[] {
  return layout === 'nchw' ? [1, 3, heightPixels, widthPixels] : [1, heightPixels, widthPixels, 3];
}

/** The input of a self-test, as schemas/model-pack.ts defines it. */
export function selfTestInput({ input, selfTest }: Pick<ModelPackManifest, 'input' | 'selfTest'>): Float32Array {
  return hashedInput(selfTest.input, 3 * input.widthPixels * input.heightPixels);
}

/** In words, how an output differs from the one of the self-test; null where it is within its tolerance. */
export function selfTestFault(selfTest: PackSelfTest, output: Float32Array): string | null {
  const { firstValues, sumOfSquares, tolerance } = selfTest;
  const strange = output.findIndex((value) => !Number.isFinite(value));
  if (strange >= 0) return `${output[strange]} as value ${strange} of ${output.length}`;
  if (output.length < firstValues.length) return `${output.length} values, fewer than the manifest knows`;
  const allowed = tolerance * Math.sqrt(sumOfSquares / output.length);
  for (const [index, wanted] of firstValues.entries()) {
    const received = output[index] ?? Number.NaN;
    if (!(Math.abs(received - wanted) <= allowed)) return `${received} in place of ${wanted} as value ${index}`;
  }
  let sum = 0;
  for (const value of output) sum += value * value;
  return Math.abs(sum - sumOfSquares) <= 2 * tolerance * sumOfSquares
    ? null
    : `${sum} in place of ${sumOfSquares} as its sum of squares`;
}
