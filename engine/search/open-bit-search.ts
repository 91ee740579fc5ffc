import type { CalibratedAlgorithm } from '../match/calibration.ts';
import type { Db } from '../store/db.ts';
import { latestKnownChange } from '../store/queries/known-changes.ts';
import { integer, row } from '../store/row-shape.ts';
import type { BitHit, BitQuery, BitSearch } from './bit-search.ts';
import { CheckedBitSearch, type CheckOptions } from './checked-bit-search.ts';
import { type MihOptions, MihSearch } from './mih/mih-search.ts';
import { PgvectorScan } from './pgvector-scan.ts';

/**
 * Up to this many known hashes the database's own scan answers a group of 200 pictures in well under a second, and starting threads
 * would cost more than it saves.
 */
const MOST_HASHES_IN_DATABASE = 500;

export interface BitSearchOptions extends MihOptions, CheckOptions {}

/** The search that suits what is known; it follows what comes into the search and what leaves it. Close it with the batch. */
export async function openBitSearch(db: Db, options: BitSearchOptions = {}): Promise<BitSearch> {
  return new SearchBySize(db, options, await open(db, options));
}

interface Opened {
  readonly search: BitSearch;
  /** The database's own scan, which is too slow once there is more; asked again whether there is, after this change. */
  readonly scanUntil: number | null;
}

async function open(db: Db, options: BitSearchOptions): Promise<Opened> {
  // Asked before the hashes are counted: what comes in between makes the next query count again.
  const changeId = await latestKnownChange(db);
  const [counted] = await db.read(
    row({ hashes: integer }),
    `select count(*) as hashes from (select from searched_bits limit ${MOST_HASHES_IN_DATABASE + 1}) few`,
  );
  if ((counted?.hashes ?? 0) <= MOST_HASHES_IN_DATABASE) return { search: new PgvectorScan(db), scanUntil: changeId };
  return { search: new CheckedBitSearch(db, await MihSearch.open(db, options), options), scanUntil: null };
}

/** Goes over from the database's scan to the index when there is enough to search. */
class SearchBySize implements BitSearch {
  readonly #db: Db;
  readonly #options: BitSearchOptions;
  #opened: Opened;
  readonly #sizes = new Map<CalibratedAlgorithm, number>();
  #renewing: Promise<void> = Promise.resolve();

  constructor(db: Db, options: BitSearchOptions, opened: Opened) {
    this.#db = db;
    this.#options = options;
    this.#opened = opened;
  }

  get description(): string {
    return this.#opened.search.description;
  }

  async within(queries: readonly BitQuery[]): Promise<BitHit[]> {
    if (this.#opened.scanUntil !== null) await this.#renewOnce();
    return await this.#opened.search.within(queries);
  }

  async size(algorithm: CalibratedAlgorithm): Promise<number> {
    if (this.#opened.scanUntil === null) return await this.#opened.search.size(algorithm);
    const size = this.#sizes.get(algorithm) ?? (await this.#opened.search.size(algorithm));
    this.#sizes.set(algorithm, size);
    return size;
  }

  async close(): Promise<void> {
    await this.#renewing.catch(() => undefined);
    await this.#opened.search.close();
  }

  async #renewOnce(): Promise<void> {
    const turn = this.#renewing.then(
      () => this.#renew(),
      () => this.#renew(),
    );
    this.#renewing = turn;
    await turn;
  }

  async #renew(): Promise<void> {
    const { scanUntil } = this.#opened;
    if (scanUntil === null || (await latestKnownChange(this.#db)) === scanUntil) return;
    // The scan before needs no closing: it holds nothing.
    this.#opened = await open(this.#db, this.#options);
    this.#sizes.clear();
  }
}
