import { archiveReason, damaged, errorText, type Flaw } from './archive-reason.ts';
import { fileRange, inflate, readAt } from './byte-source.ts';
import type { EntrySink } from './entry-sink.ts';
import type { ReadableFile } from './readable-file.ts';
import type { ZipEntryReader } from './zip-entry.ts';
import {
  dosTimeText,
  isEncrypted,
  LOCAL_SIGNATURE,
  type LocalHeader,
  readLocalHeader,
  sizesFollow,
} from './zip-local-header.ts';

/** everywhere: the directory is missing or broken. besideEntries: it is whole, but an entry may stand between or behind those it lists. */
export type SalvageExtent = 'everywhere' | 'besideEntries';

const WINDOW_BYTES = 256 * 1024;
/** What may lie between two entries without being one: a data descriptor is at most 24 bytes. */
const DESCRIPTOR_BYTES = 24;
const DESCRIPTOR_SIGNATURE = Buffer.from('PK\x07\x08', 'latin1');
const DEFLATED = 8;

/**
 * Finds entries by their local headers in the parts of a zip file that no directory entry covers, and reads them.
 * Returns how many there were.
 */
export async function salvage(
  file: ReadableFile,
  fileSize: number,
  sink: EntrySink,
  reader: ZipEntryReader,
  extent: SalvageExtent,
): Promise<number> {
  let found = 0;
  for (const gap of reader.covered.gaps(fileSize)) {
    let at = gap.start;
    while (at < gap.end) {
      const until =
        extent === 'everywhere' ? gap.end : Math.min(gap.end, at + DESCRIPTOR_BYTES + LOCAL_SIGNATURE.length);
      const offset = await findSignature(file, at, until);
      if (offset === null) break;
      const local = await readLocalHeader(file, offset);
      if (local === null || !plausible(local)) {
        at = offset + LOCAL_SIGNATURE.length;
        continue;
      }
      found += 1;
      at = await readFound(file, fileSize, sink, reader, offset, local, gap.end);
    }
  }
  return found;
}

/** The four bytes of a signature occur by chance too; a name and a known method hardly ever follow then. */
const plausible = (local: LocalHeader): boolean =>
  local.name.length > 0 && local.method <= 99 && (local.flags & 0xd000) === 0;

async function findSignature(file: ReadableFile, start: number, end: number): Promise<number | null> {
  for (let at = start; at < end; at += WINDOW_BYTES - LOCAL_SIGNATURE.length + 1) {
    const window = await readAt(file, at, Math.min(WINDOW_BYTES, end - at));
    const found = window.indexOf(LOCAL_SIGNATURE);
    if (found >= 0) return at + found;
  }
  return null;
}

/** Whether a data descriptor with this CRC-32 stands here, with its signature or without (APPNOTE 6.3.10, 4.3.9). */
async function crcOfDescriptor(file: ReadableFile, at: number, crc32: number): Promise<boolean> {
  const found = await readAt(file, at, 2 * DESCRIPTOR_SIGNATURE.length);
  const start = found.subarray(0, DESCRIPTOR_SIGNATURE.length).equals(DESCRIPTOR_SIGNATURE)
    ? DESCRIPTOR_SIGNATURE.length
    : 0;
  return found.length >= start + 4 && found.readUInt32LE(start) === crc32 >>> 0;
}

/** Reads the entry at `offset` and returns where to look on. */
async function readFound(
  file: ReadableFile,
  fileSize: number,
  sink: EntrySink,
  reader: ZipEntryReader,
  offset: number,
  local: LocalHeader,
  gapEnd: number,
): Promise<number> {
  const header = { name: local.name, modifiedAt: dosTimeText(local.dosDate, local.dosTime) };
  const isFolder = local.name.at(-1) === 0x2f && local.compressedSize === 0;
  if (isFolder) {
    sink.passOver();
    return local.dataStart;
  }
  if (!sizesFollow(local.flags)) {
    await reader.read({ header, localOffset: offset, ...local });
    return Math.min(local.dataStart + local.compressedSize, gapEnd);
  }
  if (isEncrypted(local.flags) || local.method !== DEFLATED) {
    // Without a size nothing says where a stored or encrypted entry ends; the next signature does, if there is one.
    const next = (await findSignature(file, local.dataStart, gapEnd)) ?? gapEnd;
    if (isEncrypted(local.flags)) {
      await sink.record(header, null, {
        outcome: 'notExamined',
        reason: archiveReason('encrypted', 'encrypted entry'),
      });
    } else {
      const judge = ({ sizeBytes }: { sizeBytes: number }): Flaw =>
        damaged(sizeBytes > 0, 'corruptArchive', 'its end is guessed: no size is given');
      await sink.write(header, fileRange(file, local.dataStart, next), judge);
    }
    return next;
  }
  const inflation = inflate(() => fileRange(file, local.dataStart, gapEnd));
  await sink.write(header, inflation.content, async ({ sizeBytes, crc32, error }): Promise<Flaw> => {
    if (error === null) {
      const announced = await crcOfDescriptor(file, local.dataStart + inflation.consumedBytes(), crc32);
      // Without it nothing says that what came out is what went in.
      return announced ? null : damaged(sizeBytes > 0, 'badCrc', 'no CRC-32 of its content follows it');
    }
    const cut = gapEnd === fileSize && error instanceof Error && 'code' in error && error.code === 'Z_BUF_ERROR';
    return damaged(sizeBytes > 0, cut ? 'truncated' : 'corruptData', errorText(error));
  });
  return Math.max(local.dataStart + inflation.consumedBytes(), local.dataStart + 1);
}
