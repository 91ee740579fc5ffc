/** Values of a tensor in row-major order. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

export interface ConvolutionWeights {
  /** Height, width, channels in, channels out; of a depthwise convolution height, width, channels, 1. As TensorFlow lays them. */
  readonly kernel: Tensor;
  readonly depthwise: boolean;
  /** One for each channel out. */
  readonly bias: Float32Array;
}

export interface KernelShape {
  readonly height: number;
  readonly width: number;
  readonly channelsIn: number;
  readonly channelsOut: number;
}

export function kernelShape(weights: Pick<ConvolutionWeights, 'kernel' | 'depthwise'>): KernelShape {
  const [height, width, channelsIn, last] = weights.kernel.shape;
  if (height === undefined || width === undefined || channelsIn === undefined || last === undefined) {
    throw new RangeError(`expected four dimensions for a kernel, received ${weights.kernel.shape.join(' x ')}`);
  }
  if (weights.depthwise && last !== 1) {
    throw new RangeError(`expected one output for each channel of a depthwise kernel, received ${last}`);
  }
  return { height, width, channelsIn, channelsOut: weights.depthwise ? channelsIn : last };
}

/**
 * The convolution followed by `y x scale[channel] + shift[channel]`, as one convolution.
 * Computed in double precision and rounded once, so that folding costs no more than the last bit.
 */
export function followedByAffine(
  weights: ConvolutionWeights,
  scale: Float32Array | Float64Array | number,
  shift: Float32Array | Float64Array | number,
): ConvolutionWeights {
  const { channelsOut } = kernelShape(weights);
  const at = (list: Float32Array | Float64Array | number, channel: number) =>
    typeof list === 'number' ? list : (list[list.length === 1 ? 0 : channel] ?? Number.NaN);
  // The channel out is the fastest index of a full kernel, and of a depthwise one whose last dimension is 1.
  return {
    depthwise: weights.depthwise,
    kernel: {
      shape: weights.kernel.shape,
      values: weights.kernel.values.map((value, index) => value * at(scale, index % channelsOut)),
    },
    bias: weights.bias.map((value, channel) => value * at(scale, channel) + at(shift, channel)),
  };
}

/** Channels out, channels in (1 if depthwise), height, width: the order in which ONNX wants a kernel. */
export function toOnnxKernel(weights: ConvolutionWeights): Tensor {
  const { height, width, channelsIn, channelsOut } = kernelShape(weights);
  const inner = weights.depthwise ? 1 : channelsIn;
  const places = height * width;
  const values = new Float32Array(weights.kernel.values.length);
  for (let place = 0; place < places; place += 1) {
    for (let from = 0; from < inner; from += 1) {
      for (let to = 0; to < channelsOut; to += 1) {
        values[(to * inner + from) * places + place] =
          weights.kernel.values[(place * inner + from) * channelsOut + to] ?? Number.NaN;
      }
    }
  }
  return { shape: [channelsOut, inner, height, width], values };
}
