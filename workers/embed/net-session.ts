import { InferenceSession, Tensor } from 'onnxruntime-node';
import { HomewardError } from '../../schemas/error.ts';
import type { ModelPackManifest, PackInput } from '../../schemas/model-pack.ts';

/** What a net gave for one item of a batch, by output name, without the batch's own dimension. */
export type ItemOutputs = ReadonlyMap<string, Float32Array>;

/**
 * One thread a session: a host runs as many sessions as it has threads, and threads inside them would only compete (1.8 times slower).
 * Without the arena a run gives its memory back at once; README.md of this folder has both measured.
 */
export const SESSION_OPTIONS: InferenceSession.SessionOptions = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  graphOptimizationLevel: 'all',
  enableCpuMemArena: false,
  enableMemPattern: false,
  logSeverityLevel: 3,
};

/** A net opened by onnxruntime. Never more than one run at a time. */
export class NetSession {
  readonly #session: InferenceSession;
  readonly #input: string;
  /** How many items one run takes; 1 where the net was exported for one. */
  readonly mostItems: number;
  #scratch = new Float32Array(0);
  #inputsRun = 0;

  private constructor(session: InferenceSession, input: string, mostItems: number) {
    this.#session = session;
    this.#input = input;
    this.mostItems = mostItems;
  }

  /**
   * @param bytes the whole ONNX file, its digest already checked
   * @throws HomewardError HW_MODEL_FORMAT where onnxruntime does not open it, HW_MODEL_SHAPE where it is another net than the manifest says
   */
  static async open(
    bytes: Uint8Array,
    manifest: ModelPackManifest,
    providers: readonly string[] = ['cpu'],
  ): Promise<NetSession> {
    const session = await openSession(bytes, manifest, providers);
    const mostItems = Math.min(checkInput(session, manifest), checkOutputs(session, manifest));
    return new NetSession(session, manifest.input.name, mostItems);
  }

  /** Whether this net also is what another manifest says: packs that share a file share its session. */
  check(manifest: ModelPackManifest): void {
    checkInput(this.#session, manifest);
    checkOutputs(this.#session, manifest);
  }

  /**
   * Runs `count` items, in as few runs as the net allows.
   * @param values their tensors one after the other, in the layout of `input`
   */
  async run(
    values: Float32Array,
    count: number,
    input: PackInput,
    outputs: readonly string[],
  ): Promise<(ItemOutputs | undefined)[]> {
    const itemLength = input.widthPixels * input.heightPixels * 3;
    const shape =
      input.layout === 'nchw' ? [3, input.heightPixels, input.widthPixels] : [input.heightPixels, input.widthPixels, 3];
    const results: (ItemOutputs | undefined)[] = [];
    for (let from = 0; from < count; from += this.mostItems) {
      const items = Math.min(this.mostItems, count - from);
      const slice = values.subarray(from * itemLength, (from + items) * itemLength);
      const given = await this.#session.run(
        { [this.#input]: new Tensor('float32', slice, [items, ...shape]) },
        outputs,
      );
      this.#inputsRun += items;
      for (let item = 0; item < items; item++) results.push(itemOf(given, outputs, item, items));
    }
    return results;
  }

  /** How many inputs were run through the net since it was opened. */
  get inputsRun(): number {
    return this.#inputsRun;
  }

  /** Room for the tensors of one run, the same every time; what was in it is still there. */
  scratch(values: number): Float32Array {
    if (this.#scratch.length < values) this.#scratch = new Float32Array(values);
    return this.#scratch.subarray(0, values);
  }

  /** Frees what onnxruntime holds; the session cannot be used again. */
  async release(): Promise<void> {
    await this.#session.release();
  }
}

function itemOf(
  given: InferenceSession.OnnxValueMapType,
  outputs: readonly string[],
  item: number,
  items: number,
): ItemOutputs | undefined {
  const own = new Map<string, Float32Array>();
  for (const name of outputs) {
    const data = given[name]?.data;
    if (!(data instanceof Float32Array) || data.length % items !== 0) return undefined;
    const length = data.length / items;
    const values = data.subarray(item * length, (item + 1) * length);
    if (!isFiniteThroughout(values)) return undefined;
    own.set(name, values);
  }
  return own;
}

/** x - x is 0 for a finite number and NaN for any other, so one sum tells for all. */
export function isFiniteThroughout(values: Float32Array): boolean {
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? Number.NaN;
    sum += value - value;
  }
  return sum === 0;
}

const describe = (manifest: ModelPackManifest) => `model pack ${manifest.id} ${manifest.version}`;

async function openSession(
  bytes: Uint8Array,
  manifest: ModelPackManifest,
  providers: readonly string[],
): Promise<InferenceSession> {
  try {
    return await InferenceSession.create(bytes, { ...SESSION_OPTIONS, executionProviders: providers });
  } catch (cause) {
    const said = cause instanceof Error ? cause.message.slice(0, 300) : String(cause);
    throw new HomewardError(
      'HW_MODEL_FORMAT',
      `expected ${manifest.net} of ${describe(manifest)} to be a net that onnxruntime opens, received ${said}; run homeward models verify`,
      { cause },
    );
  }
}

/** How many items the net takes at once. */
function checkInput(session: InferenceSession, manifest: ModelPackManifest): number {
  const { input } = manifest;
  const found = session.inputMetadata.find(({ name }) => name === input.name);
  if (found === undefined || session.inputNames.length !== 1 || !found.isTensor || found.type !== 'float32')
    throw refusal(manifest, `one float input named ${input.name}`, session.inputNames.join(', '));
  const wanted =
    input.layout === 'nchw' ? [3, input.heightPixels, input.widthPixels] : [input.heightPixels, input.widthPixels, 3];
  const [batch, ...shape] = found.shape;
  // A name instead of a number stands for any size.
  const fits =
    shape.length === wanted.length &&
    shape.every((side, i) => typeof side === 'string' || side < 0 || side === wanted[i]);
  if (!fits) throw refusal(manifest, `input of shape ${wanted.join(' x ')}`, shape.join(' x '));
  return typeof batch === 'number' && batch > 0 ? batch : MOST_ITEMS_PER_RUN;
}

/** Larger batches only cost memory: activations of one face or picture fill the caches already. */
export const MOST_ITEMS_PER_RUN = 4;

/** How many items the outputs hold at once: a net without a batch in front of them takes one at a time. */
function checkOutputs(session: InferenceSession, manifest: ModelPackManifest): number {
  let mostItems = MOST_ITEMS_PER_RUN;
  for (const output of manifest.outputs) {
    const found = session.outputMetadata.find(({ name }) => name === output.name);
    if (found === undefined || !found.isTensor || found.type !== 'float32')
      throw refusal(manifest, `a float output named ${output.name}`, session.outputNames.join(', '));
    if (found.shape.length <= output.shape.length) mostItems = 1;
    const shape = found.shape.slice(-output.shape.length);
    const known = shape.filter((side) => typeof side === 'number' && side > 0);
    if (known.length === output.shape.length && product(known) !== product(output.shape))
      throw refusal(manifest, `output ${output.name} of shape ${output.shape.join(' x ')}`, found.shape.join(' x '));
  }
  return mostItems;
}

const product = (sides: readonly (number | string)[]) => sides.reduce<number>((all, side) => all * Number(side), 1);

const refusal = (manifest: ModelPackManifest, expected: string, received: string) =>
  new HomewardError(
    'HW_MODEL_SHAPE',
    `expected ${expected} of ${describe(manifest)}, received ${received}; run homeward models verify`,
  );
