import type { Db } from '../../engine/store/db.ts';
import type { Config } from '../../schemas/config.ts';

/** The configured database, migrated and ready: a server where one is named, the embedded one in the data folder otherwise. */
export async function openDatabase(config: Config): Promise<Db> {
  // One of the two is loaded, never both.
  if (config.databaseUrl === null) {
    const { openEmbedded } = await import('../../engine/store/adapters/pglite.ts');
    return await openEmbedded({ dataFolder: config.dataFolder });
  }
  const { openServer } = await import('../../engine/store/adapters/pg.ts');
  return await openServer({ url: config.databaseUrl });
}

/** Opens the configured database for one piece of work and closes it whatever comes. */
export async function withDatabase<T>(config: Config, work: (db: Db) => Promise<T>): Promise<T> {
  const db = await openDatabase(config);
  try {
    return await work(db);
  } finally {
    await db.close();
  }
}
