import type { Face } from '../../schemas/embedding.ts';
import type { ModelPackManifest, PackAlignment, PackInput } from '../../schemas/model-pack.ts';
import { alignment, type LocatedFace } from './align.ts';
import { distance, eyesOf } from './face-points.ts';
import { faceQuality } from './face-quality.ts';
import { FRONTAL, poseOf } from './pose.ts';
import type { Pyramid } from './pyramid.ts';
import { type ExifOrientation, storedPoint, swapsSides } from './raster.ts';
import { sharpnessOf } from './sharpness.ts';
import { type Point, warp } from './similarity.ts';

/** Sharpness is measured on a chip of this size, so that it can be compared between faces. */
const CHIP_SIDE_PIXELS = 112;
const CHIP: Pick<PackInput, 'widthPixels' | 'heightPixels'> = {
  widthPixels: CHIP_SIDE_PIXELS,
  heightPixels: CHIP_SIDE_PIXELS,
};
const BY_LANDMARKS: PackAlignment = { method: 'landmarkBox', landmarks: '68', expand: 1, upright: true, points: [] };
const BY_BOX: PackAlignment = { method: 'box', landmarks: 'none', expand: 1, upright: true, points: [] };
/** Eyes lie about this share of a face's width apart; taken where neither landmarks nor a detector's points say better. */
const EYE_SHARE_OF_BOX = 0.45;
const MOST_PLACE = 131_070;
const LEAST_PLACE = -65_535;

/** From the upright picture that was looked at to the picture as stored in the file. */
export interface StoredFrame {
  readonly orientation: ExifOrientation;
  /** Size of the picture in the file. */
  readonly widthPixels: number;
  readonly heightPixels: number;
  /** How many of its pixels one of those looked at stands for, by the sides of the stored picture. */
  readonly pixelsAcross: number;
  readonly pixelsDown: number;
}

/** A face without its vectors: where it is in the stored picture, and how well it can be seen. */
export function faceRecord(
  face: LocatedFace & { readonly score: number },
  { id, version }: ModelPackManifest,
  pyramid: Pyramid,
  frame: StoredFrame,
): Face {
  const chip = alignment(face, face.landmarks.length > 0 ? BY_LANDMARKS : BY_BOX, CHIP);
  const known = {
    detectionScore: Math.min(1, Math.max(0, face.score)),
    eyeDistancePixels: Math.min(MOST_PLACE, eyeDistance(face) * frame.pixelsAcross),
    sharpness: chip === undefined ? 0 : sharpnessOf(warp(pyramid, chip, CHIP_SIDE_PIXELS, CHIP_SIDE_PIXELS)),
    pose: poseOf(face.landmarks) ?? FRONTAL,
  };
  return {
    detector: id,
    detectorVersion: version,
    box: storedBox(face, frame),
    landmarks: face.landmarks.map((point) => place(stored(point, frame))),
    ...known,
    quality: faceQuality(known),
    vectors: [],
  };
}

function eyeDistance({ landmarks, points, box }: LocatedFace): number {
  const [left, right] = landmarks.length > 0 ? eyesOf(landmarks) : points;
  return left === undefined || right === undefined ? EYE_SHARE_OF_BOX * box.width : distance(left, right);
}

/** A point of the upright picture in pixels of the stored one at its full size. */
function stored(
  [x, y]: Point,
  { orientation, widthPixels, heightPixels, pixelsAcross, pixelsDown }: StoredFrame,
): Point {
  const [acrossX, downY] = swapsSides(orientation) ? [pixelsDown, pixelsAcross] : [pixelsAcross, pixelsDown];
  return storedPoint([x * acrossX, y * downY], orientation, { widthPixels, heightPixels });
}

function storedBox({ box }: LocatedFace, frame: StoredFrame): Face['box'] {
  const [ax, ay] = place(stored([box.x, box.y], frame));
  const [bx, by] = place(stored([box.x + box.width, box.y + box.height], frame));
  return {
    x: Math.min(ax, bx),
    y: Math.min(ay, by),
    width: Math.min(MOST_PLACE, Math.abs(ax - bx)),
    height: Math.min(MOST_PLACE, Math.abs(ay - by)),
  };
}

const place = ([x, y]: Point): [number, number] => [whole(x), whole(y)];
// Adding 0 turns -0, which JSON does not know, into 0.
const whole = (value: number) => Math.min(MOST_PLACE, Math.max(LEAST_PLACE, Math.round(value))) + 0;
