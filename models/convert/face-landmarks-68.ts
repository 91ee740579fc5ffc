import type { GraphBuilder, Wire } from './graph-builder.ts';
import { kernelShape } from './kernel.ts';
import type { Weights } from './weights.ts';

const BLOCKS = 4;
const LAYERS_PER_BLOCK = 4;

/**
 * The 68-point landmark net of face-api.js: four blocks, each of four depthwise separable convolutions of which every one
 * adds to the sum of those before it, then one matrix. Gives [batch, 136]: x and y of each point in parts of the input.
 */
export function faceLandmarks68(builder: GraphBuilder, weights: Weights): Wire {
  let x = builder.input;
  for (let block = 0; block < BLOCKS; block += 1) {
    let sum: Wire | undefined;
    for (let layer = 0; layer < LAYERS_PER_BLOCK; layer += 1) {
      const name = `dense${block}/conv${layer}`;
      const first = layer === 0;
      const out =
        block === 0 && first
          ? fullConvolution(builder, x, weights, name)
          : separable(builder, x, weights, name, first ? 2 : 1);
      sum = sum === undefined ? builder.relu(out) : builder.binary('Add', sum, out);
      x = first ? sum : builder.relu(sum);
    }
  }
  const pooled = builder.flattened(builder.pool(x, 'Average', 7, 2, 'valid'));
  return builder.matrix(pooled, weights.get('fc/weights'), weights.values('fc/bias'));
}

/** The first layer of all: the input's three colours are mixed from the start. */
function fullConvolution(builder: GraphBuilder, x: Wire, weights: Weights, name: string): Wire {
  const kernel = weights.get(`${name}/filters`);
  return builder.convolution(x, { kernel, depthwise: false, bias: weights.values(`${name}/bias`) }, 2, 'same');
}

/** One filter for each channel, then a mix of the channels. */
function separable(builder: GraphBuilder, x: Wire, weights: Weights, name: string, stride: number): Wire {
  const filters = weights.get(`${name}/depthwise_filter`);
  const unbiased = new Float32Array(kernelShape({ kernel: filters, depthwise: true }).channelsOut);
  const filtered = builder.convolution(x, { kernel: filters, depthwise: true, bias: unbiased }, stride, 'same');
  const mix = weights.get(`${name}/pointwise_filter`);
  return builder.convolution(
    filtered,
    { kernel: mix, depthwise: false, bias: weights.values(`${name}/bias`) },
    1,
    'valid',
  );
}
