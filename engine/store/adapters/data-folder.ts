import { existsSync, readFileSync } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { isFolderFile } from '../../../schemas/checks/is-folder-file.ts';
import type { FolderFile } from '../../../schemas/data-folder.ts';
import { HomewardError } from '../../../schemas/error.ts';
import { unpackTemplate } from './folder-template.ts';
import { syncFolder } from './sync-folder.ts';

/** How the data folder is laid out; raise it when an older engine must not open it any more. */
const LAYOUT_VERSION = 1;
/** Of the PGlite that is pinned: another major version cannot read its files. */
const POSTGRES_MAJOR = 18;

/** How the folder was left: what `doctor` and the next opening say. */
export type LastEnding = 'new' | 'closed' | 'killed' | 'machineWentDown';

/** Names, versions and state of a data folder around the files of PostgreSQL. Hold the lock while using it. */
export class DataFolder {
  readonly postgresFolder: string;
  readonly lastEnding: LastEnding;
  readonly #folder: string;
  #schemaVersion: number;
  /** The files of a new cluster on their way to the disk; nothing else forces them there, only what PostgreSQL writes since. */
  #initialSync: Promise<void> | undefined;

  private constructor(folder: string, found: FolderFile | null) {
    this.#folder = folder;
    this.postgresFolder = path.join(folder, 'postgres');
    this.lastEnding = endingOf(found);
    this.#schemaVersion = found?.schemaVersion ?? 0;
  }

  /**
   * Looks at what is there before anything is opened.
   * @throws HW_DATA_NEWER when a newer engine wrote it, HW_DATA_DAMAGED when its own files contradict each other
   */
  static async inspect(folder: string, newestSchemaVersion: number): Promise<DataFolder> {
    const found = readFolderFile(folder);
    if (found !== null) refuseNewer(found, newestSchemaVersion);
    const inspected = new DataFolder(folder, found);
    const there = existsSync(inspected.postgresFolder);
    if (inspected.lastEnding === 'new') {
      if (there && found === null) throw damaged('its file folder.json is missing');
      // The process that made it did not come to its end, so nothing was ever acknowledged in it.
      await rm(inspected.postgresFolder, { recursive: true, force: true });
      await inspected.#write('creating');
      if (unpackTemplate(inspected.postgresFolder)) inspected.#syncInitial();
      else await mkdir(inspected.postgresFolder, { recursive: true });
    } else if (!there) {
      throw damaged('the files of the database are missing');
    }
    return inspected;
  }

  /** Begins while PostgreSQL starts on them: what it changes meanwhile it forces to the disk by itself. */
  #syncInitial(): void {
    this.#initialSync = syncTree(this.postgresFolder);
    // Told to whoever marks the folder open; before that it may fail unheard.
    this.#initialSync.catch(() => undefined);
  }

  /** After opening: from now on, finding it like this means that it was not closed. */
  async markOpen(schemaVersion: number): Promise<void> {
    this.#schemaVersion = schemaVersion;
    if (this.lastEnding === 'new') {
      this.#initialSync ??= syncTree(this.postgresFolder);
      await this.#initialSync;
    }
    await this.#write('open');
  }

  async markClosed(): Promise<void> {
    await this.#write('closed');
  }

  async #write(state: FolderFile['state']): Promise<void> {
    const content: FolderFile = {
      layoutVersion: LAYOUT_VERSION,
      postgresMajor: POSTGRES_MAJOR,
      schemaVersion: this.#schemaVersion,
      state,
      bootId: currentBootId(),
      processId: process.pid,
      at: new Date().toISOString(),
    };
    const file = path.join(this.#folder, 'folder.json');
    const handle = await open(`${file}.new`, 'w', 0o600);
    try {
      await handle.writeFile(`${JSON.stringify(content, null, 2)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(`${file}.new`, file);
    syncFolder(this.#folder);
  }
}

/** How a folder was left, without opening or locking it; null when it is none. */
export function lastEndingOf(folder: string): LastEnding | null {
  const found = readFolderFile(folder);
  return found === null ? null : endingOf(found);
}

export function damaged(what: string, cause?: unknown): HomewardError {
  return new HomewardError(
    'HW_DATA_DAMAGED',
    `expected the embedded database to open, received: ${what}; restore the data folder from its backup, or scan again into a new one given with --data (the damaged one is left as it is)`,
    { cause },
  );
}

function endingOf(found: FolderFile | null): LastEnding {
  if (found === null || found.state === 'creating') return 'new';
  if (found.state === 'closed') return 'closed';
  return found.bootId !== null && found.bootId === currentBootId() ? 'killed' : 'machineWentDown';
}

function refuseNewer(found: FolderFile, newestSchemaVersion: number): void {
  const newer =
    found.layoutVersion > LAYOUT_VERSION ||
    found.postgresMajor > POSTGRES_MAJOR ||
    found.schemaVersion > newestSchemaVersion;
  if (!newer) {
    if (found.postgresMajor === POSTGRES_MAJOR) return;
    throw damaged(
      `files of PostgreSQL ${found.postgresMajor}, which this engine with PostgreSQL ${POSTGRES_MAJOR} cannot read`,
    );
  }
  throw new HomewardError(
    'HW_DATA_NEWER',
    `expected a data folder of layout ${LAYOUT_VERSION}, PostgreSQL ${POSTGRES_MAJOR} and table version ${newestSchemaVersion} or older, ` +
      `received layout ${found.layoutVersion}, PostgreSQL ${found.postgresMajor} and table version ${found.schemaVersion}; use the newer engine, nothing was changed`,
  );
}

function readFolderFile(folder: string): FolderFile | null {
  let content: string;
  try {
    content = readFileSync(path.join(folder, 'folder.json'), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw damaged('its file folder.json cannot be read', error);
  }
  try {
    const parsed: unknown = JSON.parse(content);
    if (isFolderFile(parsed)) return parsed;
  } catch (error) {
    throw damaged('its file folder.json is no JSON', error);
  }
  throw damaged('its file folder.json holds something else than expected');
}

function currentBootId(): string | null {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    // Not Linux: an unclosed folder then counts as one whose machine went down, the more careful reading.
    return null;
  }
}

/** PostgreSQL removes some files when it starts; what is gone need not last. */
async function openUnlessGone(file: string): Promise<FileHandle | null> {
  try {
    return await open(file, 'r+');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

async function syncTree(folder: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  // Several at once, so that one journal commit of the file system serves many.
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      for (let file = files.pop(); file !== undefined; file = files.pop()) {
        const handle = await openUnlessGone(file);
        try {
          await handle?.sync();
        } finally {
          await handle?.close();
        }
      }
    }),
  );
  for (const entry of entries) if (entry.isDirectory()) syncFolder(path.join(entry.parentPath, entry.name));
  syncFolder(folder);
}
