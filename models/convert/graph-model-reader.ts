import type { GraphBuilder, Padding, Wire } from './graph-builder.ts';
import type { GraphModel, GraphNode } from './graph-model.ts';
import { type ConvolutionWeights, followedByAffine, kernelShape, type Tensor } from './kernel.ts';
import { unreadable } from './source-files.ts';

/**
 * What a node of the original stands for. A convolution and a pair of bounds wait before they are written, because what
 * follows often becomes a part of them: onnxruntime runs a convolution with one clip after it as one kernel.
 */
type Value =
  | { readonly kind: 'wire'; readonly wire: Wire }
  | {
      readonly kind: 'convolution';
      readonly of: string;
      readonly weights: ConvolutionWeights;
      readonly stride: number;
      readonly padding: Padding;
    }
  | { readonly kind: 'bounded'; readonly of: Value; readonly low: number; readonly high: number };

/** Writes the part of a TensorFlow.js GraphModel that leads to the wires asked for, turning NHWC into NCHW. */
export class GraphModelReader {
  readonly #model: GraphModel;
  readonly #builder: GraphBuilder;
  readonly #values = new Map<string, Value>();
  readonly #wires = new Map<Value, Wire>();

  /** `inputNode` is the node of the original that takes the input of the new net; whatever lies before it is left out. */
  constructor(model: GraphModel, builder: GraphBuilder, inputNode: string) {
    this.#model = model;
    this.#builder = builder;
    this.#values.set(inputNode, { kind: 'wire', wire: builder.input });
  }

  /** The wire that carries what the named node of the original gives; writes everything that leads to it. */
  wire(name: string): Wire {
    return this.#written(this.#value(name));
  }

  #value(name: string): Value {
    const known = this.#values.get(name);
    if (known !== undefined) return known;
    const node = this.#model.nodes.get(name);
    if (node === undefined) throw unreadable(`a node ${name}`, 'none of that name');
    const value = this.#read(node);
    this.#values.set(name, value);
    return value;
  }

  #written(value: Value): Wire {
    const known = this.#wires.get(value);
    if (known !== undefined) return known;
    const wire = this.#write(value);
    this.#wires.set(value, wire);
    return wire;
  }

  #write(value: Value): Wire {
    switch (value.kind) {
      case 'wire':
        return value.wire;
      case 'convolution':
        return this.#builder.convolution(this.wire(value.of), value.weights, value.stride, value.padding);
      case 'bounded':
        return this.#builder.bounded(this.#written(value.of), value.low, value.high);
    }
  }

  #read(node: GraphNode): Value {
    switch (node.operator) {
      case 'Conv2D':
      case '_FusedConv2D':
        return this.#convolution(node, false);
      case 'DepthwiseConv2dNative':
      case 'FusedDepthwiseConv2dNative':
        return this.#convolution(node, true);
      case 'Add':
      case 'AddV2':
      case 'Mul':
        return this.#arithmetic(node);
      case 'Relu':
        return this.#bounded(node.input(0), 0, Number.POSITIVE_INFINITY);
      case 'Minimum':
        return this.#bounded(node.input(0), Number.NEGATIVE_INFINITY, this.#scalar(node.input(1)));
      case 'Maximum':
        return this.#bounded(node.input(0), this.#scalar(node.input(1)), Number.POSITIVE_INFINITY);
      case 'MaxPool':
      case 'AvgPool':
        return this.#pool(node);
      case 'Pad':
        return this.#pad(node);
      case 'Mean':
        return this.#mean(node);
      case 'Squeeze':
        return this.#squeeze(node);
      case 'Reshape':
        return this.#reshape(node);
      case 'Identity':
        return this.#value(node.input(0));
      default:
        throw unreadable('an operation known to the converter', `${node.operator} at ${node.name}`);
    }
  }

  #convolution(node: GraphNode, depthwise: boolean): Value {
    this.#requireLayout(node);
    if (node.integers('dilations').some((dilation) => dilation !== 1)) throw unreadable('no dilation', node.name);
    const kernel = this.#constant(node.input(1));
    const fused = node.texts('fused_ops');
    const bias =
      fused[0] === 'BiasAdd'
        ? this.#constant(node.input(2)).values
        : new Float32Array(kernelShape({ kernel, depthwise }).channelsOut);
    const convolution: Value = {
      kind: 'convolution',
      of: node.input(0),
      weights: { kernel, depthwise, bias },
      stride: strideOf(node),
      padding: paddingOf(node),
    };
    const [activation, ...more] = fused.filter((operation) => operation !== 'BiasAdd');
    if (activation === undefined) return convolution;
    if (activation === 'Relu' && more.length === 0) {
      return { kind: 'bounded', of: convolution, low: 0, high: Number.POSITIVE_INFINITY };
    }
    if (activation === 'Relu6' && more.length === 0) return { kind: 'bounded', of: convolution, low: 0, high: 6 };
    throw unreadable('a bias with Relu or Relu6 after it', `${fused.join(', ')} at ${node.name}`);
  }

  /** Two maps added, or a map and a vector of channels, which becomes a part of the convolution before it. */
  #arithmetic(node: GraphNode): Value {
    const constant = this.#constantIfAny(node.input(1));
    if (constant === undefined) {
      if (node.operator === 'Mul') throw unreadable('a vector of channels to multiply by', node.input(1));
      return this.#add(this.wire(node.input(0)), this.wire(node.input(1)));
    }
    const before = this.#value(node.input(0));
    if (before.kind !== 'convolution') throw unreadable('a convolution before a vector of channels', node.name);
    const weights =
      node.operator === 'Mul'
        ? followedByAffine(before.weights, constant.values, 0)
        : followedByAffine(before.weights, 1, constant.values);
    return { ...before, weights };
  }

  #add(left: Wire, right: Wire): Value {
    return { kind: 'wire', wire: this.#builder.binary('Add', left, right) };
  }

  #bounded(input: string, low: number, high: number): Value {
    const before = this.#value(input);
    if (before.kind !== 'bounded') return { kind: 'bounded', of: before, low, high };
    // Bounds after bounds are the narrower of both, as long as they overlap.
    return { kind: 'bounded', of: before.of, low: Math.max(low, before.low), high: Math.min(high, before.high) };
  }

  #pool(node: GraphNode): Value {
    this.#requireLayout(node);
    const [, height, width] = node.integers('ksize');
    if (height === undefined || height !== width) throw unreadable('a square window', node.name);
    const kind = node.operator === 'MaxPool' ? 'Max' : 'Average';
    const wire = this.wire(node.input(0));
    return { kind: 'wire', wire: this.#builder.pool(wire, kind, height, strideOf(node), paddingOf(node)) };
  }

  /** Zeros behind the last channel, row and column; NHWC pairs of (before, after) in the original. */
  #pad(node: GraphNode): Value {
    const pairs = [...this.#constant(node.input(1)).values];
    const before = pairs.filter((_, index) => index % 2 === 0);
    const [batch, height, width, channels] = pairs.filter((_, index) => index % 2 === 1);
    if (batch === undefined || height === undefined || width === undefined || channels === undefined) {
      throw unreadable('padding of four dimensions', node.name);
    }
    if (before.some((count) => count !== 0)) throw unreadable('padding at the end only', node.name);
    const wire = this.#builder.paddedAtEnd(this.wire(node.input(0)), [batch, channels, height, width]);
    return { kind: 'wire', wire };
  }

  #mean(node: GraphNode): Value {
    const axes = [...this.#constant(node.input(1)).values].sort();
    if (axes.join() !== '1,2' || node.flag('keep_dims')) throw unreadable('a mean over height and width', node.name);
    return { kind: 'wire', wire: this.#builder.meanOfPlaces(this.wire(node.input(0))) };
  }

  /** Height and width of 1 taken away. */
  #squeeze(node: GraphNode): Value {
    if (node.integers('squeeze_dims').join() !== '1,2') throw unreadable('height and width to squeeze', node.name);
    return { kind: 'wire', wire: this.#builder.flattened(this.wire(node.input(0))) };
  }

  #reshape(node: GraphNode): Value {
    const [batch, ...shape] = this.#constant(node.input(1)).values;
    if (batch !== 1) throw unreadable('a new shape that leaves the batch', node.name);
    return { kind: 'wire', wire: this.#builder.reshapedPlacewise(this.wire(node.input(0)), shape) };
  }

  #scalar(name: string): number {
    const [value, ...more] = this.#constant(name).values;
    if (value === undefined || more.length > 0) throw unreadable('one number', name);
    return value;
  }

  #constant(name: string): Tensor {
    const constant = this.#constantIfAny(name);
    if (constant === undefined) throw unreadable('a constant', name);
    return constant;
  }

  #constantIfAny(name: string): Tensor | undefined {
    return this.#model.nodes.get(name)?.operator === 'Const' ? this.#model.weights.get(name) : undefined;
  }

  #requireLayout(node: GraphNode): void {
    if ((node.text('data_format') ?? 'NHWC') !== 'NHWC') throw unreadable('a map in NHWC', node.name);
  }
}

function strideOf(node: GraphNode): number {
  const [batch, height, width, channels] = node.integers('strides');
  if (height === undefined || height !== width || batch !== 1 || channels !== 1) {
    throw unreadable('the same stride for rows and columns', node.name);
  }
  return height;
}

function paddingOf(node: GraphNode): Padding {
  const padding = node.text('padding');
  if (padding === 'SAME') return 'same';
  if (padding === 'VALID') return 'valid';
  throw unreadable('SAME or VALID padding', `${padding} at ${node.name}`);
}
