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
/** Building stays in memory, or gets ten times slower. At least this much is allowed for it, and more where the server's own setting says so. */
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

/**
 * Memory that the graph of an index takes while it is built, in MB: the vector, 16 bytes a link (pointer, distance and flag; twice `links`
 * in the lowest layer) and what the allocator adds. A build that may not have as much goes on on disk, ten times slower.
 */
export function indexBuildMegabytes(
  dimensions: number,
  vectors: number,
  type: 'vector' | 'halfvec',
  build: IndexBuild,
): number {
  const bytesEach = dimensions * (type === 'halfvec' ? 2 : 4) + build.links * 2 * 16 + 250;
  return Math.ceil((vectors * bytesEach * 1.2) / 1e6);
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
    const megabytes = indexBuildMegabytes(space.dimensions, counted?.vectors ?? 0, type, build);
    const [server] = await tx.read(
      row({ megabytes: integer }),
      `select setting::bigint / 1024 as megabytes from pg_settings where name = 'maintenance_work_mem'`,
    );
    const most = Math.max(MOST_BUILD_MEMORY_MB, server?.megabytes ?? 0);
    const memory = Math.min(most, Math.max(LEAST_BUILD_MEMORY_MB, megabytes));
    // The limit that connections have would cancel the build of a few million vectors after half an hour, with nothing to show for it.
    await tx.script(`set local statement_timeout = 0; set local maintenance_work_mem = '${memory}MB'`);
    await tx.script(`
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
