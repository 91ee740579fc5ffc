import type { Box, Detection } from './detection.ts';
import type { Point } from './similarity.ts';

const areaOf = (box: Box) => box.width * box.height;

function intersection(a: Box, b: Box): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  return width > 0 && height > 0 ? width * height : 0;
}

/** Intersection over union, 0 to 1. */
export function overlapOf(a: Box, b: Box): number {
  const shared = intersection(a, b);
  return shared === 0 ? 0 : shared / (areaOf(a) + areaOf(b) - shared);
}

/** How much of the smaller box lies in the other one, 0 to 1: two views of one face by two tiles may differ in size. */
export function containment(a: Box, b: Box): number {
  const shared = intersection(a, b);
  return shared === 0 ? 0 : shared / Math.min(areaOf(a), areaOf(b));
}

/** Groups of candidates that mean one face, each headed by its best one; groups by falling score of the head. */
function groups(candidates: readonly Detection[], isSame: (head: Box, other: Box) => boolean): Detection[][] {
  const found: Detection[][] = [];
  // Sorting is stable, so the same candidates always give the same faces.
  for (const candidate of candidates.toSorted((a, b) => b.score - a.score)) {
    const group = found.find(([head]) => head !== undefined && isSame(head.box, candidate.box));
    if (group === undefined) found.push([candidate]);
    else group.push(candidate);
  }
  return found;
}

/** The best candidate of each face (non-maximum suppression). */
export function suppress(candidates: readonly Detection[], isSame: (head: Box, other: Box) => boolean): Detection[] {
  return groups(candidates, isSame).flatMap(([head]) => head ?? []);
}

/**
 * One detection for each face: the mean of its candidates weighted by score, with the best score. From V. Bazarevsky et al., BlazeFace (2019),
 * section "Post-processing", where it takes out the trembling that plain suppression has.
 */
export function blend(candidates: readonly Detection[], overlapThreshold: number): Detection[] {
  return groups(candidates, (a, b) => overlapOf(a, b) >= overlapThreshold).flatMap((group) => blended(group) ?? []);
}

function blended(group: readonly Detection[]): Detection | undefined {
  const [head] = group;
  if (head === undefined || group.length === 1) return head;
  const total = group.reduce((sum, { score }) => sum + score, 0);
  const mean = (value: (detection: Detection) => number) =>
    group.reduce((sum, detection) => sum + value(detection) * detection.score, 0) / total;
  const points = head.points.map(
    (_, i): Point => [mean(({ points }) => points[i]?.[0] ?? 0), mean(({ points }) => points[i]?.[1] ?? 0)],
  );
  return {
    box: {
      x: mean(({ box }) => box.x),
      y: mean(({ box }) => box.y),
      width: mean(({ box }) => box.width),
      height: mean(({ box }) => box.height),
    },
    score: head.score,
    points,
  };
}
