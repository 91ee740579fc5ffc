import type { PackScore } from '../../schemas/embedding.ts';
import type { OpenPack } from './describe-faces.ts';
import { tensorLength, writeRegion } from './input-tensor.ts';
import type { Pyramid } from './pyramid.ts';

/**
 * How far an operator's classifier moves a picture forward in the list of the unseen: its probabilities by the weights of the manifest.
 * @throws RangeError where the net gives no numbers, or not one for each class
 */
export async function classifierScore({ manifest, session }: OpenPack, pyramid: Pyramid): Promise<PackScore> {
  const { id, version, input, outputs, classes = [] } = manifest;
  const names = outputs.filter(({ role }) => role === 'probabilities').map(({ name }) => name);
  const { widthPixels: width, heightPixels: height } = pyramid.base;
  const tensor = session.scratch(tensorLength(input));
  writeRegion(pyramid, { x: 0, y: 0, width, height }, input, tensor, 0);
  const [given] = await session.run(tensor, 1, input, names);
  const values = given?.get(names[0] ?? '');
  if (values === undefined || values.length !== classes.length)
    throw new RangeError(`expected ${classes.length} finite probabilities, received ${values?.length ?? 'none'}`);
  const sum = classes.reduce((total, { weight }, i) => total + weight * (values[i] ?? 0), 0);
  return { pack: id, version, score: Math.min(1, Math.max(0, sum)) };
}
