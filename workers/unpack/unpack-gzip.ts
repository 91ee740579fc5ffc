import type { FileHandle } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import type { Reason } from '../../schemas/outcome.ts';
import type { Flaw } from './archive-reason.ts';
import { BlockReader } from './block-reader.ts';
import { decompressed, fileRange, INFLATED_CHUNK_BYTES, readAt } from './byte-source.ts';
import type { EntrySink } from './entry-sink.ts';
import { readTarHeader, TAR_BLOCK_BYTES } from './tar-header.ts';
import { sourceReason, unpackTar } from './unpack-tar.ts';

const HEAD_BYTES = 1024;
const CHUNK_BYTES = 64 * 1024;
const HAS_EXTRA = 0x04;
const HAS_NAME = 0x08;

/** Unpacks a gzip file: a tar in it entry by entry, anything else as the one file it is. */
export async function unpackGzip(
  file: FileHandle,
  fileSize: number,
  archivePath: Buffer,
  sink: EntrySink,
): Promise<Reason | null> {
  const blocks = new BlockReader(
    decompressed(createGunzip({ chunkSize: INFLATED_CHUNK_BYTES }), fileRange(file, 0, fileSize)),
  );
  const first = await blocks.exactly(TAR_BLOCK_BYTES);
  blocks.unread(first);
  if (readTarHeader(first) !== null) return await unpackTar(blocks, sink);
  const head = await readAt(file, 0, HEAD_BYTES);
  const content = async function* (): AsyncGenerator<Buffer> {
    for (let chunk = await blocks.next(CHUNK_BYTES); chunk !== null; chunk = await blocks.next(CHUNK_BYTES))
      yield chunk;
  };
  const header = { name: storedName(head) ?? nameOf(archivePath), modifiedAt: storedTime(head) };
  await sink.write(header, content(), ({ sizeBytes }): Flaw => {
    if (blocks.error === null) return null;
    return { outcome: sizeBytes > 0 ? 'partial' : 'rejected', reason: sourceReason(blocks.error) };
  });
  await blocks.close();
  return blocks.error === null ? null : sourceReason(blocks.error);
}

/** The original name in the header (RFC 1952 2.3), if it is there. */
function storedName(head: Buffer): Buffer | null {
  const flags = head[3] ?? 0;
  if ((flags & HAS_NAME) === 0 || head.length < 12) return null;
  const start = (flags & HAS_EXTRA) === 0 ? 10 : 12 + head.readUInt16LE(10);
  const end = head.indexOf(0, start);
  return end > start ? head.subarray(start, end) : null;
}

function storedTime(head: Buffer): string | null {
  const seconds = head.length < 8 ? 0 : head.readUInt32LE(4);
  return seconds === 0 ? null : new Date(seconds * 1000).toISOString();
}

/** The archive's own name without its ending. */
function nameOf(archivePath: Buffer): Buffer {
  const name = archivePath.subarray(archivePath.lastIndexOf('/') + 1);
  const ending = /\.gz$/i.exec(name.toString('latin1'));
  return ending === null ? name : name.subarray(0, ending.index);
}
