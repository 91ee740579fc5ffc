import { ProtobufWriter } from './protobuf-writer.ts';

/** The oldest pair that has every operator in the form used here; onnxruntime reads all later ones too. */
const IR_VERSION = 8;
const OPSET_VERSION = 17;

/** TensorProto.DataType of onnx.proto. */
const DATA_TYPES = { float32: 1, int64: 7, float16: 10 } as const;
export const ONNX_FLOAT32 = DATA_TYPES.float32;
/** AttributeProto.AttributeType of onnx.proto. */
const ATTRIBUTE_TYPES = { integer: 2, text: 3, integers: 7 } as const;

export type OnnxAttribute = number | string | readonly number[];

export interface OnnxNode {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly output: string;
  /** Whole numbers, texts and lists of whole numbers; no operator used here needs another kind. */
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

export interface OnnxTensor {
  readonly name: string;
  readonly type: keyof typeof DATA_TYPES;
  readonly shape: readonly number[];
  /** Little-endian, row-major. */
  readonly bytes: Uint8Array;
}

/** A named float32 tensor that goes in or comes out; a text in the shape names a dimension that is free. */
export interface OnnxPort {
  readonly name: string;
  readonly shape: readonly (number | string)[];
}

export interface OnnxGraph {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly inputs: readonly OnnxPort[];
  readonly outputs: readonly OnnxPort[];
}

/** The bytes of an ONNX file. Field numbers are those of onnx/onnx.proto; they are written in the order given, so equal graphs give equal bytes. */
export function encodeModel(graph: OnnxGraph): Uint8Array {
  return new ProtobufWriter()
    .integer(1, IR_VERSION)
    .text(2, 'homeward')
    .message(7, encodeGraph(graph))
    .message(8, new ProtobufWriter().text(1, '').integer(2, OPSET_VERSION))
    .finish();
}

function encodeGraph(graph: OnnxGraph): ProtobufWriter {
  const writer = new ProtobufWriter();
  for (const node of graph.nodes) writer.message(1, encodeNode(node));
  writer.text(2, graph.name);
  for (const tensor of graph.initializers) writer.message(5, encodeTensor(tensor));
  for (const input of graph.inputs) writer.message(11, encodePort(input));
  for (const output of graph.outputs) writer.message(12, encodePort(output));
  return writer;
}

function encodeNode(node: OnnxNode): ProtobufWriter {
  const writer = new ProtobufWriter();
  for (const input of node.inputs) writer.text(1, input);
  writer.text(2, node.output).text(3, node.output).text(4, node.operator);
  for (const [name, value] of Object.entries(node.attributes)) writer.message(5, encodeAttribute(name, value));
  return writer;
}

function encodeAttribute(name: string, value: OnnxAttribute): ProtobufWriter {
  const writer = new ProtobufWriter().text(1, name);
  if (typeof value === 'number') return writer.integer(3, value).integer(20, ATTRIBUTE_TYPES.integer);
  if (typeof value === 'string') return writer.text(4, value).integer(20, ATTRIBUTE_TYPES.text);
  for (const one of value) writer.integer(8, one);
  return writer.integer(20, ATTRIBUTE_TYPES.integers);
}

function encodeTensor(tensor: OnnxTensor): ProtobufWriter {
  const writer = new ProtobufWriter();
  for (const length of tensor.shape) writer.integer(1, length);
  return writer.integer(2, DATA_TYPES[tensor.type]).text(8, tensor.name).bytes(9, tensor.bytes);
}

function encodePort(port: OnnxPort): ProtobufWriter {
  const shape = new ProtobufWriter();
  for (const length of port.shape) {
    const dimension = new ProtobufWriter();
    shape.message(1, typeof length === 'number' ? dimension.integer(1, length) : dimension.text(2, length));
  }
  const tensorType = new ProtobufWriter().integer(1, DATA_TYPES.float32).message(2, shape);
  return new ProtobufWriter().text(1, port.name).message(2, new ProtobufWriter().message(1, tensorType));
}
