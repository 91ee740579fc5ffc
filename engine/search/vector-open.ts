import os from 'node:os';
import type { Db } from '../store/db.ts';
import { listSpaces } from '../store/queries/embedding-spaces.ts';
import { countVectors, type VectorScope } from '../store/queries/gallery.ts';
import { buildVectorIndex, hasVectorIndex, type IndexBuild } from '../store/queries/vector-indexes.ts';
import { MemoryVectors, revisionOf, searchKey } from './vector-memory.ts';
import { INDEX_BREADTH, PgvectorVectors } from './vector-pgvector.ts';
import type { NearestOptions, SearchedSpaces, VectorHit, VectorQuery, VectorSearch } from './vector-search.ts';

const GIB = 1024 ** 3;
/**
 * What vectors may take of this process's memory for each search of them: a sixth of the machine's, a million vectors of 816 values at
 * most, for 32 bits of address end at 4 GiB. In memory the exact search of 100,000 vectors of 816 values takes less time than the
 * approximate one by index, so the index is left for what does not fit.
 */
const mostMemoryBytesHere = (): number => Math.min(3.25 * GIB, Math.max(GIB, os.totalmem() / 6));
/**
 * Up to these the index was measured to find 99 of 100 of the ten nearest, the least that may be answered by it. Over a million vectors of
 * 816 values it found 94 at the breadth taken and 98 at four times that, slower than comparing with all (bench/vector-million.ts).
 */
const INDEX_MEASURED = { anyNumberUpToDimensions: 128, anyDimensionsUpToVectors: 100_000 } as const;
/** Fewer than this the database itself compares in well under a second; an index over them is not worth its upkeep. */
export const LEAST_INDEXED = 20_000;
/** What recall was measured at in bench/vector-recall.ts. */
export const INDEX_BUILD: IndexBuild = { links: 24, breadth: 100 };

export interface VectorSearchOptions {
  readonly mostMemoryBytes?: number;
}
export interface VectorIndexOptions extends VectorSearchOptions {
  readonly leastIndexed?: number;
}

/** The search that suits how much there is to search. Close it with the batch. */
export function openVectorSearch(
  db: Db,
  { mostMemoryBytes = mostMemoryBytesHere() }: VectorSearchOptions = {},
): VectorSearch {
  return new VectorsBySize(db, mostMemoryBytes);
}

/**
 * Builds the indexes of spaces in use that have grown past what is searched in memory; call it after bulk loading, such as when a scan or
 * re-embedding ends. Returns how many were built. An index is kept up by the database from then on.
 */
export async function buildNeededVectorIndexes(
  db: Db,
  { mostMemoryBytes = mostMemoryBytesHere(), leastIndexed = LEAST_INDEXED }: VectorIndexOptions = {},
): Promise<number> {
  let built = 0;
  for (const space of await listSpaces(db)) {
    if (space.state !== 'active') continue;
    for (const scope of ['gallery', 'all'] as const) {
      const vectors = await countVectors(db, space, scope);
      const fits = vectors < leastIndexed || bytesOf(vectors, [{ space, weight: 1 }]) <= mostMemoryBytes;
      if (fits || !indexFindsEnough(vectors, space) || (await hasVectorIndex(db, space, scope))) continue;
      if (await buildVectorIndex(db, space, scope, INDEX_BUILD)) built += 1;
    }
  }
  return built;
}

/** Whether an index over so many vectors was measured to find what it has to. */
export const indexFindsEnough = (vectors: number, { dimensions }: { readonly dimensions: number }): boolean =>
  dimensions <= INDEX_MEASURED.anyNumberUpToDimensions || vectors <= INDEX_MEASURED.anyDimensionsUpToVectors;

const bytesOf = (vectors: number, spaces: SearchedSpaces): number =>
  vectors * 4 * spaces.reduce((sum, { space }) => sum + space.dimensions, 0);

class VectorsBySize implements VectorSearch {
  readonly #memory: MemoryVectors;
  readonly #database: PgvectorVectors;
  readonly #databaseExactly: PgvectorVectors;
  readonly #db: Db;
  readonly #mostMemoryBytes: number;
  /** By what is searched: which way it is, as long as its revision stays. Counting it anew for each group of pictures would cost more than the search. */
  readonly #chosen = new Map<string, { readonly revision: string; readonly search: VectorSearch }>();

  constructor(db: Db, mostMemoryBytes: number) {
    this.#db = db;
    this.#memory = new MemoryVectors(db);
    this.#database = new PgvectorVectors(db, INDEX_BREADTH);
    this.#databaseExactly = new PgvectorVectors(db, null);
    this.#mostMemoryBytes = mostMemoryBytes;
  }

  get description(): string {
    return `${this.#memory.description} up to ${Math.round(this.#mostMemoryBytes / 1024 ** 2)} MiB, ${this.#database.description} beyond`;
  }

  async nearest(
    spaces: SearchedSpaces,
    queries: readonly VectorQuery[],
    options: NearestOptions,
  ): Promise<(readonly VectorHit[])[]> {
    const search = await this.#for(spaces, options.scope);
    return await search.nearest(spaces, queries, options);
  }

  async size(spaces: SearchedSpaces, scope: VectorScope): Promise<number> {
    const search = await this.#for(spaces, scope);
    return await search.size(spaces, scope);
  }

  async close(): Promise<void> {
    await this.#memory.close();
    await this.#database.close();
  }

  #suited(vectors: number, spaces: SearchedSpaces): VectorSearch {
    if (bytesOf(vectors, spaces) <= this.#mostMemoryBytes) return this.#memory;
    return spaces.every(({ space }) => indexFindsEnough(vectors, space)) ? this.#database : this.#databaseExactly;
  }

  async #for(spaces: SearchedSpaces, scope: VectorScope): Promise<VectorSearch> {
    const key = searchKey(spaces, scope);
    const revision = await revisionOf(this.#db, spaces, scope);
    const before = this.#chosen.get(key);
    if (before?.revision === revision) return before.search;
    const vectors = await this.#database.size(spaces, scope);
    const search = this.#suited(vectors, spaces);
    this.#chosen.set(key, { revision, search });
    return search;
  }
}
