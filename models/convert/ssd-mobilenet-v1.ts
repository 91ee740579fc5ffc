import type { GraphBuilder, Wire } from './graph-builder.ts';
import { type ConvolutionWeights, followedByAffine, type Tensor } from './kernel.ts';
import { unreadable } from './source-files.ts';
import type { Weights } from './weights.ts';

/** Epsilon of batch normalisation in the TensorFlow Object Detection API's MobileNet v1. */
const BATCH_NORM_EPSILON = 0.001;
const PAIRS = 13;
const PAIRS_WITH_STRIDE_2: readonly number[] = [2, 4, 6, 12];
/** Pair whose map is the first of the six that boxes are predicted from. */
const FIRST_PREDICTED_PAIR = 11;
const EXTRA_CONVOLUTIONS = 8;
/** Logits of a box: background, face, and one that is not used. */
const CLASSES = 3;
const FACE_CLASS = 1;
/** Box coder of the Object Detection API: what is predicted is ten times the shift and five times the logarithm of the size. */
const SHIFT_SCALE = 10;
const SIZE_SCALE = 5;

/**
 * SSD on MobileNet v1 (Liu et al. 2016, Howard et al. 2017) as trained on WIDER FACE by yeephycho and published with face-api.js.
 * boxes: [batch, 5118, 4] as top, left, bottom, right in parts of the input; scores: [batch, 5118], 0 to 1.
 */
export function ssdMobilenetV1(
  builder: GraphBuilder,
  weights: Weights,
): { readonly boxes: Wire; readonly scores: Wire } {
  const pointwise = (x: Wire, name: string, stride: number) =>
    builder.bounded(builder.convolution(x, biased(weights, name), stride, 'same'), 0, 6);

  const predicted: Wire[] = [];
  let x = pointwise(builder.input, 'MobilenetV1/Conv2d_0_pointwise', 2);
  for (let pair = 1; pair <= PAIRS; pair += 1) {
    const stride = PAIRS_WITH_STRIDE_2.includes(pair) ? 2 : 1;
    const depthwise = normalised(weights, `MobilenetV1/Conv2d_${pair}_depthwise`);
    x = builder.bounded(builder.convolution(x, depthwise, stride, 'same'), 0, 6);
    x = pointwise(x, `MobilenetV1/Conv2d_${pair}_pointwise`, 1);
    if (pair === FIRST_PREDICTED_PAIR || pair === PAIRS) predicted.push(x);
  }
  for (let extra = 0; extra < EXTRA_CONVOLUTIONS; extra += 1) {
    const reduces = extra % 2 === 1;
    x = pointwise(x, `Prediction/Conv2d_${extra}_pointwise`, reduces ? 2 : 1);
    if (reduces) predicted.push(x);
  }

  const shapes = predicted.map((map, index) => {
    const predictor = plain(weights, `Prediction/BoxPredictor_${index}/BoxEncodingPredictor`);
    return builder.reshapedPlacewise(builder.convolution(map, predictor, 1, 'same'), [-1, 4]);
  });
  const logits = predicted.map((map, index) => {
    const predictor = faceLogits(plain(weights, `Prediction/BoxPredictor_${index}/ClassPredictor`));
    return builder.reshapedPlacewise(builder.convolution(map, predictor, 1, 'same'), [-1]);
  });
  return {
    boxes: decodedBoxes(builder, builder.concatenated(shapes, 1), weights.get('Output/extra_dim')),
    scores: builder.unary('Sigmoid', builder.concatenated(logits, 1)),
  };
}

/** A convolution whose batch normalisation was folded into its kernel before it was published, all but the offset. */
function biased(weights: Weights, name: string): ConvolutionWeights {
  const bias = weights.values(`${name}/convolution_bn_offset`);
  return { kernel: weights.get(`${name}/weights`), depthwise: false, bias };
}

function plain(weights: Weights, name: string): ConvolutionWeights {
  return { kernel: weights.get(`${name}/weights`), depthwise: false, bias: weights.values(`${name}/biases`) };
}

/** A depthwise convolution and the batch normalisation after it. */
function normalised(weights: Weights, name: string): ConvolutionWeights {
  const kernel = weights.get(`${name}/depthwise_weights`);
  const norm = (part: string) => Float64Array.from(weights.values(`${name}/BatchNorm/${part}`));
  const [gamma, beta, mean, variance] = [norm('gamma'), norm('beta'), norm('moving_mean'), norm('moving_variance')];
  const scale = gamma.map((value, channel) => value / Math.sqrt((variance[channel] ?? 0) + BATCH_NORM_EPSILON));
  const shift = beta.map((value, channel) => value - (mean[channel] ?? 0) * (scale[channel] ?? 0));
  return followedByAffine({ kernel, depthwise: true, bias: new Float32Array(gamma.length) }, scale, shift);
}

/** Of a predictor of all classes, the channels that give the logit of a face. */
function faceLogits({ kernel, bias }: ConvolutionWeights): ConvolutionWeights {
  const ofFace = (_: number, index: number) => index % CLASSES === FACE_CLASS;
  const [height, width, channelsIn, channelsOut] = kernel.shape;
  if (height === undefined || width === undefined || channelsIn === undefined || channelsOut === undefined) {
    throw unreadable('a kernel of four dimensions', kernel.shape.join(' x '));
  }
  return {
    depthwise: false,
    kernel: { shape: [height, width, channelsIn, channelsOut / CLASSES], values: kernel.values.filter(ofFace) },
    bias: bias.filter(ofFace),
  };
}

/** Anchors are [1, boxes, 4] as top, left, bottom, right; what is predicted moves and scales them. */
function decodedBoxes(builder: GraphBuilder, shapes: Wire, anchors: Tensor): Wire {
  const count = anchors.shape[1];
  if (count === undefined) throw unreadable('anchors of three dimensions', anchors.shape.join(' x '));
  const perSide = (name: string, of: (start: number, end: number) => number) => {
    const values = new Float32Array(count * 2);
    for (let index = 0; index < values.length; index += 1) {
      const start = Math.floor(index / 2) * 4 + (index % 2);
      values[index] = of(anchors.values[start] ?? Number.NaN, anchors.values[start + 2] ?? Number.NaN);
    }
    return builder.constant(name, { shape: [1, count, 2], values });
  };
  const middles = perSide('anchors.middle', (start, end) => start + (end - start) / 2);
  const shiftUnits = perSide('anchors.shift', (start, end) => (end - start) / SHIFT_SCALE);
  const halves = perSide('anchors.half', (start, end) => (end - start) / 2);
  const sizeUnit = builder.constant('size.unit', { shape: [], values: Float32Array.of(1 / SIZE_SCALE) });

  const shifts = builder.binary('Mul', builder.slice(shapes, 2, 0, 2), shiftUnits);
  const middle = builder.binary('Add', shifts, middles);
  const growth = builder.unary('Exp', builder.binary('Mul', builder.slice(shapes, 2, 2, 4), sizeUnit));
  const half = builder.binary('Mul', growth, halves);
  return builder.concatenated([builder.binary('Sub', middle, half), builder.binary('Add', middle, half)], 2);
}
