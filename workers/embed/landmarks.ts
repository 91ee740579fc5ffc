import type { ModelPackManifest } from '../../schemas/model-pack.ts';
import { alignment, type LocatedFace } from './align.ts';
import { LANDMARK_COUNT } from './face-points.ts';
import { tensorLength, writeChip } from './input-tensor.ts';
import type { NetSession } from './net-session.ts';
import type { Pyramid } from './pyramid.ts';
import { type Point, transformed } from './similarity.ts';

/**
 * Places 68 landmarks on each face, in pixels of the upright picture. The net gives them as x and y in parts of its input (face-api.js). Empty for
 * a face on which they could not be placed.
 */
export async function placeLandmarks(
  session: NetSession,
  manifest: ModelPackManifest,
  pyramid: Pyramid,
  faces: readonly LocatedFace[],
): Promise<Point[][]> {
  const { input, outputs } = manifest;
  const name = outputs.find(({ role }) => role === 'landmarks')?.name;
  if (name === undefined || manifest.alignment === null) return faces.map(() => []);
  const placed: Point[][] = faces.map(() => []);
  const length = tensorLength(input);
  for (let from = 0; from < faces.length; from += session.mostItems) {
    const chips = faces.slice(from, from + session.mostItems).flatMap((face, i) => {
      const toPicture = manifest.alignment === null ? undefined : alignment(face, manifest.alignment, input);
      return toPicture === undefined ? [] : [{ index: from + i, toPicture }];
    });
    if (chips.length === 0) continue;
    const tensor = session.scratch(chips.length * length);
    for (const [i, { toPicture }] of chips.entries()) writeChip(pyramid, toPicture, input, tensor, i * length);
    const results = await session.run(tensor, chips.length, input, [name]);
    for (const [i, { index, toPicture }] of chips.entries()) {
      const values = results[i]?.get(name);
      if (values?.length !== LANDMARK_COUNT * 2) continue;
      placed[index] = Array.from({ length: LANDMARK_COUNT }, (_, point) =>
        transformed(toPicture, [
          (values[point * 2] ?? 0) * input.widthPixels,
          (values[point * 2 + 1] ?? 0) * input.heightPixels,
        ]),
      );
    }
  }
  return placed;
}
