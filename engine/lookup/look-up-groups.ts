import { AsyncLocalStorage } from 'node:async_hooks';
import type { LookupAnswer, SearchedSet } from '../../schemas/lookup.ts';
import type { BitSearch } from '../search/bit-search.ts';
import type { Db } from '../store/db.ts';
import { lookUpRecords, type SoughtRecord, searchedSets } from './look-up.ts';

/** Records of one group; a request of its own may hold as many. */
const MOST_OF_GROUP = 1000;

export interface LookedUp {
  /** By position. */
  readonly answers: readonly LookupAnswer[];
  /** `no` is said against these. */
  readonly sets: readonly SearchedSet[];
}

interface Waiting {
  readonly sought: readonly SoughtRecord[];
  readonly resolve: (found: LookedUp) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Looks up for many who ask at once: what comes while a group is looked up goes into the next one, and a group costs the database about as
 * much as a single record. Each is answered from a search that began after it asked.
 */
export class LookUpGroups {
  readonly #db: Db;
  readonly #bits: BitSearch;
  /** A group is nobody's of those in it: it must not run in the transaction or request of the first. */
  readonly #asGroup = AsyncLocalStorage.snapshot();
  #waiting: Waiting[] = [];
  #running = false;

  constructor(db: Db, bits: BitSearch) {
    this.#db = db;
    this.#bits = bits;
  }

  /** @throws what the database or the search throws, to everybody of the group */
  async lookUp(sought: readonly SoughtRecord[]): Promise<LookedUp> {
    return await new Promise((resolve, reject) => {
      this.#waiting.push({ sought, resolve, reject });
      if (this.#running) return;
      this.#running = true;
      void this.#asGroup(async () => await this.#run());
    });
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#take();
      try {
        const sets = await searchedSets(this.#db);
        const all = group.flatMap((one) => one.sought);
        const answers = await lookUpRecords(this.#db, this.#bits, all);
        let from = 0;
        for (const { sought, resolve } of group) {
          resolve({ answers: answers.slice(from, from + sought.length), sets });
          from += sought.length;
        }
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    this.#running = false;
  }

  /** Those that came first, as many as fit. */
  #take(): Waiting[] {
    let records = 0;
    let taken = 0;
    for (const { sought } of this.#waiting) {
      records += sought.length;
      if (taken > 0 && records > MOST_OF_GROUP) break;
      taken += 1;
    }
    return this.#waiting.splice(0, taken);
  }
}
