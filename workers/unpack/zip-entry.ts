import { archiveReason, damaged, errorText, type Flaw } from './archive-reason.ts';
import { fileRange, inflate } from './byte-source.ts';
import type { CoveredRanges } from './covered-ranges.ts';
import type { EntryHeader, EntrySink } from './entry-sink.ts';
import type { ReadableFile } from './readable-file.ts';
import { isEncrypted, readLocalHeader } from './zip-local-header.ts';

const STORED = 0;
const DEFLATED = 8;
/** What entries that share bytes with others may give in all: enough for a picture hidden so, too little for a bomb made so. */
const OVERLAP_ALLOWANCE_BYTES = 64 * 1024 * 1024;

/** An entry as the directory of the archive (or, without one, its local header) describes it. */
export interface ZipEntry {
  readonly header: EntryHeader;
  readonly localOffset: number;
  readonly flags: number;
  readonly method: number;
  readonly compressedSize: number;
  readonly uncompressedSize: number;
  readonly crc32: number;
}

/** Reads entries of one zip file, each on its own: what is wrong with one says nothing of the next. */
export class ZipEntryReader {
  readonly #file: ReadableFile;
  readonly #fileSize: number;
  readonly #sink: EntrySink;
  readonly covered: CoveredRanges;
  #overlapBytes = 0;

  constructor(file: ReadableFile, fileSize: number, sink: EntrySink, covered: CoveredRanges) {
    this.#file = file;
    this.#fileSize = fileSize;
    this.#sink = sink;
    this.covered = covered;
  }

  async read(entry: ZipEntry): Promise<void> {
    const local = await readLocalHeader(this.#file, entry.localOffset);
    if (local === null) {
      const flaw = damaged(
        false,
        'corruptArchive',
        `no entry stands at byte ${entry.localOffset}, where the directory says`,
      );
      if (flaw !== null) await this.#sink.record(entry.header, entry.uncompressedSize, flaw);
      return;
    }
    const end = local.dataStart + entry.compressedSize;
    const overlaps = this.covered.add(entry.localOffset, Math.min(end, this.#fileSize));
    const refusal = this.#refusal(entry, overlaps);
    if (refusal !== null) {
      await this.#sink.record(entry.header, entry.uncompressedSize, refusal);
      return;
    }
    const range = () => fileRange(this.#file, local.dataStart, Math.min(end, this.#fileSize));
    const content = entry.method === STORED ? range() : inflate(range).content;
    await this.#sink.write(entry.header, content, ({ sizeBytes, crc32, error }): Flaw => {
      if (overlaps) this.#overlapBytes += sizeBytes;
      const readable = sizeBytes > 0;
      if (end > this.#fileSize)
        return damaged(readable, 'truncated', `the archive ends ${end - this.#fileSize} bytes before the entry does`);
      if (error !== null) return damaged(readable, 'corruptData', errorText(error));
      if (sizeBytes !== entry.uncompressedSize) {
        return damaged(
          readable,
          'corruptData',
          `${entry.uncompressedSize} bytes were announced, ${sizeBytes} came out`,
        );
      }
      if (crc32 !== entry.crc32)
        return damaged(readable, 'badCrc', 'the CRC-32 of the content is not the one announced');
      return overlaps ? damaged(readable, 'duplicateOffset', 'shares bytes with another entry') : null;
    });
  }

  #refusal(entry: ZipEntry, overlaps: boolean): Flaw {
    if (isEncrypted(entry.flags))
      return { outcome: 'notExamined', reason: archiveReason('encrypted', 'encrypted entry') };
    if (entry.method !== STORED && entry.method !== DEFLATED) {
      return {
        outcome: 'rejected',
        reason: archiveReason('unsupportedCompression', `compression method ${entry.method}`),
      };
    }
    if (overlaps && this.#overlapBytes >= OVERLAP_ALLOWANCE_BYTES) {
      const detail = `shares bytes with another entry, and such entries gave ${this.#overlapBytes} bytes already`;
      return { outcome: 'rejected', reason: archiveReason('duplicateOffset', detail) };
    }
    return null;
  }
}
