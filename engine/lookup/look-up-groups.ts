import type { LookupAnswer, SearchedSet } from '../../schemas/lookup.ts';
import type { BitSearch } from '../search/bit-search.ts';
import type { Db } from '../store/db.ts';
import { Grouped } from '../store/grouped.ts';
import { lookUpRecords, type SoughtRecord, searchedSets } from './look-up.ts';

/** Records of one group; a request of its own may hold as many. */
const MOST_OF_GROUP = 1000;

export interface LookedUp {
  /** By position. */
  readonly answers: readonly LookupAnswer[];
  /** `no` is said against these. */
  readonly sets: readonly SearchedSet[];
}

/** Looks up for many who ask at once. Each is answered from a search that began after it asked. */
export function lookUpGroups(db: Db, bits: BitSearch): Grouped<readonly SoughtRecord[], LookedUp> {
  return new Grouped<readonly SoughtRecord[], LookedUp>({
    most: MOST_OF_GROUP,
    sizeOf: (sought) => sought.length,
    work: async (group) => {
      const [sets, found] = await Promise.all([searchedSets(db), lookUpRecords(db, bits, group.flat())]);
      let from = 0;
      return group.map((sought) => {
        const answers = found.slice(from, from + sought.length);
        from += sought.length;
        return { answers, sets };
      });
    },
  });
}
