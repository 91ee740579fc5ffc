import type { FileHandle } from 'node:fs/promises';
import { SCRATCH_HEAD_BYTES, scratchCipher } from '../read/scratch-cipher.ts';
import type { ReadableFile } from './readable-file.ts';

/** The content of an entry that lies in the scratch folder, at any place: an archive within an archive. */
export class ScratchFile implements ReadableFile {
  readonly #file: FileHandle;
  readonly #key: Buffer;
  readonly #head: Buffer;
  readonly sizeBytes: number;

  private constructor(file: FileHandle, key: Buffer, head: Buffer, sizeBytes: number) {
    this.#file = file;
    this.#key = key;
    this.#head = head;
    this.sizeBytes = sizeBytes;
  }

  /** @param file stays the caller's */
  static async open(file: FileHandle, fileSize: number, key: Buffer): Promise<ScratchFile> {
    const head = Buffer.alloc(SCRATCH_HEAD_BYTES);
    await file.read(head, 0, SCRATCH_HEAD_BYTES, 0);
    return new ScratchFile(file, key, head, Math.max(0, fileSize - SCRATCH_HEAD_BYTES));
  }

  async read(buffer: Buffer, offset: number, length: number, position: number): Promise<{ bytesRead: number }> {
    const { bytesRead } = await this.#file.read(buffer, offset, length, position + SCRATCH_HEAD_BYTES);
    const part = buffer.subarray(offset, offset + bytesRead);
    part.set(scratchCipher(this.#key, this.#head, position).update(part));
    return { bytesRead };
  }
}
