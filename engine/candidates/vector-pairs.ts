import { log10LikelihoodRatio } from '../match/likelihood.ts';
import type { VectorMethod } from '../match/model-evidence.ts';
import { FACE_GATE } from '../match/model-faces.ts';
import type { Db } from '../store/db.ts';
import { integer, real, row } from '../store/row-shape.ts';
import type { PairEvidence, PairSource } from './pair-evidence.ts';

/** Vectors that are compared with all others in one statement. */
const BLOCK = 200;
/** Of each vector the nearest so many: a group needs no more to hold together. */
const MOST_NEIGHBOURS = 48;

type VectorKind = 'face' | 'copy' | 'place';

/** A vector's own number (of its face, or of its media) and the media it belongs to. */
interface Vector {
  readonly id: number;
  readonly mediaId: number;
}

/**
 * Pairs by the vectors of a method, the nearest of each: faces that pass the gate, or whole pictures. Similarities are those of the
 * method, exact. A method without a calibration gives none: nothing is known of what its scores are worth.
 * Compares each with all others in the database: for up to some ten thousand vectors.
 */
export function vectorPairs(db: Db, kind: VectorKind, method: VectorMethod): PairSource {
  return {
    level: kind === 'copy' ? 'copies' : 'scenes',
    async *pairs(mediaIds) {
      const { calibration } = method;
      const leastSimilarity = leastUsefulSimilarity(method);
      if (calibration === null || leastSimilarity === null) return;
      const spaceRefs = await spaceRefsOf(db, method);
      if (spaceRefs === null) return;
      const vectors = await vectorsOf(db, kind, mediaIds, spaceRefs);
      const mediaOf = new Map(vectors.map(({ id, mediaId }) => [id, mediaId]));
      const all = vectors.map(({ id }) => id);
      const sql = nearestSql(kind, method, spaceRefs);
      for (let at = 0; at < all.length; at += BLOCK) {
        const found = await db.read(NEAREST, sql, [all.slice(at, at + BLOCK), all, leastSimilarity]);
        yield found.flatMap(({ id, otherId, similarity }): PairEvidence[] => {
          const [mediaId, otherMediaId] = [mediaOf.get(id), mediaOf.get(otherId)];
          // Two faces in one picture are two people.
          if (mediaId === undefined || otherMediaId === undefined || mediaId === otherMediaId) return [];
          return [
            {
              mediaId,
              otherMediaId,
              method: kind,
              distance: 1 - similarity,
              log10LikelihoodRatio: log10LikelihoodRatio(calibration, similarity),
              ...(kind === 'face' ? { faceId: id, otherFaceId: otherId } : {}),
            },
          ];
        });
      }
    },
  };
}

const NEAREST = row({ id: integer, otherId: integer, similarity: real });

/** The least calibrated score that speaks for a pair rather than against it; null where none does. */
export function leastUsefulSimilarity({ calibration }: VectorMethod): number | null {
  const scores = (calibration?.points ?? []).map(({ score }) => score).sort((a, b) => a - b);
  return scores.find((score) => calibration !== null && log10LikelihoodRatio(calibration, score) > 0) ?? null;
}

/** Null where one of the spaces is not here: a score of fewer parts is another score. */
async function spaceRefsOf(db: Db, method: VectorMethod): Promise<number[] | null> {
  const names = method.spaces.map(({ space }) => space);
  const found = await db.read(
    row({ spaceRef: integer, place: integer }),
    `select s.space_ref, w.place from unnest($1::text[]) with ordinality as w(name, place)
       join embedding_space s on s.pack_id || '@' || s.pack_version || '/' || s.output = w.name
      order by w.place`,
    [names],
  );
  return found.length === names.length ? found.map(({ spaceRef }) => spaceRef) : null;
}

async function vectorsOf(
  db: Db,
  kind: VectorKind,
  mediaIds: readonly number[],
  spaceRefs: readonly number[],
): Promise<Vector[]> {
  const shape = row({ id: integer, mediaId: integer });
  if (kind !== 'face') {
    return await db.read(
      shape,
      `select media_id as id, media_id from picture_vector where media_id = any($1::bigint[]) and space_ref = any($2::smallint[])
        group by media_id having count(*) = $3 order by media_id`,
      [mediaIds, spaceRefs, spaceRefs.length],
    );
  }
  return await db.read(
    shape,
    `select f.face_id as id, f.media_id from face f join face_vector v on v.face_id = f.face_id and v.space_ref = any($2::smallint[])
      where f.media_id = any($1::bigint[]) and f.eye_distance_pixels >= $4 and f.sharpness >= $5
        and abs(f.yaw_degrees) <= $6 and abs(f.pitch_degrees) <= $7
      group by f.face_id, f.media_id having count(*) = $3 order by f.face_id`,
    [
      mediaIds,
      spaceRefs,
      spaceRefs.length,
      FACE_GATE.leastEyeDistancePixels,
      FACE_GATE.leastSharpness,
      FACE_GATE.mostYawDegrees,
      FACE_GATE.mostPitchDegrees,
    ],
  );
}

/** Space numbers and weights are ours, not from outside: they become part of the SQL, which differs by how many spaces a method has. */
function nearestSql(kind: VectorKind, method: VectorMethod, spaceRefs: readonly number[]): string {
  const [table, key] = kind === 'face' ? ['face_vector', 'face_id'] : ['picture_vector', 'media_id'];
  const joins = (side: string): string =>
    spaceRefs
      .map(
        (ref, at) =>
          `join ${table} ${side}${at} on ${side}${at}.${key} = ${side}.id and ${side}${at}.space_ref = ${ref}`,
      )
      .join(' ');
  const weights = method.spaces.reduce((sum, { weight }) => sum + weight, 0);
  const score = method.spaces
    .map(({ weight }, at) => `${weight} * (1 - (a${at}.embedding <=> b${at}.embedding))`)
    .join(' + ');
  return `
    select a.id, b.id as other_id, b.similarity
      from unnest($1::bigint[]) as a(id) ${joins('a')}
     cross join lateral (
       select b.id, (${score}) / ${weights} as similarity
         from unnest($2::bigint[]) as b(id) ${joins('b')}
        where b.id <> a.id and (${score}) / ${weights} >= $3
        order by similarity desc, b.id limit ${MOST_NEIGHBOURS}
     ) b
     order by a.id, b.similarity desc, b.id`;
}
