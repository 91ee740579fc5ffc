import { CALIBRATED_ALGORITHMS, CALIBRATION } from './calibration.ts';
import { zeroEventBound } from './likelihood.ts';
import { BIT_POLICY } from './policy.ts';

/**
 * Base-10 logarithm of what a perceptual hash within its threshold is worth: 1 over the bound of the false-match rate that the
 * calibration's comparisons can show, none of which came within the threshold. The fitted curve, which says far less, is an extrapolation
 * and is kept for the expected number of false matches. 0 for an algorithm that was not calibrated.
 *
 * @param id as evidence carries it, such as `pdq-512/1`
 * @param thresholdBits that the evidence was held to: the policy's, or the set's own
 */
export function bitLog10LikelihoodRatio(id: string, thresholdBits: number): number {
  const algorithm = CALIBRATED_ALGORITHMS.find((name) => BIT_POLICY[name].id === id);
  if (algorithm === undefined) return 0;
  const { comparisons, smallestBits } = CALIBRATION[algorithm];
  return smallestBits > thresholdBits ? -Math.log10(zeroEventBound(comparisons)) : 0;
}
