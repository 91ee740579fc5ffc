import type { Reason } from '../../schemas/outcome.ts';
import { archiveReason, damaged, errorText, type Flaw } from './archive-reason.ts';
import type { BlockReader } from './block-reader.ts';
import type { EntryHeader, EntrySink } from './entry-sink.ts';
import { GzipFault } from './gzip-members.ts';
import {
  isZeroBlock,
  type PaxRecords,
  readPaxRecords,
  readTarHeader,
  TAR_BLOCK_BYTES,
  type TarHeader,
} from './tar-header.ts';

const LONGEST_EXTENSION_BYTES = 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;
/** Past this, Date has no text; and no camera was there. */
const LATEST_SECONDS = 253_402_300_799;

const REFUSED: Readonly<Record<string, Flaw>> = {
  1: { outcome: 'rejected', reason: archiveReason('symbolicLink', 'another name of an earlier entry') },
  2: { outcome: 'rejected', reason: archiveReason('symbolicLink', 'a link, not followed') },
  3: { outcome: 'rejected', reason: archiveReason('specialFile', 'a character device') },
  4: { outcome: 'rejected', reason: archiveReason('specialFile', 'a block device') },
  6: { outcome: 'rejected', reason: archiveReason('specialFile', 'a pipe') },
};

/**
 * Unpacks a tar stream. A block that should be a header and is none is passed over until one is found again, so that damage costs the
 * entries it lies in and no others. Returns what is wrong with the archive as such, or null.
 */
export async function unpackTar(blocks: BlockReader, sink: EntrySink): Promise<Reason | null> {
  let damagedBlocks = 0;
  let cut = false;
  let longName: Buffer | null = null;
  let pax: PaxRecords = {};
  for (;;) {
    const block = await blocks.exactly(TAR_BLOCK_BYTES);
    if (block.length === 0) break;
    const header = readTarHeader(block);
    if (header === null) {
      if (block.length < TAR_BLOCK_BYTES) cut ||= !isZeroBlock(block);
      else if (!isZeroBlock(block)) damagedBlocks += 1;
      continue;
    }
    if (header.type === 'L' || header.type === 'K' || header.type === 'x' || header.type === 'g') {
      const body = await blocks.exactly(Math.min(header.size, LONGEST_EXTENSION_BYTES));
      await blocks.skip(padded(header.size) - body.length);
      if (header.type === 'L') longName = body.subarray(0, body.indexOf(0) < 0 ? body.length : body.indexOf(0));
      if (header.type === 'x') pax = readPaxRecords(body);
      continue;
    }
    const entry: EntryHeader = {
      name: pax.path ?? longName ?? header.name,
      modifiedAt: timeText(pax.modifiedSeconds ?? header.modifiedSeconds),
    };
    const size = pax.size ?? header.size;
    longName = null;
    pax = {};
    if (!(await unpackEntry(blocks, sink, header, entry, size))) cut = true;
  }
  await blocks.close();
  if (blocks.error !== null) return sourceReason(blocks.error);
  if (cut) return archiveReason('truncated', 'the archive ends within an entry');
  return damagedBlocks > 0
    ? archiveReason('corruptArchive', `${damagedBlocks} blocks of 512 bytes belong to no entry`)
    : null;
}

/** False when the archive ended within it. */
async function unpackEntry(
  blocks: BlockReader,
  sink: EntrySink,
  header: TarHeader,
  entry: EntryHeader,
  size: number,
): Promise<boolean> {
  const { type } = header;
  if (type === '5' || type === 'D' || type === 'V') {
    sink.passOver();
    // A folder has no body, whatever its size says; GNU's lists of a folder's content (D) do.
    return type !== 'D' || (await blocks.skip(padded(size))) === padded(size);
  }
  const refusal = REFUSED[type] ?? null;
  if (refusal !== null && !(type === '1' && size > 0)) {
    await sink.record(entry, null, refusal);
    return true;
  }
  let extended = type === 'S' && header.extended;
  while (extended) extended = (await blocks.exactly(TAR_BLOCK_BYTES))[504] === 1;
  let taken = 0;
  const body = async function* (): AsyncGenerator<Buffer> {
    while (taken < size) {
      const chunk = await blocks.next(Math.min(CHUNK_BYTES, size - taken));
      if (chunk === null) return;
      taken += chunk.length;
      yield chunk;
    }
  };
  await sink.write(entry, body(), ({ sizeBytes }): Flaw => {
    if (sizeBytes < size)
      return damaged(sizeBytes > 0, 'truncated', `${size} bytes were announced, ${sizeBytes} are there`);
    return type === 'S' ? damaged(true, 'unsupportedVariant', 'a sparse file: its holes are left out') : null;
  });
  // An entry that was over its budget is read past.
  if (taken < size) taken += await blocks.skip(size - taken);
  await blocks.skip(padded(size) - size);
  return taken === size;
}

const padded = (size: number): number => Math.ceil(size / TAR_BLOCK_BYTES) * TAR_BLOCK_BYTES;

const timeText = (seconds: number): string | null =>
  seconds > 0 && seconds <= LATEST_SECONDS ? new Date(seconds * 1000).toISOString() : null;

/** What an error of the compressed stream says about the archive. */
export function sourceReason(error: unknown): Reason {
  if (error instanceof GzipFault) return archiveReason(error.code, error.message);
  const ended = error instanceof Error && 'code' in error && error.code === 'Z_BUF_ERROR';
  return archiveReason(ended ? 'truncated' : 'corruptData', errorText(error));
}
