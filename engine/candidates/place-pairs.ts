import { type Keypoints, MOST_KEYPOINTS } from '../../schemas/embedding.ts';
import type { CompareKeypoints } from '../match/find-model-evidence.ts';
import { log10LikelihoodRatio } from '../match/likelihood.ts';
import type { SearchedMethod } from '../match/model-methods.ts';
import type { PlaceMethod } from '../match/model-pictures.ts';
import type { VectorHit, VectorSearch } from '../search/vector-search.ts';
import type { Db } from '../store/db.ts';
import { keypointsOf } from '../store/queries/read-embeddings.ts';
import type { PairEvidence, PairSource } from './pair-evidence.ts';
import { queriesOf } from './vector-pairs.ts';

/** Pictures that are searched with in one go. */
const BLOCK = 100;
/** The geometric check is made for so many of a picture's nearest places: what the reference figures were taken with. */
const PLACES_CHECKED = 15;
/**
 * Correspondences that fit one scene, below which a pair is no tie. Fewer than evidence against a known place needs (15): there a pair
 * stands alone, here it has to fit a group. bench/candidate-series.ts measures what comes of it.
 */
const LEAST_INLIERS = 11;

export interface PlacePairOptions {
  readonly db: Db;
  readonly search: VectorSearch;
  readonly searched: SearchedMethod<PlaceMethod>;
  /** Hands keypoints to where pictures may be compared; in the order of the candidates, null where it cost its host. */
  readonly compare: CompareKeypoints;
  /** For measuring; LEAST_INLIERS unless given. */
  readonly leastInliers?: number;
}

/**
 * Pairs of pictures of one place: of the nearest by vector, however near, those whose details fit one scene, weighed by how many do.
 * Vectors alone tie nothing, rooms look too much alike: on public pictures they made as many wrong pairs as right ones. Without a
 * calibration of the geometric check there are none.
 */
export function placePairs(options: PlacePairOptions): PairSource {
  return {
    level: 'scenes',
    async *pairs(mediaIds) {
      const { db, search, searched } = options;
      if (searched.method.geometryCalibration === null) return;
      // A pair is checked once, whichever of the two comes first: two draws of the same chance would find more by chance.
      const seen = new Set<number>();
      const first = mediaIds[0] ?? 0;
      const span = (mediaIds.at(-1) ?? 0) - first + 1;
      const isNew = (one: number, other: number): boolean => {
        const key = (Math.min(one, other) - first) * span + (Math.max(one, other) - first);
        return seen.size < seen.add(key).size;
      };
      for (let at = 0; at < mediaIds.length; at += BLOCK) {
        const asked = await queriesOf(db, searched, mediaIds.slice(at, at + BLOCK));
        const hits = await search.nearest(
          searched.spaces,
          asked.map(({ query }) => query),
          {
            scope: 'all',
            limit: PLACES_CHECKED,
            minimumSimilarity: -1,
            among: mediaIds,
            exceptMediaIds: asked.map(({ id }) => id),
          },
        );
        const fresh = asked.map(({ id }, place) => (hits[place] ?? []).filter((hit) => isNew(id, hit.mediaId)));
        const ids = [...asked.map(({ id }) => id), ...fresh.flat().map(({ mediaId }) => mediaId)];
        const keypoints = await keypointsOf(db, [...new Set(ids)], 'rootsift/1');
        const pairs = await Promise.all(
          asked.map(async ({ id }, place) => await checkedPairs(options, keypoints, id, fresh[place] ?? [])),
        );
        yield pairs.flat();
      }
    },
  };
}

async function checkedPairs(
  { searched, compare, leastInliers = LEAST_INLIERS }: PlacePairOptions,
  keypoints: ReadonlyMap<number, Keypoints>,
  mediaId: number,
  near: readonly VectorHit[],
): Promise<PairEvidence[]> {
  const { geometryCalibration } = searched.method;
  const own = keypoints.get(mediaId);
  const described = near.flatMap((hit) => {
    const other = keypoints.get(hit.mediaId);
    return other === undefined ? [] : [{ hit, other }];
  });
  if (own === undefined || described.length === 0 || geometryCalibration === null) return [];
  const results = await compare(
    own,
    described.map(({ other }) => other),
  );
  return described.flatMap(({ hit }, at): PairEvidence[] => {
    const { fundamentalInliers = 0, homographyInliers = 0 } = results?.[at] ?? {};
    if (Math.max(fundamentalInliers, homographyInliers) < leastInliers) return [];
    const ratio = log10LikelihoodRatio(geometryCalibration, fundamentalInliers / MOST_KEYPOINTS);
    if (ratio <= 0) return [];
    return [
      {
        mediaId,
        otherMediaId: hit.mediaId,
        method: 'place',
        distance: hit.distance,
        log10LikelihoodRatio: ratio,
      },
    ];
  });
}
