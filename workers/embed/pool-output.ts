import type { PackOutput } from '../../schemas/model-pack.ts';
import { unitVector } from './pack-vector.ts';

/** Exponent of the generalised mean (F. Radenovic et al., 2018). */
const GEM_EXPONENT = 3;
/** Below this a value counts as this, as the published implementation does: a root of zero has no gradient and a negative value no root. */
const GEM_LEAST = 1e-6;

/**
 * The vector that is stored of one output: pooled and normalised as the manifest says. Undefined where it holds NaN or Infinity or has no
 * direction, or where the output is not of the manifest's shape.
 */
export function pooledVector(
  values: Float32Array,
  output: PackOutput,
  metric: 'cosine' | 'euclidean',
): Float32Array | undefined {
  const pooled = pool(values, output);
  if (pooled?.length !== output.dimensions) return undefined;
  const unit = unitVector(pooled);
  // Only a vector of length 1 may be compared by cosine, whatever the pack says of its normalisation.
  return output.normalise === 'l2' || metric === 'cosine' ? unit : unit === undefined ? undefined : pooled;
}

function pool(values: Float32Array, { pooling, mapLayout, dimensions, shape }: PackOutput): Float32Array | undefined {
  if (values.length !== shape.reduce((all, side) => all * side, 1)) return undefined;
  if (pooling === 'none') return values;
  if (pooling === 'firstToken') return values.subarray(0, dimensions);
  const places = values.length / dimensions;
  if (!Number.isInteger(places)) return undefined;
  const pooled = new Float32Array(dimensions);
  const [channelStep, placeStep] = mapLayout === 'nchw' ? [places, 1] : [1, dimensions];
  for (let channel = 0; channel < dimensions; channel++) {
    let sum = 0;
    for (let place = 0, at = channel * channelStep; place < places; place++, at += placeStep) {
      const value = values[at] ?? 0;
      sum += pooling === 'gem' ? Math.max(value, GEM_LEAST) ** GEM_EXPONENT : value;
    }
    const mean = sum / places;
    pooled[channel] = pooling === 'gem' ? Math.cbrt(mean) : mean;
  }
  return pooled;
}
