import type { LeadEvidence, LeadMethod } from './lead-evidence.ts';

/**
 * How the evidence of one media against one series becomes one weight.
 *
 * Each piece brings the base-10 logarithm of a likelihood ratio, capped by what its calibration can show (engine/match/likelihood.ts).
 * 1. Methods that look at the same thing are one source: perceptual hashes and the picture vector all say "the same picture", every face
 *    says "the same people" (two faces of one subject are one person; the calibration's error is the same for all faces of a picture).
 *    Of a source the strongest piece counts, alone.
 * 2. Logarithms are added over sources that are independent: faces, the place, the device.
 * 3. The same picture is never added to those: a copy shows the same face in the same place and may carry the serial number of the
 *    original. Where there is evidence of a copy, the stronger of the two counts: the copy, or the sum of rule 2.
 * 4. What is not calibrated for a search of its size counts nothing, nor does what speaks against (a negative logarithm above a threshold),
 *    nor a perceptual hit on a picture that a negative set contradicts.
 * 5. The sum is capped at 6: no data in reach could show that a combination is worth more.
 * The prior is not in it.
 */
const SOURCE_OF: Readonly<Record<LeadMethod, 'picture' | 'person' | 'scene' | 'device'>> = {
  pdq: 'picture',
  blockhash: 'picture',
  copy: 'picture',
  face: 'person',
  place: 'scene',
  camera: 'device',
};

/** A lead is made from ten to one on. */
export const LEAST_LOG10_OF_LEAD = 1;
const MOST_LOG10 = 6;

export interface Fused {
  readonly log10LikelihoodRatio: number;
  /** What the weight is the sum of; every other piece is shown and not counted. */
  readonly counted: readonly LeadEvidence[];
}

export function fuse(evidence: readonly LeadEvidence[]): Fused {
  const strongest = new Map<string, LeadEvidence>();
  for (const one of evidence) {
    if (!one.calibrated || one.contradictedBy !== null || one.log10LikelihoodRatio <= 0) continue;
    const source = SOURCE_OF[one.method];
    const before = strongest.get(source);
    if (before === undefined || one.log10LikelihoodRatio > before.log10LikelihoodRatio) strongest.set(source, one);
  }
  const copy = strongest.get('picture');
  strongest.delete('picture');
  const independent = [...strongest.values()];
  const sum = independent.reduce((total, one) => total + one.log10LikelihoodRatio, 0);
  const counted = copy !== undefined && copy.log10LikelihoodRatio >= sum ? [copy] : independent;
  return {
    counted,
    log10LikelihoodRatio: Math.min(
      MOST_LOG10,
      counted.reduce((total, one) => total + one.log10LikelihoodRatio, 0),
    ),
  };
}

/**
 * What may make a lead. Known material needs none: the series that holds this very content has it already, and a copy of it in another
 * series is no news. A known face, place or camera of another series is.
 */
export function newsOf(
  evidence: readonly LeadEvidence[],
  known: { readonly bySeries: boolean; readonly anywhere: boolean },
): LeadEvidence[] {
  if (known.bySeries) return [];
  return known.anywhere ? evidence.filter((one) => SOURCE_OF[one.method] !== 'picture') : [...evidence];
}

/**
 * Whether all that ties a content to a series is of one family of methods: digests, PDQ, blockhash, copies, faces, places, cameras. One
 * family can be wrong as a whole (a poisoned record, a hash that confuses pictures); two seldom are. What is contradicted does not count.
 * @param held by digest, or as the series' own content
 */
export function isUncorroborated(
  evidence: readonly Pick<LeadEvidence, 'method' | 'contradictedBy'>[],
  held: boolean,
): boolean {
  const families = new Set(evidence.filter((one) => one.contradictedBy === null).map((one) => one.method));
  return families.size + (held ? 1 : 0) < 2;
}
