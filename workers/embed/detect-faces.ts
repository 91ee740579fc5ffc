import type { ModelPackManifest, PackDetection } from '../../schemas/model-pack.ts';
import { decodeBlazeface } from './detect-blazeface.ts';
import { decodeScrfd } from './detect-scrfd.ts';
import { decodeSsdMobilenetV1 } from './detect-ssd.ts';
import { decodeYunet } from './detect-yunet.ts';
import { type Detection, type DetectionDecoder, outputNames } from './detection.ts';
import { type Placement, tensorLength, writeRegion } from './input-tensor.ts';
import type { NetSession } from './net-session.ts';
import { blend, containment, overlapOf, suppress } from './overlap.ts';
import type { Pyramid } from './pyramid.ts';
import type { Point } from './similarity.ts';
import { isCutByTile, type Tile, tilesOf, withMargin } from './tiles.ts';

const DECODERS: Readonly<Record<PackDetection['decoder'], DetectionDecoder>> = {
  blazeface: decodeBlazeface,
  ssdMobilenetV1: decodeSsdMobilenetV1,
  yunet: decodeYunet,
  scrfd: decodeScrfd,
};

/** Of the smaller box in the larger one: more, and they are two views of one face, by two scales of anchors or by two tiles. */
const SAME_FACE_CONTAINMENT = 0.7;

export interface DetectionResult {
  /** By falling score, at most `mostFaces` of the pack. */
  readonly faces: Detection[];
  /** How many there were before that limit. */
  readonly found: number;
  /** Runs whose output held NaN or Infinity: faces there may be missing. */
  readonly failedRuns: number;
}

/**
 * Finds faces in the upright picture: in the whole of it and, where it is large, in tiles of it; where there are none, once more with a margin round it.
 * Boxes and points are in its pixels.
 */
export async function detectFaces(
  session: NetSession,
  manifest: ModelPackManifest,
  detection: PackDetection,
  pyramid: Pyramid,
): Promise<DetectionResult> {
  const { widthPixels, heightPixels } = pyramid.base;
  const look = (tiles: readonly Tile[]) => lookAt(tiles, session, manifest, detection, pyramid);
  const tiles = tilesOf(widthPixels, heightPixels, detection.tileSidePixels, detection.tileOverlap);
  const first = await look(tiles);
  const { candidates, failedRuns } =
    first.candidates.length > 0 ? first : await look([withMargin(widthPixels, heightPixels)]);
  const isSame = (a: Detection['box'], b: Detection['box']) =>
    overlapOf(a, b) >= detection.overlapThreshold || containment(a, b) >= SAME_FACE_CONTAINMENT;
  const all = suppress(candidates, isSame);
  return {
    faces: all.slice(0, detection.mostFaces),
    found: all.length,
    failedRuns: candidates === first.candidates ? failedRuns : failedRuns + first.failedRuns,
  };
}

async function lookAt(
  tiles: readonly Tile[],
  session: NetSession,
  manifest: ModelPackManifest,
  detection: PackDetection,
  pyramid: Pyramid,
): Promise<{ candidates: Detection[]; failedRuns: number }> {
  const { input } = manifest;
  const names = outputNames(manifest);
  const decode = DECODERS[detection.decoder];
  const candidates: Detection[] = [];
  let failedRuns = 0;
  for (let from = 0; from < tiles.length; from += session.mostItems) {
    const batch = tiles.slice(from, from + session.mostItems);
    const tensor = session.scratch(batch.length * tensorLength(input));
    const placements = batch.map((tile, i) => writeRegion(pyramid, tile, input, tensor, i * tensorLength(input)));
    const results = await session.run(
      tensor,
      batch.length,
      input,
      manifest.outputs.map(({ name }) => name),
    );
    for (const [i, outputs] of results.entries()) {
      const [tile, placement] = [batch[i], placements[i]];
      if (outputs === undefined || tile === undefined || placement === undefined) failedRuns += 1;
      else candidates.push(...seenIn(tile, placement, merged(decode(outputs, input, detection, names), detection)));
    }
  }
  return { candidates, failedRuns };
}

const merged = (candidates: readonly Detection[], { decoder, overlapThreshold }: PackDetection): Detection[] =>
  decoder === 'blazeface'
    ? blend(candidates, overlapThreshold)
    : suppress(candidates, (a, b) => overlapOf(a, b) >= overlapThreshold);

function seenIn(tile: Tile, placement: Placement, detections: readonly Detection[]): Detection[] {
  return detections.map((detection) => toPicture(detection, placement)).filter(({ box }) => !isCutByTile(box, tile));
}

function toPicture({ box, score, points }: Detection, { scaleX, scaleY, offsetX, offsetY }: Placement): Detection {
  return {
    box: {
      x: box.x * scaleX + offsetX,
      y: box.y * scaleY + offsetY,
      width: box.width * scaleX,
      height: box.height * scaleY,
    },
    score,
    points: points.map(([x, y]): Point => [x * scaleX + offsetX, y * scaleY + offsetY]),
  };
}
