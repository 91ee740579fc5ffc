import path from 'node:path';
import type { BitSearch } from '../../engine/search/bit-search.ts';
import { checkSearch, type SearchCheck } from '../../engine/search/check-search.ts';
import { MihSearch } from '../../engine/search/mih/mih-search.ts';
import { openBitSearch } from '../../engine/search/open-bit-search.ts';
import type { Db } from '../../engine/store/db.ts';
import type { Config } from '../../schemas/config.ts';

/** Where the index is kept: in the data folder, which hosts cannot see. */
const snapshotFolderOf = (config: Config): string => path.join(config.dataFolder, 'search-index');

/** The search of the configured database, with its index kept in the data folder. Close it with the batch. */
export async function openSearch(db: Db, config: Config): Promise<BitSearch> {
  return await openBitSearch(db, { snapshotFolder: snapshotFolderOf(config) });
}

/** The index as the next scan would open it, held against the scan of the database. */
export async function checkConfiguredSearch(
  db: Db,
  config: Config,
  queriesEach: number,
): Promise<{ readonly search: string; readonly checks: readonly SearchCheck[] }> {
  const index = await MihSearch.open(db, { snapshotFolder: snapshotFolderOf(config) });
  try {
    return { search: index.description, checks: await checkSearch(db, index, queriesEach) };
  } finally {
    await index.close();
  }
}
