import { HomewardError } from '../../schemas/error.ts';
import { eachField, eachVarint, type WireField } from './onnx-wire.ts';

/**
 * Looks through an ONNX file before onnxruntime sees it, for what could reach beyond it or blow up in it. Field numbers are those of
 * onnx.proto3 (ONNX 1.20, IR version 13). Protocol Buffers lets a field occur twice and joins or overrides it, so every occurrence is judged.
 */
export interface OnnxFacts {
  readonly nodes: number;
  readonly tensors: number;
  /** Versions of the operator set of ONNX itself that the file asks for. */
  readonly operatorSets: readonly number[];
}

/** The largest net named in docs/models.md has some 3,000. */
const MOST_NODES = 50_000;
const MOST_TENSORS = 50_000;
/** Graphs within graphs (If, Loop); exporters come to 3. */
const MOST_DEPTH = 8;
/** A message of Protocol Buffers holds no more. */
export const MOST_ONNX_BYTES = 2 ** 31 - 1;
/** What onnxruntime brings for every platform; others are somebody's native code, or depend on how it was built. */
const DOMAINS = new Set(['', 'ai.onnx', 'ai.onnx.ml']);

const MODEL = { graph: 7, operatorSet: 8, training: 20, functions: 25 };
const OPERATOR_SET = { domain: 1, version: 2 };
const GRAPH = { node: 1, initializer: 5, sparseInitializer: 15 };
const NODE = { attribute: 5, domain: 7 };
const ATTRIBUTE = { tensor: 5, graph: 6, tensors: 10, graphs: 11, sparseTensor: 22, sparseTensors: 23 };
const TENSOR = { dimensions: 1, raw: 9, externalData: 13, dataLocation: 14 };
const EXTERNAL = 1;

function refused(received: string, todo: string): HomewardError {
  return new HomewardError('HW_MODEL_FORMAT', `expected a self-contained ONNX net, received ${received}; ${todo}`);
}

/** @throws HomewardError HW_MODEL_FORMAT saying what it holds that it may not */
export function inspectOnnx(bytes: Uint8Array): OnnxFacts {
  const foreign = foreignFormat(bytes);
  if (foreign !== null) throw refused(foreign, 'export the net to ONNX');
  const found = { nodes: 0, tensors: 0, graphs: 0, operatorSets: [] as number[] };

  const tensor = ({ start, end }: WireField): void => {
    if (++found.tensors > MOST_TENSORS) throw refused(`more than ${MOST_TENSORS} tensors`, 'no net of use has so many');
    let elements = 1;
    eachField(bytes, start, end, (field) => {
      if (field.number === TENSOR.dimensions)
        eachVarint(bytes, field, (side) => {
          elements *= side;
        });
      if (field.number === TENSOR.externalData || (field.number === TENSOR.dataLocation && field.value === EXTERNAL))
        throw refused('weights in another file (external data)', 'save it again with the weights inside');
    });
    // Every kind of tensor but those of 4 bits takes a byte or more for each of its elements.
    if (elements > (end - start) * 2)
      throw refused(
        `a tensor that claims ${elements} elements in ${end - start} bytes`,
        'the file is damaged or hostile',
      );
  };

  const attribute = ({ start, end }: WireField, depth: number): void =>
    eachField(bytes, start, end, (field) => {
      if (field.number === ATTRIBUTE.tensor || field.number === ATTRIBUTE.tensors) tensor(field);
      if (field.number === ATTRIBUTE.graph || field.number === ATTRIBUTE.graphs) graph(field, depth + 1);
      if (field.number === ATTRIBUTE.sparseTensor || field.number === ATTRIBUTE.sparseTensors) throw sparse();
    });

  const node = ({ start, end }: WireField, depth: number): void => {
    if (++found.nodes > MOST_NODES) throw refused(`more than ${MOST_NODES} operations`, 'no net of use has so many');
    eachField(bytes, start, end, (field) => {
      if (field.number === NODE.domain) domain(field);
      if (field.number === NODE.attribute) attribute(field, depth);
    });
  };

  const graph = ({ start, end }: WireField, depth: number): void => {
    if (depth > MOST_DEPTH) throw refused(`graphs nested deeper than ${MOST_DEPTH}`, 'no net of use is like that');
    found.graphs += 1;
    eachField(bytes, start, end, (field) => {
      if (field.number === GRAPH.node) node(field, depth);
      if (field.number === GRAPH.initializer) tensor(field);
      if (field.number === GRAPH.sparseInitializer) throw sparse();
    });
  };

  const domain = ({ start, end }: WireField): string => {
    const name = Buffer.from(bytes.subarray(start, Math.min(end, start + 200))).toString('utf8');
    if (!DOMAINS.has(name))
      throw refused(
        `operations of the domain ${JSON.stringify(name.slice(0, 60))}`,
        'export it with standard operations',
      );
    return name;
  };

  const operatorSet = ({ start, end }: WireField): void => {
    let name = '';
    let version = 0;
    eachField(bytes, start, end, (field) => {
      if (field.number === OPERATOR_SET.domain) name = domain(field);
      if (field.number === OPERATOR_SET.version) version = field.value;
    });
    if (name !== 'ai.onnx.ml') found.operatorSets.push(version);
  };

  eachField(bytes, 0, bytes.length, (field) => {
    if (field.number === MODEL.graph) graph(field, 0);
    if (field.number === MODEL.operatorSet) operatorSet(field);
    if (field.number === MODEL.functions)
      throw refused('functions of its own', 'export it with functions written out (inlined)');
    if (field.number === MODEL.training) throw refused('instructions for training', 'export it for inference');
  });
  if (found.graphs === 0 || found.nodes === 0)
    throw refused('a message without a graph of operations', 'check that the file is the net');
  return { nodes: found.nodes, tensors: found.tensors, operatorSets: found.operatorSets };
}

const sparse = (): HomewardError => refused('sparse tensors', 'save it with ordinary ones');

/** What the file is instead, by its first bytes; null where they may be ONNX, which has no signature. */
function foreignFormat(bytes: Uint8Array): string | null {
  if (bytes.length > MOST_ONNX_BYTES) return 'a file of 2 GiB or more, which no ONNX file can be';
  const head = Buffer.from(bytes.subarray(0, 8));
  const text = head.toString('latin1');
  if (bytes.length === 0) return 'an empty file';
  if (text.startsWith('PK\u0003\u0004')) return 'a zip file (PyTorch, Keras or CoreML)';
  if (text.startsWith('\u0080\u0002')) return 'a Python pickle (PyTorch), which can run code';
  if (text.startsWith('\u0089HDF')) return 'an HDF5 file (Keras)';
  if (text.slice(4) === 'TFL3') return 'a TensorFlow Lite file';
  if (text.slice(4) === 'ORTM') return "onnxruntime's own format (ORT)";
  if (text.startsWith('GGUF')) return 'a GGUF file';
  if (text.startsWith('version ')) return 'a pointer of Git LFS in place of the file';
  if (text.trimStart().startsWith('{')) return 'JSON';
  if (/^[0-9]{1,8}$/.test(text)) return 'text (NCNN or the like)';
  return null;
}
