import type { CalibratedAlgorithm } from '../match/calibration.ts';
import type { Db, SqlParam } from '../store/db.ts';
import { integer, nullable, type RowOf, row } from '../store/row-shape.ts';
import { type BitHit, type BitQuery, type BitSearch, comparedWith, ofOneKind } from './bit-search.ts';

/** A row of a scan; `query` is the place of the query among those that were asked together. */
export const SCAN_HIT = row({ query: integer, recordId: integer, distanceBits: integer, quality: nullable(integer) });

// A nested loop over queries and hashes on purpose: an HNSW index over bits misses members of dense clusters (17 to 78 % found of 500
// copies), and a missed match can be a child who is not found.
const WITHIN_SQL = `
select q.number - 1 as query, b.record_id, (b.bits <~> q.bits)::int as distance_bits, b.quality
  from (select ordinality as number, ('x' || hex)::bit(256) as bits from unnest($1::text[]) with ordinality as t(hex, ordinality)) q
  join searched_bits b on b.algorithm = any($2::text[]) and (b.bits <~> q.bits) <= $3`;

/** The search by pgvector's Hamming distance over every stored hash: the path for small sets and the oracle for every other one. */
export class PgvectorScan implements BitSearch {
  readonly description = 'pgvector <~> scan (exact)';
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  async within(queries: readonly BitQuery[]): Promise<BitHit[]> {
    return await scanned(queries, async (params) => await this.#db.read(SCAN_HIT, WITHIN_SQL, params));
  }

  async size(algorithm: CalibratedAlgorithm): Promise<number> {
    const [counted] = await this.#db.read(
      row({ hashes: integer }),
      `select count(*) as hashes from searched_bits where algorithm = any($1::text[])`,
      [comparedWith(algorithm)],
    );
    return counted?.hashes ?? 0;
  }

  async close(): Promise<void> {}
}

/**
 * Hits of a scan in SQL, queries of one kind asked together.
 *
 * @param ask given the hashes in hexadecimal ($1), the algorithms they are compared with ($2) and the radius ($3)
 */
export async function scanned(
  queries: readonly BitQuery[],
  ask: (params: readonly SqlParam[]) => Promise<readonly RowOf<typeof SCAN_HIT>[]>,
): Promise<BitHit[]> {
  const hits: BitHit[] = [];
  for (const { first, group } of ofOneKind(queries)) {
    const hexes = group.map((query) => Buffer.from(query.bits).toString('hex'));
    for (const { query, ...hit } of await ask([hexes, comparedWith(first.algorithm), first.radiusBits])) {
      const asked = group[query];
      if (asked !== undefined) hits.push({ query: asked, ...hit });
    }
  }
  return hits;
}
