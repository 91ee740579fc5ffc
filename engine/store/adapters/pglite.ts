import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { HomewardError } from '../../../schemas/error.ts';
import type { Db } from '../db.ts';
import { migrate, migrations } from '../migrate.ts';
import { DataFolder, damaged, type LastEnding } from './data-folder.ts';
import { FolderLock } from './folder-lock.ts';
import { PGliteConnection } from './pglite-connection.ts';
import { verifyPages } from './verify-pages.ts';

export { type LastEnding, lastEndingOf } from './data-folder.ts';

export interface EmbeddedOptions {
  /** Made when it is not there. */
  readonly dataFolder: string;
  /** Told before opening how the folder was left. */
  readonly onFound?: (ending: LastEnding) => void;
}

/**
 * Opens the embedded database of a data folder for this process alone, with its tables up to date.
 * After the machine went down with it open, every page is read against its checksum first.
 * @throws HW_DATA_LOCKED, HW_DATA_NEWER, HW_DATA_DAMAGED; HW_PATH_NOT_FOUND when the folder cannot be made or written
 */
export async function openEmbedded(options: EmbeddedOptions): Promise<Db> {
  const folder = path.resolve(options.dataFolder);
  const lock = await lockFolder(folder);
  try {
    const newest = (await migrations()).length;
    const data = await DataFolder.inspect(folder, newest);
    options.onFound?.(data.lastEnding);
    let ready = false;
    const db = await openConnection(data, async (clean) => {
      try {
        // A folder that was refused stays marked as it was found.
        if (clean && ready) await data.markClosed();
      } finally {
        lock.release();
      }
    });
    try {
      if (data.lastEnding === 'machineWentDown') await verifyPages(db);
      await migrate(db);
      await data.markOpen(newest);
      ready = true;
      return db;
    } catch (error) {
      await db.close().catch(() => undefined);
      throw error;
    }
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function lockFolder(folder: string): Promise<FolderLock> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return FolderLock.take(folder);
  } catch (error) {
    if (error instanceof HomewardError) throw error;
    const why = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw new HomewardError(
      'HW_PATH_NOT_FOUND',
      `expected a data folder that can be made and written, received ${why} for ${JSON.stringify(folder)}; check the path, its permissions and the free space`,
      { cause: error },
    );
  }
}

async function openConnection(
  data: DataFolder,
  afterClose: (clean: boolean) => Promise<void>,
): Promise<PGliteConnection> {
  try {
    return await PGliteConnection.open({ dataFolder: data.postgresFolder, durable: true }, afterClose);
  } catch (error) {
    throw damaged('PostgreSQL does not start on its files', error);
  }
}
