import type { GraphBuilder, Wire } from './graph-builder.ts';
import { type ConvolutionWeights, followedByAffine, kernelShape } from './kernel.ts';
import type { Weights } from './weights.ts';

/** Side of the input in pixels. */
const INPUT_SIDE = 150;
/** Residual layers in the order of execution; a name with `down` halves the map. */
const LAYERS = [
  ...['conv32_1', 'conv32_2', 'conv32_3'],
  ...['conv64_down', 'conv64_1', 'conv64_2', 'conv64_3'],
  ...['conv128_down', 'conv128_1', 'conv128_2'],
  ...['conv256_down', 'conv256_1', 'conv256_2', 'conv256_down_out'],
];

/**
 * The face recognition net of dlib (dlib_face_recognition_resnet_model_v1, Davis King 2017), as published for face-api.js:
 * a residual net of 29 convolutions whose last map is averaged and projected. Gives [batch, 128].
 */
export function dlibResnet(builder: GraphBuilder, weights: Weights): Wire {
  const first = builder.convolution(builder.input, scaled(weights, 'conv32_down'), 2, 'valid');
  let map: Map = {
    wire: builder.pool(builder.relu(first), 'Max', 3, 2, 'valid'),
    side: placesOut(placesOut(INPUT_SIDE, 7), 3),
    channels: 32,
  };
  for (const name of LAYERS) map = residual(builder, weights, map, name, name.includes('down'));
  return builder.matrix(builder.meanOfPlaces(map.wire), weights.get('fc'), undefined);
}

interface Map {
  readonly wire: Wire;
  /** Rows, and columns as well. */
  readonly side: number;
  readonly channels: number;
}

/**
 * Two convolutions, and what came in added to what comes out. A layer that halves averages what came in, two by two,
 * and brings both to one shape with zeros behind: channels of what came in, a row and a column of what the convolutions gave.
 */
function residual(builder: GraphBuilder, weights: Weights, map: Map, name: string, halves: boolean): Map {
  const [one, two] = [scaled(weights, `${name}/conv1`), scaled(weights, `${name}/conv2`)];
  const [stride, padding] = halves ? ([2, 'valid'] as const) : ([1, 'same'] as const);
  const between = builder.relu(builder.convolution(map.wire, one, stride, padding));
  const out = builder.convolution(between, two, 1, 'same');
  const channels = kernelShape(two).channelsOut;
  if (!halves) return { wire: builder.relu(builder.binary('Add', out, map.wire)), side: map.side, channels };

  const side = placesOut(map.side, 2);
  const lacking = side - placesOut(map.side, 3);
  const pooled = builder.pool(map.wire, 'Average', 2, 2, 'valid');
  const sum = builder.binary(
    'Add',
    padded(builder, out, [0, 0, lacking, lacking]),
    padded(builder, pooled, [0, channels - map.channels, 0, 0]),
  );
  return { wire: builder.relu(sum), side, channels };
}

function padded(builder: GraphBuilder, wire: Wire, counts: readonly number[]): Wire {
  return counts.every((count) => count === 0) ? wire : builder.paddedAtEnd(wire, counts);
}

/** Places of a window of this size that moves by two and never leaves the map. */
function placesOut(side: number, windowSize: number): number {
  return Math.floor((side - windowSize) / 2) + 1;
}

/** A convolution and the scale by channel that dlib puts after it. */
function scaled(weights: Weights, name: string): ConvolutionWeights {
  const kernel = weights.get(`${name}/conv/filters`);
  const convolution = { kernel, depthwise: false, bias: weights.values(`${name}/conv/bias`) };
  return followedByAffine(convolution, weights.values(`${name}/scale/weights`), weights.values(`${name}/scale/biases`));
}
