import type { PackVector } from '../../schemas/embedding.ts';
import { colourHistogram } from './colour-histogram.ts';
import { copyRegions, partOutput } from './copy-regions.ts';
import type { OpenPack } from './describe-faces.ts';
import { embedBatch, embeddingOutputs, type InputWriter } from './embed-batch.ts';
import { writeRegion } from './input-tensor.ts';
import { packVector, unitVector } from './pack-vector.ts';
import type { Pyramid } from './pyramid.ts';

export interface PictureVectors {
  readonly vectors: PackVector[];
  /** What went wrong, in words; the other vectors are there all the same. */
  readonly trouble: string[];
}

/** Vectors by which edited copies are found: of the picture without its borders, and of parts of it. */
export async function copyVectors({ manifest, session }: OpenPack, pyramid: Pyramid): Promise<PictureVectors> {
  const regions = copyRegions(pyramid);
  const writers = regions.map(
    ({ region }): InputWriter =>
      (target, at) =>
        writeRegion(pyramid, region, manifest.input, target, at),
  );
  const names = regions.map(
    ({ part }) =>
      (output: string) =>
        partOutput(output, part),
  );
  return collected(manifest, await embedBatch(session, manifest, writers), names);
}

/** The output under which the colour histogram of a place pack is stored. */
export const COLOUR_OUTPUT = 'colour';

/** Vectors by which the same place is found: the pack's own, and the picture's colours. */
export async function placeVectors({ manifest, session }: OpenPack, pyramid: Pyramid): Promise<PictureVectors> {
  const { widthPixels, heightPixels } = pyramid.base;
  const whole = { x: 0, y: 0, width: widthPixels, height: heightPixels };
  const write: InputWriter = (target, at) => writeRegion(pyramid, whole, manifest.input, target, at);
  const { vectors, trouble } = collected(manifest, await embedBatch(session, manifest, [write]), [(output) => output]);
  const colours = unitVector(colourHistogram(pyramid));
  if (colours !== undefined) vectors.push(packVector(manifest.id, manifest.version, COLOUR_OUTPUT, colours));
  return { vectors, trouble };
}

function collected(
  manifest: OpenPack['manifest'],
  batch: readonly (readonly (Float32Array | undefined)[])[],
  names: readonly ((output: string) => string)[],
): PictureVectors {
  const outputs = embeddingOutputs(manifest);
  const vectors: PackVector[] = [];
  let unusable = 0;
  for (const [i, ofItem] of batch.entries())
    for (const [o, vector] of ofItem.entries()) {
      const [output, name] = [outputs[o], names[i]];
      if (vector === undefined || output === undefined || name === undefined) unusable += 1;
      else vectors.push(packVector(manifest.id, manifest.version, name(output.name), vector));
    }
  const trouble = unusable > 0 ? [`${manifest.id}: ${unusable} outputs with NaN, Infinity or no direction`] : [];
  return { vectors, trouble };
}
