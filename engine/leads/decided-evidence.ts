import { Type } from 'typebox';
import { BoundedText, Closed, type Static } from '../../schemas/closed.ts';
import type { LeadEvidence } from './lead-evidence.ts';

/** A piece of evidence as it was when somebody decided; the row itself may be withdrawn later. */
export const DecidedEvidence = Closed({
  /** `m12` in match, `v45` in model_match. */
  id: BoundedText(24),
  method: BoundedText(20),
  algorithm: BoundedText(200),
  distance: Type.Number(),
  threshold: Type.Number(),
  calibrated: Type.Boolean(),
  log10LikelihoodRatio: Type.Number(),
});
export type DecidedEvidence = Static<typeof DecidedEvidence>;

/** The heaviest of them; more do not fit a row, and say nothing more. */
const MOST_KEPT = 100;

export function decidedEvidence(evidence: readonly LeadEvidence[]): DecidedEvidence[] {
  return evidence
    .toSorted((a, b) => b.log10LikelihoodRatio - a.log10LikelihoodRatio)
    .slice(0, MOST_KEPT)
    .map(({ id, method, algorithm, distance, threshold, calibrated, log10LikelihoodRatio }) => ({
      id,
      method,
      algorithm,
      distance,
      threshold,
      calibrated,
      log10LikelihoodRatio,
    }));
}
