import { createHash } from 'node:crypto';
import { InferenceSession, listSupportedBackends, Tensor } from 'onnxruntime-node';
import { HomewardError } from '../../schemas/error.ts';
import type { ModelPackManifest, ModelProvider } from '../../schemas/model-pack.ts';
import { inspectOnnx } from './onnx-inspect.ts';
import { inputShape, selfTestFault, selfTestInput } from './self-test.ts';

/** onnxruntime's name of each provider. */
const BACKENDS: Readonly<Record<ModelProvider, string>> = {
  cpu: 'cpu',
  cuda: 'cuda',
  coreml: 'coreml',
  directml: 'dml',
};
const MESSAGE_LENGTH = 300;
const FATAL = 4;

/** The providers of the configuration that the installed onnxruntime was made with; whether this machine has what they need only a try tells. */
export function offeredProviders(): ModelProvider[] {
  const offered = new Set(listSupportedBackends().map(({ name }) => name));
  const providers: ModelProvider[] = ['cpu', 'cuda', 'coreml', 'directml'];
  return providers.filter((provider) => offered.has(BACKENDS[provider]));
}

/**
 * Tries a net for real: digest, what the file holds, opening, names and shapes, self-test. Belongs into a process of its own, since native
 * code may abort on a hostile file; `bytes` are what was read once, so that what is opened is what was checked.
 * @throws HomewardError HW_MODEL_FILE, HW_MODEL_FORMAT, HW_MODEL_SHAPE, HW_MODEL_SELF_TEST or HW_MODEL_PROVIDER
 */
export async function tryNet(bytes: Uint8Array, manifest: ModelPackManifest, provider: ModelProvider): Promise<void> {
  checkDigest(bytes, manifest);
  inspectOnnx(bytes);
  if (!offeredProviders().includes(provider)) throw notOffered(provider, 'onnxruntime was made without it');
  const session = await open(bytes, provider);
  try {
    checkInputs(session, manifest);
    const { name } = manifest.input;
    const input = new Tensor('float32', selfTestInput(manifest), inputShape(manifest.input));
    const wanted = manifest.outputs.map((output) => output.name);
    for (const output of wanted) {
      if (!session.outputNames.includes(output)) throw shape(`an output ${output}`, names(session.outputNames));
    }
    const results = await session.run({ [name]: input }, wanted).catch((error: unknown) => {
      throw new HomewardError(
        'HW_MODEL_SELF_TEST',
        `expected the net to run on its self-test, received: ${said(error)}; check input and net`,
      );
    });
    for (const output of manifest.outputs) checkOutput(results[output.name], output, manifest);
  } finally {
    await session.release();
  }
}

function checkDigest(bytes: Uint8Array, manifest: ModelPackManifest): void {
  const named = manifest.files.find(({ name }) => name === manifest.net);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (named === undefined || bytes.length !== named.sizeBytes || sha256 !== named.sha256) {
    throw new HomewardError(
      'HW_MODEL_FILE',
      `expected ${named?.sizeBytes} bytes with SHA-256 ${named?.sha256} for the net ${manifest.net}, received ${bytes.length} with ${sha256}; get the file again`,
    );
  }
}

async function open(bytes: Uint8Array, provider: ModelProvider): Promise<InferenceSession> {
  const options: InferenceSession.SessionOptions = {
    executionProviders: [BACKENDS[provider]],
    graphOptimizationLevel: 'all',
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: FATAL,
  };
  try {
    return await InferenceSession.create(bytes, options);
  } catch (error) {
    // Told apart by opening it where nothing can be lacking.
    if (provider !== 'cpu') {
      const onProcessor = await InferenceSession.create(bytes, { ...options, executionProviders: ['cpu'] }).catch(
        () => null,
      );
      await onProcessor?.release();
      if (onProcessor !== null) throw notOffered(provider, said(error));
    }
    throw new HomewardError(
      'HW_MODEL_FORMAT',
      `expected a net that onnxruntime can open, received: ${said(error)}; export it again for a released operator set`,
    );
  }
}

function checkInputs(session: InferenceSession, { input }: ModelPackManifest): void {
  const [only, ...more] = session.inputMetadata;
  if (only === undefined || more.length > 0 || only.name !== input.name)
    throw shape(`one input ${input.name}`, names(session.inputNames));
  if (!only.isTensor || only.type !== 'float32')
    throw shape(`32-bit floats as input`, only.isTensor ? only.type : 'no tensor');
  const wanted = inputShape(input);
  if (!fits(only.shape, wanted)) throw shape(`an input of ${wanted.join(' x ')}`, only.shape.join(' x '));
}

function checkOutput(
  result: Tensor | undefined,
  output: ModelPackManifest['outputs'][number],
  { selfTest }: ModelPackManifest,
): void {
  const data: unknown = result?.data;
  if (result === undefined || !(data instanceof Float32Array))
    throw shape(`32-bit floats as output ${output.name}`, result?.type ?? 'nothing');
  const { dims } = result;
  if (!fits(dims, output.shape) && !fits(dims, [1, ...output.shape]))
    throw shape(`an output ${output.name} of ${output.shape.join(' x ')}`, dims.join(' x '));
  const strange = data.findIndex((value) => !Number.isFinite(value));
  const fault =
    output.name === selfTest.output ? selfTestFault(selfTest, data) : strange < 0 ? null : `${data[strange]}`;
  if (fault !== null) {
    throw new HomewardError(
      'HW_MODEL_SELF_TEST',
      `expected the output ${output.name} of the self-test that the manifest names, received ${fault}; the net is another one, or this machine computes wrongly`,
    );
  }
}

/** A side without a number is one that the net leaves open. */
const fits = (found: readonly (number | string)[], wanted: readonly number[]): boolean =>
  found.length === wanted.length && found.every((side, index) => typeof side === 'string' || side === wanted[index]);

const shape = (expected: string, received: string): HomewardError =>
  new HomewardError(
    'HW_MODEL_SHAPE',
    `expected ${expected} for the manifest, received ${received.slice(0, MESSAGE_LENGTH)} from the net; correct the manifest or bring its net`,
  );

const notOffered = (provider: ModelProvider, why: string): HomewardError =>
  new HomewardError(
    'HW_MODEL_PROVIDER',
    `expected the execution provider ${provider} to be offered here, received: ${why}; set models.provider to cpu, or install what it needs`,
  );

const names = (given: readonly string[]): string => (given.length === 0 ? 'none' : given.slice(0, 20).join(', '));
const said = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).slice(0, MESSAGE_LENGTH);
