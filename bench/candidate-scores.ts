import { GROUPED_FACE_GATE, queriesOf } from '../engine/candidates/vector-pairs.ts';
import type { SearchedMethod } from '../engine/match/model-methods.ts';
import type { PlaceMethod } from '../engine/match/model-pictures.ts';
import type { VectorSearch } from '../engine/search/vector-search.ts';
import type { Db } from '../engine/store/db.ts';
import { keypointsOf } from '../engine/store/queries/read-embeddings.ts';
import { type Keypoints, MOST_KEYPOINTS } from '../schemas/embedding.ts';
import type { PackCalibration } from '../schemas/model-pack.ts';
import { compareGeometry } from '../workers/geometry/compare-geometry.ts';

/** Scores of pairs of media, and what they are worth counted on some of them. */

export interface MediaPair {
  readonly a: number;
  readonly b: number;
  readonly score: number;
}

/** Pairs of media by their most alike faces, of those that are grouped at all: at least this much alike by the fused score. */
export async function facePairScores(
  db: Db,
  search: VectorSearch,
  searched: SearchedMethod,
  least: number,
): Promise<MediaPair[]> {
  const faces = await db.query<{ face_id: number; media_id: number }>(
    'select face_id, media_id from face where eye_distance_pixels >= $1 and sharpness >= $2 order by face_id',
    [GROUPED_FACE_GATE.leastEyeDistancePixels, GROUPED_FACE_GATE.leastSharpness],
  );
  const mediaOf = new Map(faces.map((face) => [face.face_id, face.media_id]));
  const among = [...mediaOf.keys()];
  const asked = await queriesOf(db, searched, among);
  const hits = await search.nearest(
    searched.spaces,
    asked.map(({ query }) => query),
    { scope: 'all', limit: asked.length, minimumSimilarity: least, among },
  );
  const best = new Map<string, MediaPair>();
  for (const [place, { id }] of asked.entries()) {
    const own = mediaOf.get(id) ?? 0;
    for (const { mediaId, distance } of hits[place] ?? []) {
      if (mediaId !== own) keepBest(best, own, mediaId, 1 - distance);
    }
  }
  return [...best.values()];
}

const pairKey = (one: number, other: number): string => `${Math.min(one, other)} ${Math.max(one, other)}`;

function keepBest(best: Map<string, MediaPair>, one: number, other: number, score: number): void {
  const key = pairKey(one, other);
  const [a, b] = one < other ? [one, other] : [other, one];
  best.set(key, { a, b, score: Math.max(score, best.get(key)?.score ?? score) });
}

/** Pairs of each picture with its fifteen nearest, by the share of keypoints that fit a fundamental matrix. */
export async function geometryScores(
  db: Db,
  search: VectorSearch,
  searched: SearchedMethod<PlaceMethod>,
  mediaIds: readonly number[],
  compare: (one: Keypoints, other: Keypoints) => ReturnType<typeof compareGeometry>,
): Promise<MediaPair[]> {
  const asked = await queriesOf(db, searched, mediaIds);
  const hits = await search.nearest(
    searched.spaces,
    asked.map(({ query }) => query),
    { scope: 'all', limit: 15, minimumSimilarity: -1, exceptMediaIds: asked.map(({ id }) => id) },
  );
  const keypoints = await keypointsOf(db, mediaIds, 'rootsift/1');
  const scores = new Map<string, MediaPair>();
  for (const [place, { id }] of asked.entries()) {
    for (const { mediaId } of hits[place] ?? []) {
      const [one, other] = [keypoints.get(id), keypoints.get(mediaId)];
      if (one === undefined || other === undefined || scores.has(pairKey(id, mediaId))) continue;
      keepBest(scores, id, mediaId, compare(one, other).fundamentalInliers / MOST_KEYPOINTS);
    }
  }
  return [...scores.values()];
}

/** The geometric check, which gives the same for the same keypoints: each pair is computed once for all runs. */
export function rememberedGeometry(): (one: Keypoints, other: Keypoints) => ReturnType<typeof compareGeometry> {
  const numbers = new Map<string, number>();
  const results = new Map<string, ReturnType<typeof compareGeometry>>();
  const numberOf = (keypoints: Keypoints): number => {
    const known = numbers.get(keypoints.data) ?? numbers.size;
    numbers.set(keypoints.data, known);
    return known;
  };
  return (one, other) => {
    const key = `${numberOf(one)} ${numberOf(other)}`;
    const result = results.get(key) ?? compareGeometry(one, other);
    results.set(key, result);
    return result;
  };
}

/** Upper end of the 95 % interval of a share (Wilson 1927); of none seen, what so many trials can show. */
function upperBound(hits: number, of: number): number {
  if (hits === 0) return 1 - 0.05 ** (1 / of);
  const z = 1.96;
  const share = hits / of;
  const spread = z * Math.sqrt((share * (1 - share)) / of + z ** 2 / (4 * of ** 2));
  return Math.min(1, (share + z ** 2 / (2 * of) + spread) / (1 + z ** 2 / of));
}

/**
 * Cumulative counts over all pairs of some media, of which those without a score are below every point.
 * @param kinds of the pairs of `pairs`: true the same, false different, null not to be counted
 */
export function countedCalibration(
  pairs: readonly MediaPair[],
  kinds: (pair: MediaPair) => boolean | null,
  totals: { readonly same: number; readonly different: number },
  scores: readonly number[],
): PackCalibration {
  const counted = pairs.map((pair) => ({ score: pair.score, same: kinds(pair) }));
  return {
    data: 'data/faces and data/places without one part of their labels',
    identities: 0,
    samePairs: totals.same,
    differentPairs: totals.different,
    points: scores.map((score) => {
      const reached = counted.filter((one) => one.score >= score);
      const differentPairs = reached.filter((one) => one.same === false).length;
      return {
        score,
        samePairs: reached.filter((one) => one.same === true).length,
        differentPairs,
        falseMatchRateUpper95: upperBound(differentPairs, totals.different),
      };
    }),
  };
}
