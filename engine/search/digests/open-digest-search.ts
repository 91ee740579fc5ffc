import { AsyncLocalStorage } from 'node:async_hooks';
import type { Db, Queryable, Transaction } from '../../store/db.ts';
import { knownChangesAfter, latestKnownChange } from '../../store/queries/known-changes.ts';
import { type DigestHit, findDigestHits } from '../../store/queries/record-matches.ts';
import { integer, row } from '../../store/row-shape.ts';
import { DigestDelta, type DigestFilter } from './digest-filter.ts';
import { highOfHex, lowOfHex } from './digest-key.ts';
import type { DigestSearch, SoughtContent } from './digest-search.ts';
import { buildDigestFilter } from './filter-builder.ts';
import { keysInRange, keysOfRecords } from './known-keys.ts';

/** Below it the database answers a group of contents sooner than a filter is filled. */
const LEAST_RECORDS_FOR_FILTER = 50_000;
/** The exact delta takes up to 32 bytes a key: beyond so many, and beyond a tenth of the filter, the filter is filled anew. */
const MOST_DELTA = 1_000_000;

export interface DigestSearchLimits {
  readonly leastRecordsForFilter?: number;
  readonly mostDelta?: number;
}

/**
 * The look-up by digest that suits what is known. From some ten thousand records on a filter in memory is filled in the background and
 * answers most contents without the database; until it is whole, and where it cannot be filled, the database is asked. Close it with the batch.
 */
export async function openDigestSearch(db: Db, limits: DigestSearchLimits = {}): Promise<DigestSearch> {
  const { leastRecordsForFilter = LEAST_RECORDS_FOR_FILTER, mostDelta = MOST_DELTA } = limits;
  const records = await recordsSearched(db);
  return records < leastRecordsForFilter ? DATABASE_LOOK_UP : new FilteredLookUp(db, records, mostDelta);
}

/** By the numbers that were given out, without counting rows: at least as many as there are. */
async function recordsSearched(db: Queryable): Promise<number> {
  const [found] = await db.read(
    row({ records: integer }),
    'select coalesce(sum(last_record_id - first_record_id + 1), 0)::bigint as records from known_block',
  );
  return found?.records ?? 0;
}

const idsOf = (contents: readonly SoughtContent[]): number[] => contents.map(({ mediaId }) => mediaId);

/** Asks the database each time. */
export const DATABASE_LOOK_UP: DigestSearch = {
  description: 'database index',
  find: async (tx, contents) => await findDigestHits(tx, idsOf(contents)),
  settled: async () => undefined,
  close: async () => undefined,
};

interface Filled {
  readonly filter: DigestFilter;
  /** Records that came after the change up to which the filter was filled, and perhaps some before it. */
  readonly delta: DigestDelta;
  /** The change up to which all that was added is in the filter or the delta. */
  changeId: number;
}

class FilteredLookUp implements DigestSearch {
  readonly #db: Db;
  #mostDelta: number;
  readonly #stop = new AbortController();
  /** Filling begins within a transaction of the caller, and is none of it. */
  readonly #outside = AsyncLocalStorage.snapshot();
  #filled: Filled | null = null;
  /** While a filter is filled: what came since, for it as well as for the one that answers. */
  #nextDelta: DigestDelta | null = null;
  #filling: Promise<void> = Promise.resolve();
  #failed = false;

  constructor(db: Db, records: number, mostDelta: number) {
    this.#db = db;
    this.#mostDelta = mostDelta;
    this.#beginFilling(records);
  }

  get description(): string {
    if (this.#filled !== null) return 'fuse filter before the database index';
    return this.#failed ? 'database index (a filter could not be filled)' : 'database index';
  }

  async find(tx: Transaction, contents: readonly SoughtContent[]): Promise<DigestHit[]> {
    const filled = this.#filled;
    if (filled === null || !(await this.#follow(tx, filled))) return await findDigestHits(tx, idsOf(contents));
    const possible = contents.filter((content) => content.sizeBytes > 0 && mayBeKnown(filled, content));
    return possible.length === 0 ? [] : await findDigestHits(tx, idsOf(possible));
  }

  /**
   * Takes in what was added since, before anything is looked up; false where that is too much, and the filter is filled anew instead.
   * What was withdrawn stays in: the database then says no. Several may follow side by side: each takes in all of it, twice is once.
   */
  async #follow(tx: Transaction, filled: Filled): Promise<boolean> {
    const latest = await latestKnownChange(tx);
    if (latest <= filled.changeId) return true;
    const added = (await knownChangesAfter(tx, filled.changeId)).filter(({ kind }) => kind === 'added');
    const records = added.reduce((sum, one) => sum + one.lastRecordId - one.firstRecordId + 1, 0);
    if (filled.delta.count + records > Math.max(this.#mostDelta, filled.filter.keys / 10)) {
      if (this.#filled === filled) this.#filled = null;
      if (this.#nextDelta === null) this.#beginFilling(await recordsSearched(tx));
      return false;
    }
    for (const block of added) {
      await keysOfRecords(tx, block, (low, high) => {
        filled.delta.add(low, high);
        this.#nextDelta?.add(low, high);
      });
    }
    filled.changeId = Math.max(filled.changeId, latest);
    return true;
  }

  #beginFilling(records: number): void {
    // Before the change is asked for up to which the filter is filled: what is taken in from now on goes into both, so that nothing
    // that comes meanwhile is in neither.
    const delta = new DigestDelta();
    this.#nextDelta = delta;
    this.#filling = this.#outside(async () => await this.#fill(records, delta)).catch(() => {
      // The connection was lost or memory ran out: the database goes on answering. Not tried again at once, since it would fail again.
      this.#failed = true;
      this.#mostDelta *= 2;
      this.#nextDelta = null;
    });
  }

  async #fill(records: number, delta: DigestDelta): Promise<void> {
    const { signal } = this.#stop;
    const changeId = await latestKnownChange(this.#db);
    const filter = await buildDigestFilter(
      records,
      async (range, add) => await this.#db.transaction(async (tx) => await keysInRange(tx, range, add, signal)),
      signal,
    );
    this.#filled = { filter, delta, changeId };
    this.#failed = false;
    this.#nextDelta = null;
  }

  async settled(): Promise<void> {
    await this.#filling;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#filling;
  }
}

function mayBeKnown({ filter, delta }: Filled, content: SoughtContent): boolean {
  return mayHold('sha256', content.sha256) || mayHold('sha1', content.sha1) || mayHold('md5', content.md5);

  function mayHold(kind: 'sha256' | 'sha1' | 'md5', hex: string): boolean {
    const low = lowOfHex(kind, hex);
    const high = highOfHex(hex);
    return filter.mayHold(low, high) || delta.holds(low, high);
  }
}
