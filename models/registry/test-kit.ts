import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { ModelPackManifest } from '../../schemas/model-pack.ts';
import { hashedInput } from '../convert/hashed-input.ts';
import { encodeModel, type OnnxGraph, type OnnxNode } from '../convert/onnx-model.ts';
import { ProtobufWriter } from '../convert/protobuf-writer.ts';

/** For tests of packs: a net of two operations whose output anybody can work out, a manifest that tells the truth about it, and nets that do not. */

const SIDE = 8;
export const node = (operator: string, inputs: readonly string[], output: string): OnnxNode => ({
  operator,
  inputs,
  output,
  attributes: {},
});

/** Mean of each channel of [1, 3, 8, 8], as [1, 3]; `changes` make another net of it. */
export function tinyGraph(changes: Partial<OnnxGraph> = {}): OnnxGraph {
  return {
    name: 'tiny',
    nodes: [node('GlobalAveragePool', ['input'], 'pooled'), node('Flatten', ['pooled'], 'embedding')],
    initializers: [],
    inputs: [{ name: 'input', shape: ['batch', 3, SIDE, SIDE] }],
    outputs: [{ name: 'embedding', shape: ['batch', 3] }],
    ...changes,
  };
}

export const tinyNet = (changes: Partial<OnnxGraph> = {}): Uint8Array => encodeModel(tinyGraph(changes));

/** Operations of the tiny net under which its output is not a number: the logarithm of what is below zero. */
export const NOT_A_NUMBER: readonly OnnxNode[] = [
  node('GlobalAveragePool', ['input'], 'pooled'),
  node('Flatten', ['pooled'], 'means'),
  node('Abs', ['means'], 'positive'),
  node('Neg', ['positive'], 'negative'),
  node('Log', ['negative'], 'embedding'),
];

/** A manifest that says of `net` what holds of the tiny net. */
export function tinyManifest(net: Uint8Array, changes: Partial<ModelPackManifest> = {}): ModelPackManifest {
  const selfTest = { seed: 3, scale: 2, offset: -1 };
  const values = hashedInput(selfTest, 3 * SIDE * SIDE);
  const means = [0, 1, 2].map((channel) => {
    const part = values.subarray(channel * SIDE * SIDE, (channel + 1) * SIDE * SIDE);
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  });
  return {
    manifestVersion: 1,
    id: 'tiny',
    version: '1.0.0',
    kind: 'copyEmbedding',
    title: 'Means of channels',
    licence: { id: 'MIT', url: 'https://example.org/licence', terms: 'Free to use.', acceptance: 'none' },
    files: [{ name: 'tiny.onnx', sha256: createHash('sha256').update(net).digest('hex'), sizeBytes: net.length }],
    net: 'tiny.onnx',
    provenance: { origin: 'supplied', source: 'made for a test', sourceFiles: [], conversion: 'none', net: null },
    input: {
      name: 'input',
      widthPixels: SIDE,
      heightPixels: SIDE,
      layout: 'nchw',
      channelOrder: 'rgb',
      scale: 1 / 127.5,
      mean: [1, 1, 1],
      std: [1, 1, 1],
      resize: 'stretch',
      cropFromSidePixels: null,
      filter: 'bilinear',
      lowPassSidePixels: null,
    },
    alignment: null,
    outputs: [
      {
        name: 'embedding',
        role: 'embedding',
        shape: [3],
        pooling: 'none',
        mapLayout: 'none',
        normalise: 'l2',
        dimensions: 3,
      },
    ],
    detection: null,
    metric: 'cosine',
    thresholds: [],
    calibration: null,
    selfTest: {
      input: selfTest,
      output: 'embedding',
      firstValues: means,
      sumOfSquares: means.reduce((sum, value) => sum + value * value, 0),
      tolerance: 0.001,
    },
    ...changes,
  };
}

/** A model around one graph message, with what a hostile file may have besides. */
export function model(graph: ProtobufWriter, more: (writer: ProtobufWriter) => void = () => undefined): Uint8Array {
  const writer = new ProtobufWriter().integer(1, 8).message(7, graph);
  writer.message(8, new ProtobufWriter().text(1, '').integer(2, 17));
  more(writer);
  return writer.finish();
}

const FLOAT = 1;
const INT64 = 7;
const BOOL = 9;
const GRAPH_ATTRIBUTE = 5;

const port = (name: string, type: number, shape: readonly number[]): ProtobufWriter => {
  const sides = new ProtobufWriter();
  for (const side of shape) sides.message(1, new ProtobufWriter().integer(1, side));
  const tensor = new ProtobufWriter().integer(1, type).message(2, sides);
  return new ProtobufWriter().text(1, name).message(2, new ProtobufWriter().message(1, tensor));
};

/** `inputs` of an operation, its outputs, and further fields. */
export function operation(operator: string, inputs: readonly string[], outputs: readonly string[]): ProtobufWriter {
  const writer = new ProtobufWriter();
  for (const input of inputs) writer.text(1, input);
  for (const output of outputs) writer.text(2, output);
  return writer.text(4, operator);
}

const graphAttribute = (graph: ProtobufWriter): ProtobufWriter =>
  new ProtobufWriter().text(1, 'body').message(6, graph).integer(20, GRAPH_ATTRIBUTE);

/** The operations of the tiny net and its ports, to which `more` adds. */
export function tinyGraphMessage(more: (graph: ProtobufWriter) => void, input = 'input'): ProtobufWriter {
  const graph = new ProtobufWriter();
  more(graph);
  return graph
    .message(1, operation('GlobalAveragePool', [input], ['pooled']))
    .message(1, operation('Flatten', ['pooled'], ['embedding']))
    .text(2, 'tiny')
    .message(11, port('input', FLOAT, [1, 3, SIDE, SIDE]))
    .message(12, port('embedding', FLOAT, [1, 3]));
}

/** A net that goes round and round for longer than anybody lives. */
export function endlessNet(): Uint8Array {
  const body = new ProtobufWriter()
    .message(1, operation('Identity', ['go'], ['goOn']))
    .message(1, operation('Neg', ['before'], ['after']))
    .text(2, 'body')
    .message(11, port('round', INT64, []))
    .message(11, port('go', BOOL, []))
    .message(11, port('before', FLOAT, [1, 3, SIDE, SIDE]))
    .message(12, port('goOn', BOOL, []))
    .message(12, port('after', FLOAT, [1, 3, SIDE, SIDE]));
  const rounds = new ProtobufWriter().integer(2, INT64).text(8, 'rounds').bytes(9, int64(Number.MAX_SAFE_INTEGER));
  return model(
    tinyGraphMessage(
      (graph) =>
        graph
          .message(5, rounds)
          .message(1, operation('Loop', ['rounds', '', 'input'], ['turned']).message(5, graphAttribute(body))),
      'turned',
    ),
  );
}

/** A net of a few hundred bytes that wants 64 GiB. */
export function memoryBomb(): Uint8Array {
  const sides = new ProtobufWriter().integer(1, 4).integer(2, INT64).text(8, 'sides');
  sides.bytes(9, Buffer.concat([1, 3, 65_536, 87_382].map(int64)));
  return model(
    tinyGraphMessage(
      (graph) =>
        graph
          .message(5, sides)
          .message(1, operation('ReduceMean', ['input'], ['mean']))
          .message(1, operation('Expand', ['mean', 'sides'], ['huge'])),
      'huge',
    ),
  );
}

/** Graphs within graphs, `depth` of them. */
export function nestedNet(depth: number): Uint8Array {
  let inner = new ProtobufWriter().message(1, operation('Identity', ['input'], ['same'])).text(2, 'inmost');
  for (let index = 0; index < depth; index++)
    inner = new ProtobufWriter().message(1, operation('If', ['c'], ['x']).message(5, graphAttribute(inner)));
  return model(inner);
}

function int64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(value));
  return bytes;
}

/** A folder that is removed at the end of the `await using` block. */
export class PackFolder implements AsyncDisposable {
  readonly path: string;

  private constructor(folder: string) {
    this.path = folder;
  }

  static async make(): Promise<PackFolder> {
    return new PackFolder(await realpath(await mkdtemp(path.join(os.tmpdir(), 'homeward-packs-'))));
  }

  at(...names: string[]): string {
    return path.join(this.path, ...names);
  }

  /** Writes a pack into a folder of its name and returns that. */
  async write(name: string, manifest: unknown, net: Uint8Array, card?: string): Promise<string> {
    const folder = this.at(name);
    await mkdir(folder, { recursive: true });
    await writeFile(path.join(folder, 'manifest.json'), JSON.stringify(manifest));
    await writeFile(path.join(folder, 'tiny.onnx'), net);
    if (card !== undefined) await writeFile(path.join(folder, 'card.md'), card);
    return folder;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}
