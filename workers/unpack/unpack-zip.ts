import { Readable } from 'node:stream';
import { type Entry, fromRandomAccessReaderPromise, RandomAccessReader } from 'yauzl';
import type { Reason } from '../../schemas/outcome.ts';
import { archiveReason, errorText } from './archive-reason.ts';
import { fileRange } from './byte-source.ts';
import { CoveredRanges } from './covered-ranges.ts';
import { ScratchFailure } from './entry-file.ts';
import { BudgetSpent, type EntrySink } from './entry-sink.ts';
import type { ReadableFile } from './readable-file.ts';
import { type ZipEntry, ZipEntryReader } from './zip-entry.ts';
import { dosTimeText } from './zip-local-header.ts';
import { salvage } from './zip-salvage.ts';

const UNIX_SYSTEMS = new Set([3, 19]);
const TYPE_MASK = 0xf000;
const TYPE_FOLDER = 0x4000;
const TYPE_FILE = 0x8000;
const TYPE_LINK = 0xa000;
/** A link's content is its target; one longer than a path can be is a file that was marked as a link. */
const LONGEST_TARGET_BYTES = 4096;
const SLASH = 0x2f;

/**
 * Unpacks a zip file. The directory at its end says what is in it; where that is missing or breaks off, and for entries that stand in the
 * file without being listed, local headers do. Returns what is wrong with the archive as such, or null.
 */
export async function unpackZip(file: ReadableFile, fileSize: number, sink: EntrySink): Promise<Reason | null> {
  const reader = new ZipEntryReader(file, fileSize, sink, new CoveredRanges());
  let broken: string | null = null;
  try {
    // Names stay bytes and are judged by our own policy: yauzl would stop at the first unsafe one and hide all that follow.
    const options = { autoClose: false, decodeStrings: false, validateEntrySizes: false };
    const zip = await fromRandomAccessReaderPromise(new FileReader(file), fileSize, options);
    for await (const entry of zip.eachEntry()) await readListed(entry, sink, reader);
  } catch (error) {
    if (error instanceof BudgetSpent || error instanceof ScratchFailure) throw error;
    broken = errorText(error);
  }
  const found = await salvage(file, fileSize, sink, reader, broken === null ? 'besideEntries' : 'everywhere');
  if (broken !== null)
    return archiveReason(
      found > 0 ? 'truncated' : 'corruptArchive',
      `${broken} (${found} entries were found without it)`,
    );
  return found > 0 ? archiveReason('corruptArchive', `${found} entries are not in the directory of the archive`) : null;
}

/** Ranges of a file for yauzl, which reads no more than the directory. */
class FileReader extends RandomAccessReader {
  readonly #file: ReadableFile;

  constructor(file: ReadableFile) {
    super();
    this.#file = file;
  }

  override _readStreamForRange(start: number, end: number): Readable {
    return Readable.from(fileRange(this.#file, start, end), { objectMode: false });
  }
}

async function readListed(entry: Entry, sink: EntrySink, reader: ZipEntryReader): Promise<void> {
  const listed: ZipEntry = {
    header: { name: entry.fileNameRaw, modifiedAt: dosTimeText(entry.lastModFileDate, entry.lastModFileTime) },
    localOffset: entry.relativeOffsetOfLocalHeader,
    flags: entry.generalPurposeBitFlag,
    method: entry.compressionMethod,
    compressedSize: entry.compressedSize,
    uncompressedSize: entry.uncompressedSize,
    crc32: entry.crc32,
  };
  const type = UNIX_SYSTEMS.has(entry.versionMadeBy >> 8)
    ? (entry.externalFileAttributes >>> 16) & TYPE_MASK
    : TYPE_FILE;
  const isFolder = entry.fileNameRaw.at(-1) === SLASH || type === TYPE_FOLDER;
  if (isFolder && entry.uncompressedSize === 0) {
    reader.covered.add(listed.localOffset, listed.localOffset + 30 + entry.fileNameRaw.length);
    sink.passOver();
  } else if (type === TYPE_LINK && entry.uncompressedSize <= LONGEST_TARGET_BYTES) {
    reader.covered.add(listed.localOffset, listed.localOffset + 30 + entry.fileNameRaw.length + entry.compressedSize);
    await sink.record(listed.header, entry.uncompressedSize, {
      outcome: 'rejected',
      reason: archiveReason('symbolicLink', 'a link, not followed'),
    });
  } else if (
    type !== 0 &&
    type !== TYPE_FILE &&
    type !== TYPE_FOLDER &&
    type !== TYPE_LINK &&
    entry.uncompressedSize === 0
  ) {
    await sink.record(listed.header, 0, {
      outcome: 'rejected',
      reason: archiveReason('specialFile', 'a device, pipe or socket'),
    });
  } else {
    await reader.read(listed);
  }
}
