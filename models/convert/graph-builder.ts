import { type ConvolutionWeights, kernelShape, type Tensor, toOnnxKernel } from './kernel.ts';
import {
  encodeModel,
  ONNX_FLOAT32,
  type OnnxAttribute,
  type OnnxNode,
  type OnnxPort,
  type OnnxTensor,
} from './onnx-model.ts';

/** same: as many places out as in / stride, rounded up, the odd row or column of padding at the end (SAME of TensorFlow). */
export type Padding = 'same' | 'valid';
const AUTO_PAD = { same: 'SAME_UPPER', valid: 'VALID' } as const;

/** Name of a tensor of the graph, batch first and channels second. */
export type Wire = string;

/** Puts a graph together in the order of execution. Pictures and maps are NCHW, in float32. */
export class GraphBuilder {
  readonly #nodes: OnnxNode[] = [];
  readonly #initializers = new Map<string, OnnxTensor>();
  readonly #counts = new Map<string, number>();
  readonly #input: OnnxPort;

  constructor(input: OnnxPort) {
    this.#input = input;
  }

  get input(): Wire {
    return this.#input.name;
  }

  convolution(x: Wire, weights: ConvolutionWeights, stride: number, padding: Padding): Wire {
    const { height, width, channelsIn } = kernelShape(weights);
    const name = this.#fresh('Conv');
    const values = toOnnxKernel(weights);
    // A depthwise kernel is small, and a scale folded into it would lose more in half precision than it saves.
    const kernel = weights.depthwise
      ? this.constant(`${name}.weight`, values)
      : this.#halfPrecision(`${name}.weight`, values);
    const bias = this.constant(`${name}.bias`, { shape: [weights.bias.length], values: weights.bias });
    return this.#add(
      'Conv',
      [x, kernel, bias],
      {
        auto_pad: AUTO_PAD[padding],
        group: weights.depthwise ? channelsIn : 1,
        kernel_shape: [height, width],
        strides: [stride, stride],
      },
      name,
    );
  }

  /** max(low, min(high, x)), by element. */
  bounded(x: Wire, low: number, high: number): Wire {
    if (low === 0 && high === Number.POSITIVE_INFINITY) return this.#add('Relu', [x], {});
    const bounds = [low, high].map((value) =>
      Number.isFinite(value) ? this.constant(`bound.${value}`, { shape: [], values: Float32Array.of(value) }) : '',
    );
    return this.#add('Clip', [x, ...bounds], {});
  }

  relu(x: Wire): Wire {
    return this.bounded(x, 0, Number.POSITIVE_INFINITY);
  }

  pool(x: Wire, kind: 'Max' | 'Average', size: number, stride: number, padding: Padding): Wire {
    return this.#add(`${kind}Pool`, [x], {
      auto_pad: AUTO_PAD[padding],
      kernel_shape: [size, size],
      strides: [stride, stride],
    });
  }

  /** Mean over all places: [batch, channels, height, width] to [batch, channels]. */
  meanOfPlaces(x: Wire): Wire {
    return this.flattened(this.#add('GlobalAveragePool', [x], {}));
  }

  /** [batch, ...] to [batch, all the rest]. */
  flattened(x: Wire): Wire {
    return this.#add('Flatten', [x], { axis: 1 });
  }

  /** x of [batch, n] times weights of [n, m], plus a bias of m. */
  matrix(x: Wire, weights: Tensor, bias: Float32Array | undefined): Wire {
    const name = this.#fresh('Gemm');
    const inputs = [x, this.#halfPrecision(`${name}.weight`, weights)];
    if (bias !== undefined) inputs.push(this.constant(`${name}.bias`, { shape: [bias.length], values: bias }));
    return this.#add('Gemm', inputs, {}, name);
  }

  binary(operator: 'Add' | 'Sub' | 'Mul', left: Wire, right: Wire): Wire {
    return this.#add(operator, [left, right], {});
  }

  unary(operator: 'Exp' | 'Sigmoid', x: Wire): Wire {
    return this.#add(operator, [x], {});
  }

  concatenated(wires: readonly Wire[], axis: number): Wire {
    return this.#add('Concat', wires, { axis });
  }

  /** Zeros after the end of each dimension. */
  paddedAtEnd(x: Wire, counts: readonly number[]): Wire {
    const pads = this.#integers('pads', [...counts.map(() => 0), ...counts]);
    return this.#add('Pad', [x, pads], { mode: 'constant' });
  }

  slice(x: Wire, axis: number, from: number, to: number): Wire {
    return this.#add(
      'Slice',
      [x, this.#integers('index', [from]), this.#integers('index', [to]), this.#integers('index', [axis])],
      {},
    );
  }

  /** NCHW map to NHWC and then to [batch, ...shape]; -1 for one length that follows from the others. */
  reshapedPlacewise(x: Wire, shape: readonly number[]): Wire {
    const placewise = this.#add('Transpose', [x], { perm: [0, 2, 3, 1] });
    return this.#add('Reshape', [placewise, this.#integers('shape', [0, ...shape])], {});
  }

  /** float32 as it is; the same name twice has to mean the same values. */
  constant(name: string, tensor: Tensor): Wire {
    if (!this.#initializers.has(name)) {
      this.#initializers.set(name, { name, type: 'float32', shape: tensor.shape, bytes: bytesOf(tensor.values) });
    }
    return name;
  }

  /** The bytes of the ONNX file; each output is a wire under the name and shape it is to have outside. */
  finish(name: string, outputs: readonly { readonly wire: Wire; readonly port: OnnxPort }[]): Uint8Array {
    const renamed = outputs.map(({ wire, port }) => ({
      operator: 'Identity',
      inputs: [wire],
      output: port.name,
      attributes: {},
    }));
    return encodeModel({
      name,
      nodes: [...this.#nodes, ...renamed],
      initializers: [...this.#initializers.values()],
      inputs: [this.#input],
      outputs: outputs.map(({ port }) => port),
    });
  }

  /** Stored in half precision and cast when the net is opened: half the file. */
  #halfPrecision(name: string, tensor: Tensor): Wire {
    const stored = `${name}.half`;
    const values = new Float16Array(tensor.values);
    this.#initializers.set(stored, { name: stored, type: 'float16', shape: tensor.shape, bytes: bytesOf(values) });
    return this.#add('Cast', [stored], { to: ONNX_FLOAT32 }, name);
  }

  #integers(kind: string, values: readonly number[]): Wire {
    const name = `${kind}.${values.join('_')}`;
    const bytes = bytesOf(BigInt64Array.from(values, BigInt));
    this.#initializers.set(name, { name, type: 'int64', shape: [values.length], bytes });
    return name;
  }

  #add(
    operator: string,
    inputs: readonly Wire[],
    attributes: Readonly<Record<string, OnnxAttribute>>,
    output: Wire = this.#fresh(operator),
  ): Wire {
    this.#nodes.push({ operator, inputs, output, attributes });
    return output;
  }

  #fresh(operator: string): Wire {
    const count = (this.#counts.get(operator) ?? 0) + 1;
    this.#counts.set(operator, count);
    return `${operator}_${count}`;
  }
}

/** ONNX wants little-endian, which every platform of the runtime is. */
function bytesOf(values: Float32Array | Float16Array | BigInt64Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
