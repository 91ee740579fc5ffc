import { centroid, type Point } from './similarity.ts';

/**
 * The 68 points of the iBUG 300-W scheme (C. Sagonas et al., 2013), counted from 0: jaw 0-16, brows 17-26, nose 27-35, the picture's left eye 36-41
 * and right eye 42-47, mouth 48-67.
 */
export const LANDMARK_COUNT = 68;
const LEFT_EYE = [36, 37, 38, 39, 40, 41] as const;
const RIGHT_EYE = [42, 43, 44, 45, 46, 47] as const;
const NOSE_TIP = 30;
const LEFT_MOUTH_CORNER = 48;
const RIGHT_MOUTH_CORNER = 54;

const at = (landmarks: readonly Point[], index: number): Point => landmarks[index] ?? [Number.NaN, Number.NaN];
const middleOf = (landmarks: readonly Point[], indices: readonly number[]) =>
  centroid(indices.map((index) => at(landmarks, index)));

/** Centres of both eyes, the picture's left one first. */
export function eyesOf(landmarks: readonly Point[]): [Point, Point] {
  return [middleOf(landmarks, LEFT_EYE), middleOf(landmarks, RIGHT_EYE)];
}

/** Eyes, nose tip, corners of the mouth: the five points most face nets are aligned by, the picture's left one first. */
export function fivePointsOf(landmarks: readonly Point[]): Point[] {
  return [
    ...eyesOf(landmarks),
    at(landmarks, NOSE_TIP),
    at(landmarks, LEFT_MOUTH_CORNER),
    at(landmarks, RIGHT_MOUTH_CORNER),
  ];
}

/** The angle of the line through both eyes against the horizontal, in radians, clockwise on the picture. */
export const eyeAngle = ([[leftX, leftY], [rightX, rightY]]: readonly [Point, Point]): number =>
  Math.atan2(rightY - leftY, rightX - leftX);

export const distance = ([ax, ay]: Point, [bx, by]: Point): number => Math.hypot(ax - bx, ay - by);
