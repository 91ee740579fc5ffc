import type { Capabilities, Db } from '../db.ts';
import { integer, row } from '../row-shape.ts';
import { type EmbeddingSpace, vectorTable } from './embedding-spaces.ts';
import { scopeSql, type VectorScope } from './gallery.ts';

/** pgvector's HNSW: links of a node and breadth of the search while building; README of pgvector, "Index Options". */
export interface IndexBuild {
  readonly links: number;
  readonly breadth: number;
}

/** Most dimensions that HNSW takes (README of pgvector, "Indexing"). */
const MOST_DIMENSIONS = { vector: 2000, halfvec: 4000 } as const;
/** Building stays in this much memory, or gets ten times slower; the graph of a million vectors needs more and is worth the wait. */
const MOST_BUILD_MEMORY_MB = 1024;
const LEAST_BUILD_MEMORY_MB = 64;

/**
 * The type to index by; null where the vectors are too long for any index. Half precision takes half the memory and ranks alike, but in
 * the embedded database, which runs as WebAssembly on one core, it takes four times as long to build.
 */
export function indexedAs(dimensions: number, capabilities: Capabilities): 'vector' | 'halfvec' | null {
  if (!capabilities.parallelQuery && dimensions <= MOST_DIMENSIONS.vector) return 'vector';
  return dimensions <= MOST_DIMENSIONS.halfvec ? 'halfvec' : null;
}

const indexName = (space: EmbeddingSpace, scope: VectorScope): string =>
  `${vectorTable(space).table}_${scope}_hnsw_${space.spaceRef}`;

/**
 * Builds the index of a scope anew, after the vectors are there: filling an index row by row takes many times longer. Whoever writes
 * vectors waits meanwhile, whoever reads does not. Returns false where the vectors are too long to be indexed.
 */
export async function buildVectorIndex(
  db: Db,
  space: EmbeddingSpace,
  scope: VectorScope,
  build: IndexBuild,
): Promise<boolean> {
  const type = indexedAs(space.dimensions, db.capabilities);
  if (type === null) return false;
  const { table } = vectorTable(space);
  const condition = scopeSql(space, scope).replaceAll('v.', '');
  await db.transaction(async (tx) => {
    const [counted] = await tx.read(
      row({ vectors: integer }),
      `select count(*) as vectors from ${table} where ${condition}`,
    );
    // The vector, its links (two layers' worth of pointers) and what the allocator adds.
    const bytesEach = space.dimensions * (type === 'halfvec' ? 2 : 4) + build.links * 3 * 8 + 200;
    const megabytes = Math.ceil(((counted?.vectors ?? 0) * bytesEach * 1.2) / 1e6);
    const memory = Math.min(MOST_BUILD_MEMORY_MB, Math.max(LEAST_BUILD_MEMORY_MB, megabytes));
    await tx.script(`
      set local maintenance_work_mem = '${memory}MB';
      drop index if exists ${indexName(space, scope)};
      create index ${indexName(space, scope)} on ${table}
        using hnsw ((embedding::${type}(${space.dimensions})) ${type}_cosine_ops)
        with (m = ${build.links}, ef_construction = ${build.breadth}) where ${condition};`);
  });
  // Without the statistics of the expression the planner takes the index for no better than a scan.
  await db.execute(`analyze ${table}`);
  return true;
}

export async function hasVectorIndex(db: Db, space: EmbeddingSpace, scope: VectorScope): Promise<boolean> {
  const [found] = await db.read(
    row({ indexes: integer }),
    `select count(*) as indexes from pg_index i where i.indexrelid = to_regclass($1) and i.indisvalid`,
    [indexName(space, scope)],
  );
  return (found?.indexes ?? 0) > 0;
}

export async function dropVectorIndexes(db: Db, space: EmbeddingSpace): Promise<void> {
  for (const scope of ['gallery', 'all'] as const) await db.execute(`drop index if exists ${indexName(space, scope)}`);
}
