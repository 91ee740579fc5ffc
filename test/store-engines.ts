import { openTemporaryDatabase } from '../engine/store/adapters/temporary-database.ts';
import type { Db } from '../engine/store/db.ts';
import { openTestDb } from './pglite-template.ts';

const serverUrl = process.env['HOMEWARD_TEST_DATABASE_URL'];

/** For node:test: skips by name where no server is given. */
export const needsServer: { skip: string | false } = {
  skip: serverUrl === undefined ? 'needs a PostgreSQL server in HOMEWARD_TEST_DATABASE_URL' : false,
};

/** A migrated database of its own on the server that `needsServer` asks for. */
export async function openTestServerDb(): Promise<{ readonly db: Db; readonly url: string }> {
  if (serverUrl === undefined) throw new Error('expected HOMEWARD_TEST_DATABASE_URL; guard the test with needsServer');
  return await openTemporaryDatabase(serverUrl);
}

/** Both engines, for suites that have to hold on each: `describe(name, options, ...)` and `open` in `before`. */
export const STORE_ENGINES: readonly {
  readonly name: string;
  readonly options: { skip: string | false };
  readonly open: () => Promise<Db>;
}[] = [
  { name: 'PGlite', options: { skip: false }, open: openTestDb },
  { name: 'PostgreSQL server', options: needsServer, open: async () => (await openTestServerDb()).db },
];
