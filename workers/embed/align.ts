import type { PackAlignment, PackInput } from '../../schemas/model-pack.ts';
import type { Box } from './detection.ts';
import { eyeAngle, eyesOf, fivePointsOf } from './face-points.ts';
import { fitSimilarity, type Point, type Similarity } from './similarity.ts';

/** What is known of one face's place in the upright picture. */
export interface LocatedFace {
  readonly box: Box;
  /** The detector's own points; the first two are the eyes. May be empty. */
  readonly points: readonly Point[];
  /** 68, or empty where no landmark net placed them. */
  readonly landmarks: readonly Point[];
}

type ChipSize = Pick<PackInput, 'widthPixels' | 'heightPixels'>;

/** From the chip of a pack's input to the upright picture, or undefined where the face lacks the points the pack is aligned by. */
export function alignment(face: LocatedFace, alignment: PackAlignment, input: ChipSize): Similarity | undefined {
  switch (alignment.method) {
    case 'similarity': {
      const points = pointsFor(face, alignment.landmarks);
      return points.length === alignment.points.length
        ? fitSimilarity(
            alignment.points.map(([x = 0, y = 0]): Point => [x, y]),
            points,
          )
        : undefined;
    }
    case 'landmarkBox': {
      const points = pointsFor(face, alignment.landmarks);
      return points.length === 0 ? undefined : squareRound(points, rollOf(face, alignment), alignment.expand, input);
    }
    case 'box': {
      const { x, y, width, height } = face.box;
      const centre: Point = [x + width / 2, y + height / 2];
      return squareAt(centre, Math.max(width, height) * alignment.expand, rollOf(face, alignment), input);
    }
  }
}

function pointsFor(face: LocatedFace, landmarks: PackAlignment['landmarks']): readonly Point[] {
  switch (landmarks) {
    case '68':
      return face.landmarks;
    case '5':
      // Better placed by the landmark net than by a detector; YuNet's and SCRFD's five are the same points.
      return face.landmarks.length > 0 ? fivePointsOf(face.landmarks) : face.points.slice(0, 5);
    case 'detector':
      return face.points;
    case 'none':
      return [];
  }
}

/** By how much the face is turned in the picture's plane; 0 where the pack wants it as it is or nothing is known of its eyes. */
function rollOf({ landmarks, points }: LocatedFace, { upright }: PackAlignment): number {
  if (!upright) return 0;
  if (landmarks.length > 0) return eyeAngle(eyesOf(landmarks));
  const [left, right] = points;
  return left === undefined || right === undefined ? 0 : eyeAngle([left, right]);
}

/** The square round the points after they were turned back by `angle`, its side the longer one of their box times `expand`. */
function squareRound(points: readonly Point[], angle: number, expand: number, input: ChipSize): Similarity {
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  let [left, right, top, bottom] = [
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
  ];
  for (const [x, y] of points) {
    const across = cos * x + sin * y;
    const down = cos * y - sin * x;
    left = Math.min(left, across);
    right = Math.max(right, across);
    top = Math.min(top, down);
    bottom = Math.max(bottom, down);
  }
  const [across, down] = [(left + right) / 2, (top + bottom) / 2];
  const centre: Point = [cos * across - sin * down, sin * across + cos * down];
  return squareAt(centre, Math.max(right - left, bottom - top) * expand, angle, input);
}

/** The chip's centre on `centre`, its shorter side `side` long in the picture, turned by `angle`. */
function squareAt(
  [centreX, centreY]: Point,
  side: number,
  angle: number,
  { widthPixels, heightPixels }: ChipSize,
): Similarity {
  const scale = Math.max(side, 1) / Math.min(widthPixels, heightPixels);
  const a = scale * Math.cos(angle);
  const b = scale * Math.sin(angle);
  const [x, y] = [widthPixels / 2, heightPixels / 2];
  return { a, b, tx: centreX - a * x + b * y, ty: centreY - b * x - a * y };
}
