import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { unpackTemplate } from '../engine/store/adapters/folder-template.ts';
import { PGliteConnection } from '../engine/store/adapters/pglite-connection.ts';
import type { Db } from '../engine/store/db.ts';
import { migrate } from '../engine/store/migrate.ts';

/** A folder that `makeTestTemplate` filled, for all files of a run: making the tables takes longer than copying them. */
export const TEST_TEMPLATE_VARIABLE = 'HOMEWARD_TEST_TEMPLATE';

/** Puts an embedded database with all tables into a folder that does not exist yet, and closes it. */
export async function makeTestTemplate(folder: string): Promise<void> {
  unpackTemplate(folder);
  const db = await PGliteConnection.open({ dataFolder: folder, durable: false }, async () => undefined);
  await migrate(db).finally(async () => await db.close());
}

/**
 * A fresh embedded database with all tables, about a second on an idle core. Its files lie in the test's temp folder and go with
 * `close`, which every test has to call; they are not forced to the disk, everything else is as it is in use.
 */
export async function openTestDb(): Promise<Db> {
  const folder = await mkdtemp(path.join(tmpdir(), 'homeward-test-db-'));
  const postgresFolder = path.join(folder, 'postgres');
  const template = process.env[TEST_TEMPLATE_VARIABLE];
  try {
    if (template === undefined) unpackTemplate(postgresFolder);
    else await cp(template, postgresFolder, { recursive: true });
    const db = await PGliteConnection.open({ dataFolder: postgresFolder, durable: false }, async () => {
      await rm(folder, { recursive: true, force: true });
    });
    await migrate(db);
    return db;
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}
