import type { KeypointSet } from './keypoint-records.ts';

/** In steps of a 256th of a turn: 31 degrees either way. */
const TURN_STEPS = 22;
/** In sixteenths of an octave: half to double. */
const SCALE_STEPS = 16;

/**
 * Of pairs of keypoints, the largest part that agrees on how far everything turned and grew from one picture to the other, in their order:
 * weak geometric consistency (Jegou, Douze and Schmid 2008), round each pair in turn instead of in a histogram. It more than halves the
 * wrong pairs that RANSAC has to draw round.
 */
export function largestAgreement<P extends { readonly i: number; readonly j: number }>(
  a: KeypointSet,
  b: KeypointSet,
  pairs: readonly P[],
): P[] {
  const turn = Int32Array.from(pairs, ({ i, j }) => (b.angle[j] ?? 0) - (a.angle[i] ?? 0));
  const growth = Int32Array.from(pairs, ({ i, j }) => (b.scale[j] ?? 0) - (a.scale[i] ?? 0));
  const agree = (p: number, q: number): boolean => {
    const apart = ((turn[p] ?? 0) - (turn[q] ?? 0)) & 255;
    const scaled = (growth[p] ?? 0) - (growth[q] ?? 0);
    return (apart <= TURN_STEPS || apart >= 256 - TURN_STEPS) && scaled <= SCALE_STEPS && scaled >= -SCALE_STEPS;
  };
  let centre = -1;
  let most = 0;
  for (let p = 0; p < pairs.length; p++) {
    let agreeing = 0;
    for (let q = 0; q < pairs.length; q++) if (agree(p, q)) agreeing++;
    if (agreeing > most) {
      most = agreeing;
      centre = p;
    }
  }
  return pairs.filter((_, at) => agree(centre, at));
}
