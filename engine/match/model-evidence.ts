import type { ModelMatchDetails, ModelMethod } from '../../schemas/model-match.ts';
import type { PackCalibration } from '../../schemas/model-pack.ts';
import { cosineDistance } from '../search/vector-search.ts';
import { falseMatchRateBound, type Weight, weigh } from './likelihood.ts';

/** One row of model_match as it is found. Distances are 1 - similarity, 0 to 2; a camera's is 0. */
export interface ModelEvidence {
  readonly mediaId: number;
  readonly method: ModelMethod;
  /** Every space compared, `pack@version/output` joined by `+`; `exif-serial/1` for a camera. */
  readonly algorithm: string;
  readonly distance: number;
  readonly threshold: number;
  readonly expectedFalseMatches: number | null;
  readonly calibrated: boolean;
  readonly borderline: boolean;
  readonly log10LikelihoodRatio: number;
  /** Comparisons made for this media: size of the gallery times the vectors that were looked for in it. */
  readonly gallerySize: number;
  readonly inliers: number | null;
  readonly details: ModelMatchDetails;
  readonly faceId: number | null;
  readonly knownFaceId: number | null;
  readonly knownMediaId: number | null;
  readonly seriesId: number;
  readonly subjectId: number | null;
  readonly placeId: number | null;
  readonly cameraId: number | null;
  /** Under which a search for faces was made; null for all others. */
  readonly authority: string | null;
  readonly necessity: string | null;
}

/**
 * How far one and the same similarity may lie apart between processors and execution providers. A score no further than this above its
 * threshold is borderline: elsewhere it might not have been evidence.
 */
export const SIMILARITY_TOLERANCE = 0.002;

/** Evidence of one method and media against one series beyond this many subjects, pictures or places says nothing new. */
const MOST_OBJECTS = 5;

/** A space of vectors and its share in a fused score. */
export interface ScoredSpace {
  /** `pack@version/output`. */
  readonly space: string;
  readonly weight: number;
}

/** How vectors become a score, and from where on a score is evidence. */
export interface VectorMethod {
  readonly spaces: readonly ScoredSpace[];
  readonly thresholdSimilarity: number;
  /** Of the fused score itself; null: nothing is known of it, so nothing rests on it. */
  readonly calibration: PackCalibration | null;
}

/** Cosine similarity by space. */
export type Similarities = Readonly<Record<string, number>>;

export function algorithmOf(method: VectorMethod): string {
  return method.spaces.map(({ space }) => space).join('+');
}

/**
 * Weighted mean of the cosines: for vectors of length 1 the cosine of their concatenation with each scaled by the root of its weight.
 * Null where a space was not compared: a score of fewer parts is another score, with another threshold.
 */
export function fusedSimilarity(method: VectorMethod, similarities: Similarities): number | null {
  let sum = 0;
  let weights = 0;
  for (const { space, weight } of method.spaces) {
    const similarity = similarities[space];
    if (similarity === undefined || !Number.isFinite(similarity)) return null;
    sum += weight * similarity;
    weights += weight;
  }
  return weights > 0 ? sum / weights : null;
}

/** What all evidence by vectors has in common; null where the score is no evidence. */
export function scoredEvidence(
  method: VectorMethod,
  similarities: Similarities,
  comparisons: number,
):
  | (Pick<ModelEvidence, 'algorithm' | 'distance' | 'threshold' | 'borderline' | 'gallerySize' | 'details'> & Weight)
  | null {
  const similarity = fusedSimilarity(method, similarities);
  if (similarity === null || similarity < method.thresholdSimilarity) return null;
  const { calibration } = method;
  return {
    algorithm: algorithmOf(method),
    distance: cosineDistance(similarity),
    threshold: 1 - method.thresholdSimilarity,
    borderline: similarity - method.thresholdSimilarity <= SIMILARITY_TOLERANCE,
    gallerySize: comparisons,
    ...weigh(calibration, similarity, comparisons),
    details: {
      scores: method.spaces.map(({ space, weight }) => ({
        space,
        knownSpace: space,
        weight,
        similarity: similarities[space] ?? 0,
      })),
      geometry: null,
      serial: null,
      falseMatchRateUpper95: calibration === null ? null : falseMatchRateBound(calibration, similarity),
    },
  };
}

/** What of a series a piece of evidence points to: a subject, place or camera, or else the known face or picture itself. */
export function objectOf(evidence: ModelEvidence): string {
  if (evidence.subjectId !== null) return `subject ${evidence.subjectId}`;
  if (evidence.placeId !== null) return `place ${evidence.placeId}`;
  if (evidence.cameraId !== null) return `camera ${evidence.cameraId}`;
  return evidence.knownFaceId !== null ? `face ${evidence.knownFaceId}` : `media ${evidence.knownMediaId}`;
}

/** The best for each media, series, method and known object, the nearest first; beyond a few objects of one series the rest is left out. */
export function bestPerObject(evidence: readonly ModelEvidence[]): ModelEvidence[] {
  const seen = new Set<string>();
  const objects = new Map<string, number>();
  return evidence
    .toSorted((a, b) => a.distance - b.distance || (b.inliers ?? 0) - (a.inliers ?? 0) || identity(a) - identity(b))
    .filter((one) => {
      const against = `${one.mediaId} ${one.seriesId} ${one.method} ${one.algorithm}`;
      const key = `${against} ${objectOf(one)}`;
      const before = objects.get(against) ?? 0;
      if (seen.has(key) || before >= MOST_OBJECTS) return false;
      seen.add(key);
      objects.set(against, before + 1);
      return true;
    });
}

/** Any fixed order among equals, so that the same search always gives the same evidence. */
function identity(one: ModelEvidence): number {
  return one.knownFaceId ?? one.knownMediaId ?? one.cameraId ?? 0;
}
