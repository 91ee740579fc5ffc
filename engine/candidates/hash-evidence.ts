import { CALIBRATION } from '../match/calibration.ts';
import { zeroEventBound } from '../match/likelihood.ts';
import type { PairEvidence } from './pair-evidence.ts';

/**
 * In the calibration no pair of unrelated pictures came anywhere near the threshold, so of the rate of false matches no more is known
 * than its bound; pairs that belong together are within the threshold, by and large.
 */
const HASH_LOG10_RATIO = {
  pdq: -Math.log10(zeroEventBound(CALIBRATION['pdq-512'].comparisons)),
  blockhash: -Math.log10(zeroEventBound(CALIBRATION['blockhash-256-r512'].comparisons)),
} as const;

/** @param distanceBits within the threshold of the hash */
export function hashEvidence(
  method: 'pdq' | 'blockhash',
  mediaId: number,
  otherMediaId: number,
  distanceBits: number,
): PairEvidence {
  return {
    mediaId,
    otherMediaId,
    method,
    distance: distanceBits,
    log10LikelihoodRatio: HASH_LOG10_RATIO[method],
  };
}
