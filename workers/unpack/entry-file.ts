import type { Cipheriv } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { newScratchHead, scratchCipher } from '../read/scratch-cipher.ts';
import { errorText } from './archive-reason.ts';

/** Writing into the scratch folder failed (disk full, folder gone): no fault of the archive. */
export class ScratchFailure extends Error {
  override readonly name = 'ScratchFailure';
}

// Absent on Windows, where links are no danger of this kind.
const NO_FOLLOW: number = constants.O_NOFOLLOW ?? 0;
const FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | NO_FOLLOW;

/** The numbered file that takes the content of one entry. Made with its first byte, readable by its owner only, never over another. */
export class EntryFile {
  readonly #path: string | null;
  readonly #key: Buffer | null;
  #cipher: Cipheriv | null = null;
  #handle: FileHandle | null = null;
  sizeBytes = 0;
  /** CRC-32 of what was appended. */
  crc32 = 0;

  /**
   * @param filePath null: the content is only counted, not kept
   * @param key it lies there encrypted with it; null: as it is
   */
  constructor(filePath: string | null, key: Buffer | null) {
    this.#path = filePath;
    this.#key = key;
  }

  async append(chunk: Uint8Array): Promise<void> {
    this.crc32 = crc32(chunk, this.crc32);
    this.sizeBytes += chunk.byteLength;
    if (this.#path === null) return;
    try {
      if (this.#handle === null) await this.#open(this.#path);
      if (this.#handle === null) throw new TypeError('expected an open file');
      await this.#handle.writeFile(this.#cipher?.update(chunk) ?? chunk);
    } catch (error) {
      throw new ScratchFailure(errorText(error));
    }
  }

  async #open(filePath: string): Promise<void> {
    // Kept before anything is written: a full disk must leave no handle that nobody closes.
    this.#handle = await openNew(filePath);
    if (this.#key === null) return;
    const head = newScratchHead();
    this.#cipher = scratchCipher(this.#key, head);
    await this.#handle.writeFile(head);
  }

  async close(): Promise<void> {
    await this.#handle?.close();
  }

  async remove(): Promise<void> {
    if (this.#handle !== null && this.#path !== null) await unlink(this.#path);
  }
}

/** A host that died before this one may have left a file of this number that nobody heard of. */
async function openNew(filePath: string): Promise<FileHandle> {
  try {
    return await open(filePath, FLAGS, 0o600);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    await unlink(filePath);
    return await open(filePath, FLAGS, 0o600);
  }
}
