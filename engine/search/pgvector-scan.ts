import type { CalibratedAlgorithm } from '../match/calibration.ts';
import type { Db } from '../store/db.ts';
import { integer, nullable, row } from '../store/row-shape.ts';
import { type BitHit, type BitQuery, type BitSearch, comparedWith } from './bit-search.ts';

const HIT = row({ query: integer, recordId: integer, distanceBits: integer, quality: nullable(integer) });

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
    const hits: BitHit[] = [];
    for (const [key, group] of Map.groupBy(queries, (query) => `${query.algorithm} ${query.radiusBits}`)) {
      const [first] = group;
      if (first === undefined) throw new RangeError(`expected queries for ${key}`);
      const hexes = group.map((query) => Buffer.from(query.bits).toString('hex'));
      const rows = await this.#db.read(HIT, WITHIN_SQL, [hexes, comparedWith(first.algorithm), first.radiusBits]);
      for (const { query, ...hit } of rows) {
        const asked = group[query];
        if (asked !== undefined) hits.push({ query: asked, ...hit });
      }
    }
    return hits;
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
