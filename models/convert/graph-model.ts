import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { Static } from '../../schemas/closed.ts';
import { unreadable } from './source-files.ts';
import { decodeWeights, type Weights, WeightsManifest } from './weights.ts';

const Attribute = Type.Object({
  /** Base64 of a text. */
  s: Type.Optional(Type.String()),
  b: Type.Optional(Type.Boolean()),
  list: Type.Optional(
    Type.Object({
      s: Type.Optional(Type.Array(Type.String())),
      /** Whole numbers as texts. */
      i: Type.Optional(Type.Array(Type.String())),
    }),
  ),
});
const Node = Type.Object({
  name: Type.String(),
  op: Type.String(),
  input: Type.Optional(Type.Array(Type.String())),
  attr: Type.Optional(Type.Record(Type.String(), Attribute)),
});
/** Only what the converter reads of a TensorFlow.js GraphModel; other keys are of no account to the result. */
const GraphModelFile = Type.Object({
  modelTopology: Type.Object({ node: Type.Array(Node) }),
  weightsManifest: WeightsManifest,
});
const checkFile = Compile(GraphModelFile);

/** A node of a TensorFlow graph with its attributes decoded as they are asked for. */
export class GraphNode {
  readonly name: string;
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly #attributes: Readonly<Record<string, Static<typeof Attribute>>>;

  constructor(node: Static<typeof Node>) {
    this.name = node.name;
    this.operator = node.op;
    this.inputs = node.input ?? [];
    this.#attributes = node.attr ?? {};
  }

  input(index: number): string {
    const name = this.inputs[index];
    if (name === undefined) throw unreadable(`input ${index} of the node ${this.name}`, `${this.inputs.length} inputs`);
    return name;
  }

  text(attribute: string): string | undefined {
    const value = this.#attributes[attribute]?.s;
    return value === undefined ? undefined : decodeText(value);
  }

  texts(attribute: string): readonly string[] {
    return (this.#attributes[attribute]?.list?.s ?? []).map(decodeText);
  }

  integers(attribute: string): readonly number[] {
    return (this.#attributes[attribute]?.list?.i ?? []).map(Number);
  }

  flag(attribute: string): boolean {
    return this.#attributes[attribute]?.b ?? false;
  }
}

export interface GraphModel {
  readonly nodes: ReadonlyMap<string, GraphNode>;
  readonly weights: Weights;
}

/** A GraphModel from its parsed description and its weight files, joined in the order of the manifest. */
export function graphModel(description: unknown, data: Uint8Array): GraphModel {
  if (!checkFile.Check(description)) {
    const where = checkFile.Errors(description)[0]?.instancePath ?? '';
    throw unreadable('a TensorFlow.js GraphModel', `another form at ${where}`);
  }
  return {
    nodes: new Map(description.modelTopology.node.map((node) => [node.name, new GraphNode(node)])),
    weights: decodeWeights(description.weightsManifest, data),
  };
}

function decodeText(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8');
}
