import { log10LikelihoodRatio } from '../match/likelihood.ts';
import { fusedSimilarity, type VectorMethod } from '../match/model-evidence.ts';
import { FACE_GATE } from '../match/model-faces.ts';
import type { SearchedMethod } from '../match/model-methods.ts';
import type { VectorHit, VectorQuery, VectorSearch } from '../search/vector-search.ts';
import type { Db } from '../store/db.ts';
import { vectorsOf } from '../store/queries/read-embeddings.ts';
import { integer, row } from '../store/row-shape.ts';
import type { PairEvidence, PairSource } from './pair-evidence.ts';

/** Vectors that are searched with in one go. */
const BLOCK = 200;
/** Of each vector the nearest so many: a group needs no more to hold together. */
const MOST_NEIGHBOURS = 48;
/**
 * A turned or somewhat blurred face has to fit a whole group here, and what comes of it is a question to a person: so it may be turned any
 * way, and half as sharp as evidence has to be. Below that, what a detector takes for faces in blurred grounds all looks alike.
 */
export const GROUPED_FACE_GATE = {
  leastEyeDistancePixels: FACE_GATE.leastEyeDistancePixels,
  leastSharpness: FACE_GATE.leastSharpness / 2,
} as const;

export interface VectorPairOptions {
  readonly db: Db;
  readonly search: VectorSearch;
  readonly kind: 'face' | 'copy';
  readonly searched: SearchedMethod;
}

/**
 * Pairs by the vectors of a method, the nearest of each: faces, or whole pictures. Faces pass a wider gate than evidence has. A method without a calibration gives
 * none: nothing is known of what its scores are worth.
 */
export function vectorPairs(options: VectorPairOptions): PairSource {
  return {
    level: options.kind === 'copy' ? 'copies' : 'scenes',
    async *pairs(mediaIds) {
      const { db, searched, kind } = options;
      const leastSimilarity = leastUsefulSimilarity(searched.method);
      if (leastSimilarity === null) return;
      const owners = await ownersOf(db, kind, mediaIds);
      const ids = [...owners.keys()];
      for (let at = 0; at < ids.length; at += BLOCK) {
        const asked = await queriesOf(db, searched, ids.slice(at, at + BLOCK));
        const hits = await options.search.nearest(
          searched.spaces,
          asked.map(({ query }) => query),
          {
            scope: 'all',
            limit: MOST_NEIGHBOURS,
            minimumSimilarity: leastSimilarity,
            among: ids,
            exceptMediaIds: asked.map(({ id }) => owners.get(id) ?? null),
          },
        );
        const block: PairEvidence[] = [];
        for (const [place, { id }] of asked.entries()) {
          for (const hit of hits[place] ?? []) block.push(...evidenceOf(options, id, owners.get(id) ?? 0, hit));
        }
        yield block;
      }
    },
  };
}

/** The least calibrated score that speaks for a pair rather than against it; null where none does. */
export function leastUsefulSimilarity({ calibration }: VectorMethod): number | null {
  if (calibration === null) return null;
  const scores = calibration.points.map(({ score }) => score).sort((a, b) => a - b);
  return scores.find((score) => log10LikelihoodRatio(calibration, score) > 0) ?? null;
}

function evidenceOf(
  { kind, searched: { method } }: VectorPairOptions,
  id: number,
  mediaId: number,
  hit: VectorHit,
): PairEvidence[] {
  const similarities = Object.fromEntries(
    method.spaces.map(({ space }, at) => [space, hit.similarities[at] ?? Number.NaN]),
  );
  const similarity = fusedSimilarity(method, similarities);
  if (similarity === null || method.calibration === null || hit.mediaId === mediaId) return [];
  return [
    {
      mediaId,
      otherMediaId: hit.mediaId,
      method: kind,
      distance: 1 - similarity,
      log10LikelihoodRatio: log10LikelihoodRatio(method.calibration, similarity),
      ...(kind === 'face' && hit.faceId !== null ? { faceId: id, otherFaceId: hit.faceId } : {}),
    },
  ];
}

/** The media of each vector asked about, by its number: of the face, or of the media itself. */
async function ownersOf(
  db: Db,
  kind: VectorPairOptions['kind'],
  mediaIds: readonly number[],
): Promise<Map<number, number>> {
  if (kind !== 'face') return new Map(mediaIds.map((mediaId) => [mediaId, mediaId]));
  const faces = await db.read(
    row({ faceId: integer, mediaId: integer }),
    `select face_id, media_id from face
      where media_id = any($1::bigint[]) and eye_distance_pixels >= $2 and sharpness >= $3 order by face_id`,
    [mediaIds, GROUPED_FACE_GATE.leastEyeDistancePixels, GROUPED_FACE_GATE.leastSharpness],
  );
  return new Map(faces.map(({ faceId, mediaId }) => [faceId, mediaId]));
}

/** Those that have a vector in every space of the method. */
export async function queriesOf(
  db: Db,
  { spaces }: SearchedMethod,
  ids: readonly number[],
): Promise<{ readonly id: number; readonly query: VectorQuery }[]> {
  const bySpace = await Promise.all(spaces.map(async ({ space }) => await vectorsOf(db, space, ids)));
  return ids.flatMap((id) => {
    const query = bySpace.flatMap((vectors) => vectors.get(id) ?? []);
    return query.length === spaces.length ? [{ id, query }] : [];
  });
}
