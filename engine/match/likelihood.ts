import type { PackCalibration } from '../../schemas/model-pack.ts';

/**
 * What a score is worth, out of counted pairs. All of it rests on a calibration's cumulative counts: at each of its scores how many of
 * the S pairs of the same person (picture, place) and how many of the D pairs of different ones scored at least that much.
 *
 * Bound of the false-match rate: FMR(s) <= u(s), where u(s) is the least, over the calibrated scores t <= s, of
 *   max(the calibration's own 95 % bound at t, different(t) / D, 1 - 0.05^(1/D)).
 * The last term is what D pairs can show when none of them matched (the exact binomial bound, some 3/D): whatever a manifest says, no
 * rate below it is claimed. Below the first calibrated score u is 1.
 *
 * Likelihood ratio: LR(s) = min(interval(s), cap(s)), never below 1 - 0.05^(1/S).
 *   interval(s) = (share of S in the interval of s) / (share of D in it); neighbouring intervals are pooled until the ratio does not fall
 *                 with the score (pool adjacent violators, the usual non-parametric calibration of likelihood ratios).
 *   cap(s)      = the greatest, over t <= s, of (same(t) / S) / u(t): what "scored at least t" is worth at most.
 * Both rise with the score, and so does the minimum of them. It never exceeds 1 / (1 - 0.05^(1/D)).
 * No prior is in it: how probable it was beforehand that the two belong together is for whoever decides.
 */

/** A bound that holds in 95 of 100 such calibrations. */
const MISSED = 0.05;

/** Upper 95 % bound of a rate of which `trials` independent trials showed no event. */
export function zeroEventBound(trials: number): number {
  return trials <= 0 ? 1 : 1 - MISSED ** (1 / trials);
}

export interface Weight {
  readonly log10LikelihoodRatio: number;
  /** Scores at least this high that comparisons with nobody of the gallery would give; null without a calibration. */
  readonly expectedFalseMatches: number | null;
  /** False where there is no calibration, or it cannot show that less than one false match is to be expected: no lead rests on it alone. */
  readonly calibrated: boolean;
}

const UNCALIBRATED: Weight = { log10LikelihoodRatio: 0, expectedFalseMatches: null, calibrated: false };

/**
 * @param score similarity; higher is more alike
 * @param comparisons size of the gallery times the number of vectors that were looked for in it
 */
export function weigh(calibration: PackCalibration | null, score: number, comparisons: number): Weight {
  if (calibration === null || !isUsable(calibration)) return UNCALIBRATED;
  const expectedFalseMatches = comparisons * falseMatchRateBound(calibration, score);
  return {
    log10LikelihoodRatio: log10LikelihoodRatio(calibration, score),
    expectedFalseMatches,
    calibrated: expectedFalseMatches <= 1,
  };
}

/** Upper 95 % bound of the share of different pairs that score at least this. */
export function falseMatchRateBound(calibration: PackCalibration, score: number): number {
  return reached(calibration, score).reduce((least, point) => Math.min(least, boundAt(calibration, point)), 1);
}

/** Base-10 logarithm of the likelihood ratio of this score; finite, and it does not fall when the score rises. */
export function log10LikelihoodRatio(calibration: PackCalibration, score: number): number {
  const floor = Math.log10(zeroEventBound(calibration.samePairs));
  if (!isUsable(calibration)) return 0;
  return Math.max(floor, Math.min(intervalLog10(calibration, score), capLog10(calibration, score)));
}

type Point = PackCalibration['points'][number];

function isUsable({ samePairs, differentPairs, points }: PackCalibration): boolean {
  return samePairs > 0 && differentPairs > 0 && points.length > 0;
}

/** Calibrated scores up to this one, rising. */
function reached(calibration: PackCalibration, score: number): Point[] {
  return rising(calibration.points).filter((point) => point.score <= score);
}

function rising(points: readonly Point[]): Point[] {
  return points.toSorted((a, b) => a.score - b.score);
}

function boundAt(calibration: PackCalibration, point: Point): number {
  // No pairs show nothing: 0 / 0 would be no number, and no comparison with it holds.
  if (calibration.differentPairs === 0) return 1;
  return Math.min(
    1,
    Math.max(
      point.falseMatchRateUpper95,
      point.differentPairs / calibration.differentPairs,
      zeroEventBound(calibration.differentPairs),
    ),
  );
}

function capLog10(calibration: PackCalibration, score: number): number {
  let cap = 0;
  let bound = 1;
  for (const point of reached(calibration, score)) {
    bound = Math.min(bound, boundAt(calibration, point));
    cap = Math.max(cap, Math.min(1, point.samePairs / calibration.samePairs) / bound);
  }
  return Math.log10(cap);
}

interface Block {
  readonly from: number;
  same: number;
  different: number;
}

function intervalLog10(calibration: PackCalibration, score: number): number {
  const block = pooled(calibration).findLast(({ from }) => from <= score);
  if (block === undefined || block.same === 0) return Number.NEGATIVE_INFINITY;
  if (block.different === 0) return Number.POSITIVE_INFINITY;
  return Math.log10(block.same / calibration.samePairs / (block.different / calibration.differentPairs));
}

/** Intervals between calibrated scores, the last one open above, pooled so that the ratio of their shares never falls. */
function pooled({ points }: PackCalibration): Block[] {
  const at = rising(points);
  const blocks: Block[] = [];
  for (const [index, point] of at.entries()) {
    const next = at[index + 1];
    blocks.push({
      from: point.score,
      same: Math.max(0, point.samePairs - (next?.samePairs ?? 0)),
      different: Math.max(0, point.differentPairs - (next?.differentPairs ?? 0)),
    });
    for (let last = blocks.at(-1), before = blocks.at(-2); last !== undefined && before !== undefined; ) {
      const falls = before.same * last.different > last.same * before.different;
      const empty = last.same + last.different === 0 || before.same + before.different === 0;
      if (!falls && !empty) break;
      before.same += last.same;
      before.different += last.different;
      blocks.pop();
      [last, before] = [blocks.at(-1), blocks.at(-2)];
    }
  }
  return blocks;
}
