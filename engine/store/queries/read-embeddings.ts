import type { Keypoints } from '../../../schemas/embedding.ts';
import type { Queryable } from '../db.ts';
import { bytes, integer, nullable, row } from '../row-shape.ts';
import { type EmbeddingSpace, vectorTable } from './embedding-spaces.ts';
import { vectorFromBinary } from './vector-values.ts';

/** One stored vector with what it belongs to. */
export interface StoredVector {
  /** Null for the vector of a whole picture. */
  readonly faceId: number | null;
  readonly mediaId: number;
  readonly vector: Float32Array;
}

const STORED = row({ faceId: nullable(integer), mediaId: integer, embedding: bytes });

/** Vectors of a space by the ids it goes by (face ids of a space of faces, media ids otherwise); ids it does not have are missing. */
export async function vectorsOf(
  db: Queryable,
  space: EmbeddingSpace,
  ids: readonly number[],
): Promise<Map<number, Float32Array>> {
  const found = await db.read(
    row({ id: integer, embedding: bytes }),
    `select ${vectorTable(space).idColumn} as id, vector_send(embedding) as embedding from ${vectorTable(space).table}
      where space_ref = $1 and ${vectorTable(space).idColumn} = any($2::bigint[])`,
    [space.spaceRef, ids],
  );
  return new Map(found.map((one) => [one.id, vectorFromBinary(one.embedding)]));
}

/** All vectors of these media in a space: what to search with after a group was recorded. By media and, in it, by number of the face. */
export async function vectorsOfMedia(
  db: Queryable,
  space: EmbeddingSpace,
  mediaIds: readonly number[],
): Promise<StoredVector[]> {
  const sql =
    space.kind === 'faceEmbedding'
      ? `select f.face_id, f.media_id, vector_send(v.embedding) as embedding
           from face f join face_vector v on v.face_id = f.face_id and v.space_ref = $1
          where f.media_id = any($2::bigint[]) order by f.media_id, f.ordinal, f.face_id`
      : `select null::bigint as face_id, v.media_id, vector_send(v.embedding) as embedding
           from picture_vector v where v.space_ref = $1 and v.media_id = any($2::bigint[]) order by v.media_id`;
  const found = await db.read(STORED, sql, [space.spaceRef, mediaIds]);
  return found.map(({ embedding, ...one }) => ({ ...one, vector: vectorFromBinary(embedding) }));
}

/** Local features by media, for the port that hands them to a host for the geometric check; media without any are missing. */
export async function keypointsOf(
  db: Queryable,
  mediaIds: readonly number[],
  algorithm: Keypoints['algorithm'],
): Promise<Map<number, Keypoints>> {
  const found = await db.read(
    row({ mediaId: integer, count: integer, data: bytes }),
    'select media_id, count, data from picture_keypoints where media_id = any($1::bigint[]) and algorithm = $2',
    [mediaIds, algorithm],
  );
  return new Map(
    found.map(({ mediaId, count, data }) => [mediaId, { algorithm, count, data: data.toString('base64') }]),
  );
}
