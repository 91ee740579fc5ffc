/** By which two media can be tied; `time` only strengthens what another one says. In the order of the table's check. */
export const CANDIDATE_METHODS = ['pdq', 'blockhash', 'face', 'copy', 'place', 'camera', 'time'] as const;
export type CandidateMethod = (typeof CANDIDATE_METHODS)[number];
export type JoiningMethod = Exclude<CandidateMethod, 'time'>;

/** What ties two media, by one method. */
export interface PairEvidence {
  readonly mediaId: number;
  readonly otherMediaId: number;
  readonly method: JoiningMethod;
  /** Bits for hashes, 1 - cosine similarity for vectors, 0 for a camera. */
  readonly distance: number;
  /** How much more often pairs that belong together lie at this distance than pairs that do not. */
  readonly log10LikelihoodRatio: number;
  /** The two faces, where the method is face. */
  readonly faceId?: number;
  readonly otherFaceId?: number;
}

/** Why two media stand in one proposal. */
export interface CandidateReason {
  readonly mediaId: number;
  /** The higher number of the two. */
  readonly otherMediaId: number;
  readonly method: CandidateMethod;
  /** Bits for hashes, 1 - cosine similarity for vectors, seconds for time, 0 for a camera. */
  readonly distance: number;
  readonly log10LikelihoodRatio: number;
}

/**
 * Pairs of media that resemble each other, in blocks: all that a source finds, or the nearest of each media, never all pairs.
 * A pair may come twice, the other way round too.
 */
export interface PairSource {
  /** `copies`: says that two files show one picture. `scenes`: says that two pictures show the same person, place or camera. */
  readonly level: 'copies' | 'scenes';
  /** @param mediaIds what is asked about, rising; only pairs within it are given */
  pairs(mediaIds: readonly number[]): AsyncIterable<readonly PairEvidence[]>;
}

/**
 * No pair weighs more than this, so that no single one outvotes many that are missing: the calibrations have some ten thousand pairs, and
 * of an event that n trials did not show no more can be said than a rate of some 3/n.
 */
export const MOST_LOG10_RATIO = 4;

/** The same evidence, said from the other media. */
export function turnedRound(evidence: PairEvidence): PairEvidence {
  const { mediaId, otherMediaId, faceId, otherFaceId, ...rest } = evidence;
  return {
    ...rest,
    mediaId: otherMediaId,
    otherMediaId: mediaId,
    ...(otherFaceId === undefined ? {} : { faceId: otherFaceId }),
    ...(faceId === undefined ? {} : { otherFaceId: faceId }),
  };
}

/** Evidence of two media by method, the strongest of each. */
export type Ties = Partial<Record<JoiningMethod, PairEvidence>>;

export function addTie(ties: Ties, evidence: PairEvidence): void {
  const there = ties[evidence.method];
  if (there === undefined || isStronger(evidence, there)) ties[evidence.method] = evidence;
}

function isStronger(one: PairEvidence, other: PairEvidence): boolean {
  if (one.log10LikelihoodRatio !== other.log10LikelihoodRatio)
    return one.log10LikelihoodRatio > other.log10LikelihoodRatio;
  if (one.distance !== other.distance) return one.distance < other.distance;
  // So that two faces at one distance give the same reason whatever the order they came in.
  const byFace = (one.faceId ?? 0) - (other.faceId ?? 0);
  return byFace !== 0 ? byFace < 0 : (one.otherFaceId ?? 0) < (other.otherFaceId ?? 0);
}

/**
 * The weight of all ties of two media. Hashes and copy vectors measure the same thing, so the strongest of them counts; two copies
 * show the same face and place of necessity, so face and place add up with each other but not with a copy; the camera says
 * something of its own. Time adds to what is there and is nothing by itself.
 * @param timeLog10Ratio of the capture times, 0 where they say nothing
 */
export function fusedLog10Ratio(ties: Ties, timeLog10Ratio: number): number {
  const of = (method: JoiningMethod): number => Math.min(ties[method]?.log10LikelihoodRatio ?? 0, MOST_LOG10_RATIO);
  const copy = Math.max(of('pdq'), of('blockhash'), of('copy'));
  const content = Math.max(copy, of('face') + of('place'));
  const joined = content + of('camera');
  return joined > 0 ? Math.min(joined + timeLog10Ratio, MOST_LOG10_RATIO) : joined;
}
