import type { Queryable, Transaction } from '../db.ts';
import { integer, row } from '../row-shape.ts';
import { type EmbeddingSpace, vectorTable } from './embedding-spaces.ts';

/** Takes faces into what is searched, or out of it, in every space that has them. Returns how many vectors changed. */
export async function setFaceInGallery(
  tx: Transaction,
  faceIds: readonly number[],
  inGallery: boolean,
): Promise<number> {
  return await tx.execute(
    `update face_vector set in_gallery = $2 where face_id = any($1::bigint[]) and in_gallery <> $2`,
    [faceIds, inGallery],
  );
}

/** The same for the vectors of whole pictures; the faces in them are not touched. */
export async function setMediaInGallery(
  tx: Transaction,
  mediaIds: readonly number[],
  inGallery: boolean,
): Promise<number> {
  return await tx.execute(
    `update picture_vector set in_gallery = $2 where media_id = any($1::bigint[]) and in_gallery <> $2`,
    [mediaIds, inGallery],
  );
}

/** Vectors of a space that a search of the gallery compares with: what expected numbers of false matches are counted by. */
export async function gallerySize(db: Queryable, space: EmbeddingSpace): Promise<number> {
  return await countVectors(db, space, 'gallery');
}

/** What a search looks through: `gallery` what belongs to a subject, series or place, `all` every vector of the space. */
export type VectorScope = 'gallery' | 'all';

/** Condition of a scope as SQL, on the table of the vectors as `v`. */
export function scopeSql(space: Pick<EmbeddingSpace, 'spaceRef'>, scope: VectorScope): string {
  if (!Number.isSafeInteger(space.spaceRef))
    throw new RangeError(`expected the number of a space, received ${space.spaceRef}`);
  // Its number in the text and not as a parameter: otherwise the planner does not know which partial index it may use.
  return `v.space_ref = ${space.spaceRef}${scope === 'gallery' ? ' and v.in_gallery' : ''}`;
}

export async function countVectors(db: Queryable, space: EmbeddingSpace, scope: VectorScope): Promise<number> {
  const [counted] = await db.read(
    row({ vectors: integer }),
    `select count(*) as vectors from ${vectorTable(space).table} v where ${scopeSql(space, scope)}`,
  );
  return counted?.vectors ?? 0;
}
