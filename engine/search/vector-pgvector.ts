import { MOST_FACES } from '../../schemas/constants.ts';
import type { Db, Queryable, SqlParam } from '../store/db.ts';
import { vectorTable } from '../store/queries/embedding-spaces.ts';
import { scopeSql, type VectorScope } from '../store/queries/gallery.ts';
import { hasVectorIndex, indexedAs } from '../store/queries/vector-indexes.ts';
import { vectorLiteral } from '../store/queries/vector-values.ts';
import { integer, nullable, row, text } from '../store/row-shape.ts';
import {
  assertQueries,
  joinedVectors,
  mediaColumn,
  type NearestOptions,
  type SearchedSpaces,
  sharesOf,
  type VectorHit,
  type VectorQuery,
  type VectorSearch,
} from './vector-search.ts';

/**
 * Candidates taken from an index, at least. Over a million vectors of 128 values in small clusters recall@10 was 0.91 at 200, 0.97 at 1,000, 0.985 at 2,000 and 1.000 at
 * 4,000, at 2.6 times the queries a second of comparing with all (docs/scale.md); over 100,000 of 816 values it was 0.998 at 1,000 (bench/vector-recall.ts).
 */
export const INDEX_BREADTH = 4000;

/** From the index of each of several spaces so many times the limit: the nearest by the fused score are not the nearest by each part. */
const CANDIDATES_PER_HIT = 10;
/** hnsw.ef_search goes no higher; a broader search reads on in the index (pgvector's README, "Iterative Index Scans"). */
const MOST_BREADTH = 1000;
/**
 * hnsw.max_scan_tuples counts every vector that is looked at, which are some dozens for each candidate kept: as it comes (20,000), a search that began with 1,000
 * candidates ends before it reads on. And the most that hnsw.scan_mem_multiplier may give a search beyond work_mem.
 */
const TUPLES_PER_CANDIDATE = 64;
const SCAN_MEMORY = 8;

const HIT = row({ query: integer, faceId: nullable(integer), mediaId: integer, distances: text });

/**
 * Search by pgvector in the database: exact over every row, or by its HNSW indexes where they are. With a filter it is always exact: the
 * rows allowed are read by their key, while an iterative scan of the index, whose neighbours are mostly not allowed, had 0.84 to 0.96 of
 * the ten nearest at one in a hundred of 100,000 and took longer.
 */
export class PgvectorVectors implements VectorSearch {
  readonly description: string;
  readonly #db: Db;
  readonly #breadth: number | null;

  /** `breadth` null: every search is exact. */
  constructor(db: Db, breadth: number | null) {
    this.#db = db;
    this.#breadth = breadth;
    this.description =
      breadth === null ? 'pgvector scan (exact)' : 'pgvector HNSW (nothing found is confirmed exactly)';
  }

  async nearest(
    spaces: SearchedSpaces,
    queries: readonly VectorQuery[],
    options: NearestOptions,
  ): Promise<(readonly VectorHit[])[]> {
    assertQueries(spaces, queries, options);
    if (queries.length === 0) return [];
    const breadth = this.#breadth;
    if (breadth === null || options.among !== undefined || !(await this.#indexed(spaces, options.scope)))
      return await ask(this.#db, spaces, queries, options, '');
    const found = await this.#byIndex(spaces, queries, options, breadth);
    if (options.scope === 'all') return found;
    const empty = found.flatMap((hits, at) => (hits.length === 0 ? [at] : []));
    if (empty.length === 0) return found;
    const confirmed = await ask(
      this.#db,
      spaces,
      empty.map((at) => queries[at] ?? []),
      { ...options, exceptMediaIds: options.exceptMediaIds && empty.map((at) => options.exceptMediaIds?.[at] ?? null) },
      '',
    );
    for (const [place, at] of empty.entries()) found[at] = confirmed[place] ?? [];
    return found;
  }

  async size(spaces: SearchedSpaces, scope: VectorScope): Promise<number> {
    const [first] = spaces;
    if (first === undefined) return 0;
    const [counted] = await this.#db.read(
      row({ vectors: integer }),
      `select count(*) as vectors from ${joinedVectors(spaces).from} where ${scopeSql(first.space, scope)}`,
    );
    return counted?.vectors ?? 0;
  }

  async close(): Promise<void> {}

  async #indexed(spaces: SearchedSpaces, scope: VectorScope): Promise<boolean> {
    for (const { space } of spaces) if (!(await hasVectorIndex(this.#db, space, scope))) return false;
    return true;
  }

  /** Candidates from the index of each space, then ranked by the full vectors and the fused score. */
  async #byIndex(
    spaces: SearchedSpaces,
    queries: readonly VectorQuery[],
    options: NearestOptions,
    leastBreadth: number,
  ) {
    // Beyond the limit: half precision ranks neighbours a little differently, and the faces of one media may all be left out.
    const wanted =
      options.limit * (spaces.length === 1 ? 2 : CANDIDATES_PER_HIT) +
      (options.exceptMediaIds === undefined ? 0 : MOST_FACES);
    // Beyond what ef_search takes, the index is read on, in batches of it, until so many candidates came.
    const taken = leastBreadth > MOST_BREADTH ? Math.max(leastBreadth, wanted) : wanted;
    const candidates = spaces.map(({ space }, at) => {
      const type = indexedAs(space.dimensions, this.#db.capabilities);
      const { table, idColumn } = vectorTable(space);
      return `(select v.${idColumn} from ${table} v where ${scopeSql(space, options.scope)}
                order by (v.embedding::${type}(${space.dimensions})) <=> q.q${at}::${type}(${space.dimensions}) limit ${taken})`;
    });
    const breadth = Math.max(leastBreadth, wanted);
    const beyond = breadth > MOST_BREADTH;
    return await this.#db.transaction(async (tx) => {
      // An index that gives its rows in order needs no sort; a plan without it does, which is how the planner is kept to the index.
      await tx.script(`
        set local hnsw.ef_search = ${Math.min(MOST_BREADTH, breadth)};
        set local hnsw.iterative_scan = ${beyond ? 'relaxed_order' : 'off'};
        set local hnsw.max_scan_tuples = ${breadth * TUPLES_PER_CANDIDATE};
        set local hnsw.scan_mem_multiplier = ${beyond ? SCAN_MEMORY : 1};
        set local enable_sort = off;`);
      return await ask(
        tx,
        spaces,
        queries,
        options,
        `and ${idOf(spaces)} = any(array(${candidates.join(' union all ')}))`,
      );
    });
  }
}

const idOf = (spaces: SearchedSpaces): string => joinedVectors(spaces).id;

/** `candidates`: a further condition on the rows compared; it may use the vectors of the query as q.q0, q.q1, ... */
async function ask(
  db: Queryable,
  spaces: SearchedSpaces,
  queries: readonly VectorQuery[],
  options: NearestOptions,
  candidates: string,
): Promise<(readonly VectorHit[])[]> {
  const [first] = spaces;
  if (first === undefined) return queries.map(() => []);
  const shares = sharesOf(spaces);
  const { from, id } = joinedVectors(spaces);
  const allowed = options.among === undefined ? '' : `and ${id} = any($3::bigint[])`;
  const distances = spaces.map((_, at) => `${at === 0 ? 'v' : `p${at}`}.embedding <=> q.q${at} as d${at}`);
  const fused = shares.map((share, at) => `${share} * d${at}`).join(' + ');
  // offset 0: otherwise every distance is computed once to be sorted by and once to be shown.
  const found = await db.read(
    HIT,
    `with q as materialized (
       select number, except_id, ${spaces.map((_, at) => `literal${at}::vector as q${at}`).join(', ')}
         from unnest($1::bigint[], ${spaces.map((_, at) => `$${at + 4}::text[]`).join(', ')})
              with ordinality as t(except_id, ${spaces.map((_, at) => `literal${at}`).join(', ')}, number)
     )
     select q.number - 1 as query, h.face_id, h.media_id, concat_ws(' ', ${spaces.map((_, at) => `h.d${at}`).join(', ')}) as distances
       from q cross join lateral (
         select * from (
           select ${id} as id, ${first.space.kind === 'faceEmbedding' ? 'v.face_id' : 'null::bigint as face_id'},
                  ${mediaColumn(spaces)} as media_id, ${distances.join(', ')}
             from ${from}
            where ${scopeSql(first.space, options.scope)}
              and (q.except_id is null or ${mediaColumn(spaces)} <> q.except_id) ${allowed} ${candidates}
           offset 0
         ) compared order by ${fused}, id limit $2
       ) h
      where $3::bigint[] is null or true`,
    [
      queries.map((_, at) => options.exceptMediaIds?.[at] ?? null),
      options.limit,
      options.among ?? null,
      ...spaces.map((_, part): SqlParam => queries.map((query) => vectorLiteral(query[part] ?? new Float32Array(0)))),
    ],
  );
  const hits: VectorHit[][] = queries.map(() => []);
  for (const { query, faceId, mediaId, distances: text } of found) {
    const parts = text.split(' ').map(Number);
    const distance = parts.reduce((sum, part, at) => sum + part * (shares[at] ?? 0), 0);
    if (1 - distance < options.minimumSimilarity) continue;
    hits[query]?.push({ faceId, mediaId, distance, similarities: parts.map((part) => 1 - part) });
  }
  return hits.map((of) => of.sort((a, b) => a.distance - b.distance || keyOf(a) - keyOf(b)));
}

const keyOf = (hit: VectorHit): number => hit.faceId ?? hit.mediaId;
