import type { CalibratedAlgorithm } from '../match/calibration.ts';
import type { Db } from '../store/db.ts';
import { recordSearchAlarm } from '../store/queries/search-alarms.ts';
import type { BitHit, BitQuery, BitSearch } from './bit-search.ts';
import { sameHits } from './check-search.ts';
import { PgvectorScan } from './pgvector-scan.ts';

/**
 * One query in so many is answered by the scan as well. Over ten million hashes the scan takes about a second and the index answers
 * thousands of queries meanwhile, so that the check takes a few hundredths of the time.
 */
const QUERIES_BETWEEN_CHECKS = 100_000;

export interface CheckOptions {
  /** Queries between two checks, if not QUERIES_BETWEEN_CHECKS. */
  readonly queriesBetweenChecks?: number;
}

/** The search that is checked, and how far it has followed the store. */
interface FollowingSearch extends BitSearch {
  /** Number of the latest change that its next answer is sure to know. */
  readonly changeId: number;
}

/**
 * Holds a sample of live answers against the pgvector scan. Any difference is an alarm: it is recorded, and from then on the scan
 * answers, which takes longer and misses nothing.
 */
export class CheckedBitSearch implements BitSearch {
  readonly #db: Db;
  readonly #oracle: PgvectorScan;
  readonly #search: FollowingSearch;
  readonly #between: number;
  #untilCheck: number;
  #distrusted = false;

  constructor(db: Db, search: FollowingSearch, { queriesBetweenChecks = QUERIES_BETWEEN_CHECKS }: CheckOptions = {}) {
    this.#db = db;
    this.#oracle = new PgvectorScan(db);
    this.#search = search;
    this.#between = queriesBetweenChecks;
    // Somewhere in the first stretch, and not always with the first query: scans often begin with the same file.
    this.#untilCheck = Math.ceil(Math.random() * queriesBetweenChecks);
  }

  get description(): string {
    return this.#distrusted
      ? `${this.#oracle.description}, since the index gave another answer than the scan`
      : this.#search.description;
  }

  async within(queries: readonly BitQuery[]): Promise<BitHit[]> {
    if (this.#distrusted) return await this.#oracle.within(queries);
    const hits = await this.#search.within(queries);
    this.#untilCheck -= queries.length;
    const checked = queries.at(this.#untilCheck);
    if (this.#untilCheck > 0 || checked === undefined) return hits;
    this.#untilCheck = this.#between;
    if (await this.#agrees(checked, hits)) return hits;
    this.#distrusted = true;
    return await this.#oracle.within(queries);
  }

  async size(algorithm: CalibratedAlgorithm): Promise<number> {
    return await (this.#distrusted ? this.#oracle : this.#search).size(algorithm);
  }

  async close(): Promise<void> {
    await this.#search.close();
  }

  async #agrees(query: BitQuery, hits: readonly BitHit[]): Promise<boolean> {
    const before = this.#search.changeId;
    const expected = await this.#oracle.within([query]);
    const found = hits.filter((hit) => hit.query === query);
    if (sameHits(found, expected)) return true;
    // What came in or left between the two answers is in one of them only: both once more, until nothing changes meanwhile.
    const again = await this.#search.within([query]);
    if (this.#search.changeId !== before) return await this.#agrees(query, again);
    await recordSearchAlarm(this.#db, {
      search: this.#search.description,
      detail: `${query.algorithm} at ${query.radiusBits} bits: the index found ${found.length}, the scan ${expected.length}`,
    });
    return false;
  }
}
