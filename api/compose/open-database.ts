import { openEmbedded } from '../../engine/store/adapters/pglite.ts';
import { openServer } from '../../engine/store/adapters/pg.ts';
import type { Db } from '../../engine/store/db.ts';
import type { Config } from '../../schemas/config.ts';

/** The configured database, migrated and ready: a server where one is named, the embedded one in the data folder otherwise. */
export async function openDatabase(config: Config): Promise<Db> {
  return config.databaseUrl === null ? await openEmbedded({ dataFolder: config.dataFolder }) : await openServer({ url: config.databaseUrl });
}
