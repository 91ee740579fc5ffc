import type { Face } from '../../schemas/embedding.ts';
import { LANDMARK_COUNT } from './face-points.ts';
import { centroid, type Point } from './similarity.ts';

/**
 * A grown-up head in arbitrary units, x to the picture's right, y down, z towards the camera: nose tip, chin, outer corners of the eyes, corners of the
 * mouth. The six points commonly used for head pose with OpenCV (S. Mallick, "Head pose estimation using OpenCV and dlib", 2016).
 */
const MODEL: readonly (readonly [landmark: number, x: number, y: number, z: number])[] = [
  [30, 0, 0, 0],
  [8, 0, 330, -65],
  [36, -225, -170, -135],
  [45, 225, -170, -135],
  [48, -150, 150, -125],
  [54, 150, 150, -125],
];

const MODEL_CENTRE = [1, 2, 3].map((axis) => MODEL.reduce((sum, row) => sum + (row[axis] ?? 0), 0) / MODEL.length);
const CENTRED = MODEL.map(([landmark, x, y, z]) => ({
  landmark,
  at: [x - (MODEL_CENTRE[0] ?? 0), y - (MODEL_CENTRE[1] ?? 0), z - (MODEL_CENTRE[2] ?? 0)] as const,
}));
const NORMAL_INVERSE = inverse3(
  [0, 1, 2].map((i) => [0, 1, 2].map((j) => CENTRED.reduce((sum, { at }) => sum + (at[i] ?? 0) * (at[j] ?? 0), 0))),
);

type Pose = Face['pose'];
type Vector = readonly [number, number, number];
export const FRONTAL: Pose = { yawDegrees: 0, pitchDegrees: 0, rollDegrees: 0 };

/**
 * How the head is turned, estimated from 68 landmarks: the scaled orthographic projection that maps the model onto the landmarks with the least squares
 * (the first step of POSIT, D. DeMenthon and L. Davis, 1995), its two rows made a rotation. Positive yaw: the face looks to the picture's right;
 * positive pitch: it looks up; positive roll: turned clockwise. One model for all heads and no perspective, so
 * good for some ten degrees and for telling frontal from profile, and no measurement of a person. Null without landmarks.
 */
export function poseOf(landmarks: readonly Point[]): Pose | null {
  if (landmarks.length !== LANDMARK_COUNT) return null;
  const points = CENTRED.map(({ landmark }): Point => landmarks[landmark] ?? [Number.NaN, Number.NaN]);
  const [middleX, middleY] = centroid(points);
  const across = projectionRow(points.map(([x]) => x - middleX));
  const down = projectionRow(points.map(([, y]) => y - middleY));
  const rotation = rotationOf(across, down);
  if (rotation === undefined) return null;
  const [right, lower, front] = rotation;
  // R = Rz(roll) Ry(yaw) Rx(-pitch): its third row has yaw and pitch without roll.
  return {
    yawDegrees: degrees(Math.asin(clamped(-front[0]))),
    pitchDegrees: degrees(Math.atan2(front[1], front[2])),
    rollDegrees: degrees(Math.atan2(lower[0], right[0])),
  };
}

/** To a tenth; adding 0 turns -0 into 0. */
const degrees = (radians: number) => Math.round((radians * 1800) / Math.PI) / 10 + 0;
const clamped = (x: number) => Math.min(1, Math.max(-1, x));
const dot = (a: Vector, b: Vector) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const times = (a: Vector, factor: number): Vector => [a[0] * factor, a[1] * factor, a[2] * factor];
const plus = (a: Vector, b: Vector): Vector => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
const cross = (a: Vector, b: Vector): Vector => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];

/** The row p that makes p . model nearest to the coordinates. */
function projectionRow(coordinates: readonly number[]): Vector {
  const moments = [0, 1, 2].map((axis) =>
    CENTRED.reduce((sum, { at }, i) => sum + (at[axis] ?? 0) * (coordinates[i] ?? 0), 0),
  );
  const row = (i: number) => [0, 1, 2].reduce((sum, j) => sum + (NORMAL_INVERSE[i]?.[j] ?? 0) * (moments[j] ?? 0), 0);
  return [row(0), row(1), row(2)];
}

/** Both rows at length 1 and at right angles, each moved by the same amount, and the third one across them. */
function rotationOf(across: Vector, down: Vector): readonly [Vector, Vector, Vector] | undefined {
  const [lengthAcross, lengthDown] = [Math.sqrt(dot(across, across)), Math.sqrt(dot(down, down))];
  if (!(lengthAcross > 0 && lengthDown > 0)) return undefined;
  const [a, d] = [times(across, 1 / lengthAcross), times(down, 1 / lengthDown)];
  const sum = plus(a, d);
  const difference = plus(a, times(d, -1));
  const [lengthSum, lengthDifference] = [Math.sqrt(dot(sum, sum)), Math.sqrt(dot(difference, difference))];
  if (!(lengthSum > 0 && lengthDifference > 0)) return undefined;
  const s = times(sum, Math.SQRT1_2 / lengthSum);
  const t = times(difference, Math.SQRT1_2 / lengthDifference);
  const right = plus(s, t);
  const lower = plus(s, times(t, -1));
  return [right, lower, cross(right, lower)];
}

function inverse3(m: readonly (readonly number[])[]): number[][] {
  const value = (i: number, j: number) => m[i % 3]?.[j % 3] ?? 0;
  const cofactor = (i: number, j: number) =>
    value(i + 1, j + 1) * value(i + 2, j + 2) - value(i + 1, j + 2) * value(i + 2, j + 1);
  const determinant = [0, 1, 2].reduce((sum, j) => sum + value(0, j) * cofactor(0, j), 0);
  return [0, 1, 2].map((i) => [0, 1, 2].map((j) => cofactor(j, i) / determinant));
}
