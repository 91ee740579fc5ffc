import type { CalibratedAlgorithm } from '../match/calibration.ts';
import type { Db } from '../store/db.ts';
import { integer, row, text } from '../store/row-shape.ts';
import type { BitHit, BitQuery, BitSearch } from './bit-search.ts';
import { MemoryScan } from './memory-scan.ts';
import { PgvectorScan } from './pgvector-scan.ts';

/**
 * Up to this many known hashes the database's own scan answers a group of 200 pictures in well under a second, and starting a thread
 * would cost more than it saves; beyond it the scan in memory is some twenty times quicker on the embedded database.
 */
const MOST_HASHES_IN_DATABASE = 500;

/** The search that suits what is known. Close it with the batch. */
export async function openBitSearch(db: Db): Promise<BitSearch> {
  return new SearchInForce(db, await open(db));
}

interface Opened {
  readonly search: BitSearch;
  /** The sets in force when it was opened, and the latest change of what they hold, as text to compare. */
  readonly sets: string;
}

async function setsInForce(db: Db): Promise<string> {
  const [found] = await db.read(
    row({ sets: text }),
    `select coalesce(string_agg(set_id::text, ',' order by set_id), '') || ' ' || (select coalesce(max(change_id), 0) from known_change) as sets
       from hash_set where state = 'active'`,
  );
  return found?.sets ?? '';
}

async function open(db: Db): Promise<Opened> {
  // Asked before anything is loaded: a set that comes into force meanwhile makes the next query open it anew, and is never missed.
  const sets = await setsInForce(db);
  const [counted] = await db.read(row({ hashes: integer }), `select count(*) as hashes from searched_bits`);
  const few = (counted?.hashes ?? 0) <= MOST_HASHES_IN_DATABASE;
  return { sets, search: few ? new PgvectorScan(db) : await MemoryScan.load(db) };
}

/** Opens its search anew when sets came or went, so that what is imported during a long scan is found by the rest of it. */
class SearchInForce implements BitSearch {
  readonly #db: Db;
  #opened: Opened;
  readonly #sizes = new Map<CalibratedAlgorithm, number>();
  /** One call after the other: a search in use must not be closed. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(db: Db, opened: Opened) {
    this.#db = db;
    this.#opened = opened;
  }

  get description(): string {
    return this.#opened.search.description;
  }

  within(queries: readonly BitQuery[]): Promise<BitHit[]> {
    return this.#inTurn(async () => {
      await this.#renew();
      return await this.#opened.search.within(queries);
    });
  }

  /** Of the search that answered last. */
  size(algorithm: CalibratedAlgorithm): Promise<number> {
    return this.#inTurn(async () => {
      const size = this.#sizes.get(algorithm) ?? (await this.#opened.search.size(algorithm));
      this.#sizes.set(algorithm, size);
      return size;
    });
  }

  close(): Promise<void> {
    return this.#inTurn(() => this.#opened.search.close());
  }

  #inTurn<T>(call: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(call, call);
    this.#last = turn;
    return turn;
  }

  async #renew(): Promise<void> {
    if ((await setsInForce(this.#db)) === this.#opened.sets) return;
    const before = this.#opened.search;
    this.#opened = await open(this.#db);
    this.#sizes.clear();
    await before.close();
  }
}
