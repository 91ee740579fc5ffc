import type { Db, Queryable, Transaction } from '../db.ts';
import { integer, row } from '../row-shape.ts';
import { type EmbeddingSpace, spaceName, vectorTable } from './embedding-spaces.ts';
import { dropVectorIndexes } from './vector-indexes.ts';

/** How far a space that is being built has come beside the one in use. */
export interface ReembedProgress {
  /** Media with vectors in the space in use. */
  readonly media: number;
  /** Of those, with vectors in the new one, or gone through under one of the profiles and found to give none. */
  readonly mediaDone: number;
  /** Gallery entries of the space in use that the new one has no vector for: what activating it would take out of every search. */
  readonly galleryMissing: number;
}

/** Media that have vectors in space `of`; `$n` stand for what the caller puts there. */
const mediaIn = (space: Pick<EmbeddingSpace, 'kind'>, param: string): string =>
  space.kind === 'faceEmbedding'
    ? `select distinct f.media_id from face_vector v join face f on f.face_id = v.face_id where v.space_ref = ${param}`
    : `select v.media_id from picture_vector v where v.space_ref = ${param}`;

const doneIn = (space: Pick<EmbeddingSpace, 'kind'>, param: string, profilesParam: string): string =>
  `(a.media_id in (${mediaIn(space, param)})
    or exists (select from embedding_run r where r.media_id = a.media_id and r.profile = any(${profilesParam}::bytea[]) and r.outcome <> 'failed'))`;

async function activeBeside(db: Queryable, space: EmbeddingSpace): Promise<number | null> {
  const [active] = await db.read(
    row({ spaceRef: integer }),
    `select space_ref from embedding_space where pack_id = $1 and output = $2 and state = 'active' and space_ref <> $3`,
    [space.packId, space.output, space.spaceRef],
  );
  return active?.spaceRef ?? null;
}

/** `profiles`: 32 bytes each, of the runs that fill the new space, as in embedding_run. */
export async function reembedProgress(
  db: Queryable,
  building: EmbeddingSpace,
  profiles: readonly Uint8Array[],
): Promise<ReembedProgress> {
  const active = await activeBeside(db, building);
  if (active === null) return { media: 0, mediaDone: 0, galleryMissing: 0 };
  const [counted] = await db.read(
    row({ media: integer, mediaDone: integer }),
    `select count(*) as media, count(*) filter (where ${doneIn(building, '$2', '$3')}) as media_done
       from (${mediaIn(building, '$1')}) a`,
    [active, building.spaceRef, profiles],
  );
  return {
    media: counted?.media ?? 0,
    mediaDone: counted?.mediaDone ?? 0,
    galleryMissing: await galleryMissing(db, building, active),
  };
}

async function galleryMissing(db: Queryable, building: EmbeddingSpace, active: number): Promise<number> {
  const { table, idColumn } = vectorTable(building);
  const [counted] = await db.read(
    row({ missing: integer }),
    `select count(*) as missing from ${table} a
      where a.space_ref = $1 and a.in_gallery
        and not exists (select from ${table} b where b.space_ref = $2 and b.${idColumn} = a.${idColumn})`,
    [active, building.spaceRef],
  );
  return counted?.missing ?? 0;
}

export type Activation =
  | { readonly activated: true; readonly retired: readonly number[] }
  | { readonly activated: false; readonly galleryMissing: number };

/**
 * Puts these spaces in the place of their predecessors, all or none, in one transaction: the outputs of a pack go together. Not done
 * while a gallery entry would be lost to searching (its file was not at hand, or gives no vector any more), unless `acceptMissing`.
 */
export async function activateSpaces(
  db: Db,
  spaces: readonly EmbeddingSpace[],
  { acceptMissing = false }: { readonly acceptMissing?: boolean } = {},
): Promise<Activation> {
  return await db.transaction(async (tx) => {
    // Galleries change under a lock on the row of their space, so that none changes between the count and the swap.
    await tx.execute('lock table embedding_space in share row exclusive mode');
    const swaps: { readonly space: EmbeddingSpace; readonly active: number | null }[] = [];
    for (const space of spaces) swaps.push({ space, active: await activeBeside(tx, space) });
    for (const { space, active } of swaps) if (active !== null) await carryGallery(tx, space, active);
    let missing = 0;
    for (const { space, active } of swaps) if (active !== null) missing += await galleryMissing(tx, space, active);
    if (missing > 0 && !acceptMissing) return { activated: false, galleryMissing: missing };
    const retired: number[] = [];
    for (const { space, active } of swaps) {
      if (active !== null) {
        retired.push(active);
        await tx.execute(`update embedding_space set state = 'retired' where space_ref = $1`, [active]);
      }
      await tx.execute(`update embedding_space set state = 'active' where space_ref = $1`, [space.spaceRef]);
    }
    return { activated: true, retired };
  });
}

/** The gallery of the new space is that of the old one: vectors may have been recorded before their face came into it. */
async function carryGallery(tx: Transaction, space: EmbeddingSpace, active: number): Promise<void> {
  const { table, idColumn } = vectorTable(space);
  await tx.execute(
    `update ${table} n set in_gallery = o.in_gallery from ${table} o
      where n.space_ref = $1 and o.space_ref = $2 and o.${idColumn} = n.${idColumn} and n.in_gallery <> o.in_gallery`,
    [space.spaceRef, active],
  );
}

/** Vectors deleted at once: few enough that nobody waits for long. */
const DROP_ROWS = 20_000;

/**
 * Deletes a space with its vectors and indexes, in steps: interrupted, it goes on when called again.
 * @throws RangeError for a space that is searched
 */
export async function dropSpace(db: Db, space: EmbeddingSpace): Promise<void> {
  const { table } = vectorTable(space);
  const retired = await db.execute(
    `update embedding_space set state = 'retired' where space_ref = $1 and state <> 'active'`,
    [space.spaceRef],
  );
  if (retired === 0) throw new RangeError(`expected a space out of use to drop, received ${spaceName(space)} in use`);
  await dropVectorIndexes(db, space);
  for (let deleted = DROP_ROWS; deleted === DROP_ROWS; ) {
    deleted = await db.execute(
      `delete from ${table} where ctid = any(array(select ctid from ${table} where space_ref = $1 limit ${DROP_ROWS}))`,
      [space.spaceRef],
    );
  }
  await db.execute('delete from embedding_space where space_ref = $1', [space.spaceRef]);
}
