import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import path from 'node:path';

const PREFIX = 'homeward-scratch-';

/**
 * A private folder for what archives hold while it is examined. Its name carries the process number, so that the next start can
 * sweep what a killed process left behind: seized material must not outlive its examination on this disk.
 */
export class Scratch implements AsyncDisposable {
  readonly folder: string;
  #archives = 0;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async open(parent: string): Promise<Scratch> {
    await mkdir(parent, { recursive: true });
    await sweep(parent);
    return new Scratch(await mkdtemp(path.join(parent, `${PREFIX}${process.pid}-`)));
  }

  /** A new empty folder for one archive; remove it as soon as the archive was gone through. */
  async folderForArchive(): Promise<string> {
    this.#archives += 1;
    const folder = path.join(this.folder, String(this.#archives));
    await mkdir(folder, { mode: 0o700 });
    return folder;
  }

  /** A folder for files that hosts read, such as the nets they open; it goes with the rest. */
  async folderForHosts(name: string): Promise<string> {
    const folder = path.join(this.folder, name);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return folder;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function sweep(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const owner = name.startsWith(PREFIX) ? Number.parseInt(name.slice(PREFIX.length), 10) : Number.NaN;
    if (Number.isInteger(owner) && !isRunning(owner))
      await rm(path.join(parent, name), { recursive: true, force: true });
  }
}

function isRunning(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    // EPERM: it runs and belongs to somebody else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
