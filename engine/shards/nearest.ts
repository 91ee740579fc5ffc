import { HomewardError } from '../../schemas/error.ts';
import type { Db } from '../store/db.ts';
import { type EmbeddingSpace, spaceName, vectorTable } from '../store/queries/embedding-spaces.ts';
import { scopeSql } from '../store/queries/gallery.ts';
import { vectorLiteral } from '../store/queries/vector-values.ts';
import { integer, real, row } from '../store/row-shape.ts';
import { askingShards, foreignTable, type PlanLine, type Shard, shardsInUse } from './shard.ts';
import { galleryRevision } from './sync.ts';

const NEAR = row({ query: integer, ownerId: integer, mediaId: integer, distance: real });

export interface NearVector {
  /** The face, or the media of a picture. */
  readonly ownerId: number;
  readonly mediaId: number;
  /** Cosine distance, 0 to 2. */
  readonly distance: number;
}

/**
 * The nearest of a gallery over all shards, exactly: each gives its nearest `limit`, sorted and cut there, and they are merged here.
 * @throws HW_SHARD_UNREACHABLE; HW_SHARD_STALE where a gallery has changed since its copies were made
 */
export async function nearestOverShards(
  db: Db,
  space: EmbeddingSpace,
  queries: readonly Float32Array[],
  limit: number,
): Promise<(readonly NearVector[])[]> {
  const shards = await shardsInUse(db);
  return await askingShards(
    db,
    shards,
    async () =>
      await db.transaction(async (tx) => {
        await tx.script('set transaction isolation level repeatable read');
        const own = await galleryRevision(tx, space);
        for (const shard of shards) {
          const [theirs] = await tx.read(
            row({ galleryRevision: integer }),
            `select gallery_revision from ${foreignTable('gallery', shard)} where space_ref = ${space.spaceRef}`,
          );
          if (theirs?.galleryRevision !== own) throw stale(space, shard);
        }
        const found = await tx.read(NEAR, nearestSql(space, shards), [queries.map(vectorLiteral), limit]);
        const hits: NearVector[][] = queries.map(() => []);
        for (const { query, ...hit } of found) hits[query]?.push(hit);
        return hits;
      }),
  );
}

/** The plan of such a search, one line each. */
export async function explainNearest(db: Db, space: EmbeddingSpace, query: Float32Array): Promise<string[]> {
  const sql = nearestSql(space, await shardsInUse(db));
  const lines = await db.query<PlanLine>(`explain (verbose, costs off) ${sql}`, [[vectorLiteral(query)], 10]);
  return lines.map((line) => line['QUERY PLAN']);
}

// A query of its own for each shard: only so are the order and the limit sent along. Over the parent the limit stays here, and each shard sorts all that it has.
// `offset 0`: otherwise their order is made use of for merging, one shard after the other, and nothing is cut there.
// The join reads here what is in the gallery; the revisions being equal, it drops nothing.
function nearestSql(space: EmbeddingSpace, shards: readonly Shard[]): string {
  const { table, idColumn } = vectorTable(space);
  const parts = shards.map(
    (
      shard,
    ) => `(select s.owner_id, s.media_id, s.embedding <=> q.embedding as distance from ${foreignTable('vectors', shard)} s
        where s.space_ref = ${space.spaceRef} order by s.embedding <=> q.embedding, s.owner_id limit $2)`,
  );
  return `
with q as materialized (
  select ordinality as number, literal::vector as embedding from unnest($1::text[]) with ordinality as t(literal, ordinality)
)
select q.number - 1 as query, h.owner_id, h.media_id, h.distance
  from q cross join lateral (
    select * from (${parts.join(' union all ')} offset 0) merged order by distance, owner_id limit $2
  ) h
  join ${table} v on v.${idColumn} = h.owner_id and ${scopeSql(space, 'gallery')}
 order by q.number, h.distance, h.owner_id`;
}

function stale(space: EmbeddingSpace, shard: Shard): HomewardError {
  return new HomewardError(
    'HW_SHARD_STALE',
    `expected the copies of ${spaceName(space)} on the shard ${shard.name} to be as the gallery is now, received older ones or none; run homeward db shard sync`,
  );
}
