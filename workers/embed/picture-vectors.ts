import { COLOUR_OUTPUT, partOutput } from '../../schemas/constants.ts';
import type { PackVector } from '../../schemas/embedding.ts';
import type { PackInput } from '../../schemas/model-pack.ts';
import { colourHistogram } from './colour-histogram.ts';
import { copyRegions } from './copy-regions.ts';
import type { OpenPack } from './describe-faces.ts';
import { embedBatch, embeddingOutputs, type InputWriter } from './embed-batch.ts';
import { writeRegion } from './input-tensor.ts';
import { packVector, unitVector } from './pack-vector.ts';
import type { Pyramid } from './pyramid.ts';
import type { Raster } from './raster.ts';
import type { Region } from './resample.ts';

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

/** Sides that differ by less than this share give two views of one and the same. */
const SQUARE_WITHIN = 0.03;

/**
 * What a place pack looks at: the whole picture, pressed into the net's square, and where that bends it also the square in its middle as it is. From another viewpoint
 * one of the two has often kept what the other lost; README.md has what both reach alone and together.
 */
function placeViews({ widthPixels, heightPixels }: Raster, { resize }: PackInput): Region[] {
  const whole = { x: 0, y: 0, width: widthPixels, height: heightPixels };
  const side = Math.min(widthPixels, heightPixels);
  if (resize !== 'stretch' || side >= (1 - SQUARE_WITHIN) * Math.max(widthPixels, heightPixels)) return [whole];
  return [whole, { x: (widthPixels - side) / 2, y: (heightPixels - side) / 2, width: side, height: side }];
}

/** Vectors by which the same place is found: the pack's own, each the mean of its views, and the picture's colours. */
export async function placeVectors({ manifest, session }: OpenPack, pyramid: Pyramid): Promise<PictureVectors> {
  const writers = placeViews(pyramid.base, manifest.input).map(
    (view): InputWriter =>
      (target, at) =>
        writeRegion(pyramid, view, manifest.input, target, at),
  );
  const views = await embedBatch(session, manifest, writers);
  const means = embeddingOutputs(manifest).map((_, output) => meanVector(views.map((view) => view[output])));
  const { vectors, trouble } = collected(manifest, [means], [(output) => output]);
  const colours = unitVector(colourHistogram(pyramid));
  if (colours !== undefined) vectors.push(packVector(manifest.id, manifest.version, COLOUR_OUTPUT, colours));
  return { vectors, trouble };
}

/** The direction between vectors of length 1; undefined where one of them may not be used, or they cancel out. */
function meanVector(views: readonly (Float32Array | undefined)[]): Float32Array | undefined {
  const [first, ...others] = views;
  if (first === undefined || others.length === 0) return first;
  const sum = Float32Array.from(first);
  for (const view of others) {
    if (view === undefined) return undefined;
    for (const [i, value] of view.entries()) sum[i] = (sum[i] ?? 0) + value;
  }
  return unitVector(sum);
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
