import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { HomewardError } from '../../../schemas/error.ts';

/** SQLITE_BUSY, and SQLITE_PROTOCOL, which races for the lock can end in. */
const HELD_BY_ANOTHER: ReadonlySet<number> = new Set([5, 15]);

/**
 * An exclusive lock on a data folder. PGlite opens a folder twice without a word, and acknowledged rows are lost then.
 * Node has no file lock of its own, but SQLite takes one for BEGIN EXCLUSIVE, and the system lets go of it with the process,
 * however that ends.
 */
export class FolderLock {
  readonly #database: DatabaseSync;

  private constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** @throws HW_DATA_LOCKED */
  static take(folder: string): FolderLock {
    const database = new DatabaseSync(path.join(folder, 'homeward.lock'), { timeout: 0 });
    try {
      // The default journal would write a file beside it and sync it for a transaction that never writes.
      database.exec('pragma journal_mode = off; begin exclusive');
      return new FolderLock(database);
    } catch (error) {
      database.close();
      const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : -1;
      if (!HELD_BY_ANOTHER.has(code)) throw error;
      throw new HomewardError(
        'HW_DATA_LOCKED',
        'expected the data folder to be free for this process, received a lock of another process that has it open; wait for it to end, or give another folder with --data',
        { cause: error },
      );
    }
  }

  release(): void {
    if (this.#database.isOpen) this.#database.close();
  }
}
