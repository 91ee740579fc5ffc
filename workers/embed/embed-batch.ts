import type { ModelPackManifest, PackOutput } from '../../schemas/model-pack.ts';
import { tensorLength } from './input-tensor.ts';
import type { NetSession } from './net-session.ts';
import { pooledVector } from './pool-output.ts';

/** One net input to be written: into `target` from `at` on. */
export type InputWriter = (target: Float32Array, at: number) => void;

export const embeddingOutputs = ({ outputs }: ModelPackManifest): PackOutput[] =>
  outputs.filter(({ role }) => role === 'embedding');

/**
 * Runs the inputs through a net in batches and gives, for each input and each embedding output of the manifest in its order, the vector to be stored; undefined
 * where it may not be (NaN, Infinity, no direction).
 */
export async function embedBatch(
  session: NetSession,
  manifest: ModelPackManifest,
  inputs: readonly InputWriter[],
): Promise<(Float32Array | undefined)[][]> {
  const { input, metric } = manifest;
  const outputs = embeddingOutputs(manifest);
  const names = outputs.map(({ name }) => name);
  const length = tensorLength(input);
  const vectors: (Float32Array | undefined)[][] = [];
  for (let from = 0; from < inputs.length; from += session.mostItems) {
    const batch = inputs.slice(from, from + session.mostItems);
    const tensor = session.scratch(batch.length * length);
    for (const [i, write] of batch.entries()) write(tensor, i * length);
    for (const given of await session.run(tensor, batch.length, input, names))
      vectors.push(
        outputs.map((output) => {
          const values = given?.get(output.name);
          return values === undefined ? undefined : pooledVector(values, output, metric ?? 'cosine');
        }),
      );
  }
  return vectors;
}
