import path from 'node:path';
import type { ArchiveBudget, ArchiveEntry } from '../../schemas/host-protocol.ts';
import { archiveReason, type Flaw } from './archive-reason.ts';
import { EntryFile, ScratchFailure } from './entry-file.ts';
import { nameFlaw } from './entry-name.ts';

/** What an archive says of one of its entries before the content is read. */
export interface EntryHeader {
  /** As stored, raw bytes; never made into a path. */
  readonly name: Buffer;
  /** ISO 8601; without a zone where the format has none. */
  readonly modifiedAt: string | null;
  /** The name is the submitter's for a file of his: a drive in it says where it lay, and nothing against an archive. */
  readonly ofSubmitter?: true;
}

/** How the content of an entry came out. */
export interface Written {
  readonly sizeBytes: number;
  readonly crc32: number;
  /** What ended the source early, or null; what came before is kept. */
  readonly error: unknown;
}

/** The archive has used up its budget: nothing more is read from it. */
export class BudgetSpent extends Error {
  override readonly name = 'BudgetSpent';
}

export interface EntrySinkOptions {
  readonly folder: string;
  readonly budget: ArchiveBudget;
  /** Entries before this one are read past: they were handed on already. */
  readonly firstEntry: number;
  /** Entries are encrypted with it. */
  readonly scratchKey?: Buffer | null;
  /** Hands an entry on; waits while too much is waiting to be taken. */
  readonly announce: (entry: ArchiveEntry) => Promise<void>;
}

/** Longer names are cut: 12,000 bytes are 16,000 characters of base64. */
const LONGEST_NAME_BYTES = 12_000;

/**
 * Writes entries as numbered files and announces each. The number is the only name a file gets, so nothing that an archive says can reach
 * another place. Counts what really comes out, since sizes in an archive can lie.
 */
export class EntrySink {
  readonly #options: EntrySinkOptions;
  #next = 0;
  #passedOver = 0;
  #flawed = 0;
  #encrypted = 0;
  #totalBytes = 0;

  constructor(options: EntrySinkOptions) {
    this.#options = options;
  }

  get entries(): number {
    return this.#next;
  }

  /** Entries with something wrong; an empty file is nothing wrong with an archive. */
  get flawed(): number {
    return this.#flawed;
  }

  get encrypted(): number {
    return this.#encrypted;
  }

  get totalBytes(): number {
    return this.#totalBytes;
  }

  /** Counts what is no file (a folder) towards the budget, or an archive of a billion folders would be read for ever. */
  passOver(): void {
    this.#admit();
    this.#passedOver += 1;
  }

  /** Records an entry without content. */
  async record(header: EntryHeader, sizeBytes: number | null, flaw: NonNullable<Flaw>): Promise<void> {
    this.#admit();
    await this.#tell(header, null, sizeBytes, flaw);
  }

  /**
   * Writes the content of an entry and announces it, with what `judge` makes of how it came out. An empty entry gets no file.
   * @throws BudgetSpent when the archive as a whole has used up its budget, ScratchFailure when the folder cannot be written.
   */
  async write(
    header: EntryHeader,
    source: AsyncIterable<Uint8Array>,
    judge: (written: Written) => Flaw | Promise<Flaw>,
  ): Promise<void> {
    this.#admit();
    const { folder, budget, firstEntry, scratchKey = null } = this.#options;
    const number = String(this.#next);
    const file = new EntryFile(this.#next < firstEntry ? null : path.join(folder, number), scratchKey);
    let error: unknown = null;
    let exceeded: 'entry' | 'archive' | null = null;
    try {
      for await (const chunk of source) {
        if (this.#totalBytes + chunk.byteLength > budget.totalBytes) exceeded = 'archive';
        else if (file.sizeBytes + chunk.byteLength > budget.entryBytes) exceeded = 'entry';
        if (exceeded !== null) break;
        this.#totalBytes += chunk.byteLength;
        await file.append(chunk);
      }
    } catch (caught) {
      if (caught instanceof ScratchFailure) throw caught;
      error = caught;
    } finally {
      await file.close();
    }
    if (exceeded !== null) {
      // A file that we cut would get digests that no other tool can reproduce.
      await file.remove();
      const limit =
        exceeded === 'entry'
          ? `an entry of more than ${budget.entryBytes} bytes`
          : `more than ${budget.totalBytes} bytes in all`;
      await this.#tell(header, null, null, { outcome: 'rejected', reason: archiveReason('archiveBudget', limit) });
      if (exceeded === 'archive') throw new BudgetSpent(limit);
      return;
    }
    const flaw = await judge({ sizeBytes: file.sizeBytes, crc32: file.crc32, error });
    if (file.sizeBytes > 0) await this.#tell(header, number, file.sizeBytes, flaw);
    else await this.#tell(header, null, 0, flaw ?? { outcome: 'rejected', reason: archiveReason('empty', 'no bytes') });
  }

  #admit(): void {
    const { entries } = this.#options.budget;
    if (this.#next + this.#passedOver >= entries) throw new BudgetSpent(`more than ${entries} entries`);
  }

  async #tell(header: EntryHeader, scratchFile: string | null, sizeBytes: number | null, flaw: Flaw): Promise<void> {
    const index = this.#next;
    this.#next += 1;
    const said = flaw ?? (header.ofSubmitter === true ? null : nameFlaw(header.name));
    if (said !== null && said.reason.code !== 'empty') this.#flawed += 1;
    if (said?.reason.code === 'encrypted') this.#encrypted += 1;
    if (index < this.#options.firstEntry) return;
    await this.#options.announce({
      index,
      name: header.name.subarray(0, LONGEST_NAME_BYTES).toString('base64'),
      scratchFile,
      sizeBytes,
      modifiedAt: header.modifiedAt,
      outcome: said?.outcome ?? 'done',
      reason: said?.reason ?? null,
    });
  }
}
