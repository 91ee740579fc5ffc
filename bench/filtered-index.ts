import type { VectorHit } from '../engine/search/vector-search.ts';
import type { Db } from '../engine/store/db.ts';
import { type EmbeddingSpace, vectorTable } from '../engine/store/queries/embedding-spaces.ts';
import { scopeSql } from '../engine/store/queries/gallery.ts';
import { vectorLiteral } from '../engine/store/queries/vector-values.ts';
import { integer, real, row } from '../engine/store/row-shape.ts';

/** The way that the engine does not take for a search with a filter, measured beside the one it takes: the index is read on until enough that is allowed was found. */

/** How pgvector goes on in its index (README of pgvector, "Iterative Index Scans"). */
export interface IterativeScan {
  readonly order: 'relaxed_order' | 'strict_order';
  /** hnsw.max_scan_tuples */
  readonly mostTuples: number;
}

export const ITERATIVE_SCANS: readonly IterativeScan[] = [
  { order: 'strict_order', mostTuples: 20_000 },
  { order: 'relaxed_order', mostTuples: 100_000 },
  { order: 'relaxed_order', mostTuples: 400_000 },
];

/** Allowed candidates that are ranked again by the full vectors, for each hit. */
const CANDIDATES_PER_HIT = 10;
const NEAR = row({ query: integer, mediaId: integer, distance: real });

/** The nearest pictures among those allowed, by half precision in the index and then by the full vectors. */
export async function filteredByIndex(
  db: Db,
  space: EmbeddingSpace,
  queries: readonly Float32Array[],
  among: readonly number[],
  limit: number,
  scan: IterativeScan,
): Promise<(readonly VectorHit[])[]> {
  const { table } = vectorTable(space);
  const type = `halfvec(${space.dimensions})`;
  const found = await db.transaction(async (tx) => {
    await tx.script(`
      create temporary table allowed (media_id bigint primary key) on commit drop;
      set local hnsw.ef_search = 1000;
      set local hnsw.iterative_scan = ${scan.order};
      set local hnsw.max_scan_tuples = ${scan.mostTuples};
      set local hnsw.scan_mem_multiplier = 8;
      set local enable_sort = off;`);
    await tx.execute('insert into allowed select unnest($1::bigint[])', [among]);
    await tx.script('analyze allowed');
    return await tx.read(
      NEAR,
      `with q as materialized (
         select number, literal::vector as embedding from unnest($1::text[]) with ordinality as t(literal, number)
       )
       select q.number - 1 as query, h.media_id, h.distance
         from q cross join lateral (
           select c.media_id, c.embedding <=> q.embedding as distance from (
             select v.media_id, v.embedding from ${table} v
              where ${scopeSql(space, 'gallery')} and exists (select from allowed a where a.media_id = v.media_id offset 0)
              order by (v.embedding::${type}) <=> q.embedding::${type} limit ${limit * CANDIDATES_PER_HIT}
           ) c order by c.embedding <=> q.embedding limit ${limit}
         ) h`,
      [queries.map(vectorLiteral)],
    );
  });
  const hits: VectorHit[][] = queries.map(() => []);
  for (const { query, mediaId, distance } of found)
    hits[query]?.push({ faceId: null, mediaId, distance, similarities: [1 - distance] });
  return hits;
}
