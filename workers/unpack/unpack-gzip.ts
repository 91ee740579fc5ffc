import type { Reason } from '../../schemas/outcome.ts';
import type { Flaw } from './archive-reason.ts';
import { BlockReader } from './block-reader.ts';
import type { EntrySink } from './entry-sink.ts';
import { gunzipped, readGzipHeader } from './gzip-members.ts';
import type { ReadableFile } from './readable-file.ts';
import { readTarHeader, TAR_BLOCK_BYTES } from './tar-header.ts';
import { sourceReason, unpackTar } from './unpack-tar.ts';

const CHUNK_BYTES = 64 * 1024;

/** Unpacks a gzip file: a tar in it entry by entry, anything else as the one file it is. */
export async function unpackGzip(
  file: ReadableFile,
  fileSize: number,
  archivePath: Buffer,
  sink: EntrySink,
): Promise<Reason | null> {
  const blocks = new BlockReader(gunzipped(file, fileSize));
  const first = await blocks.exactly(TAR_BLOCK_BYTES);
  blocks.unread(first);
  if (readTarHeader(first) !== null) return await unpackTar(blocks, sink);
  const head = await readGzipHeader(file, 0);
  const content = async function* (): AsyncGenerator<Buffer> {
    for (let chunk = await blocks.next(CHUNK_BYTES); chunk !== null; chunk = await blocks.next(CHUNK_BYTES))
      yield chunk;
  };
  const header = {
    name: head?.name ?? nameOf(archivePath),
    modifiedAt:
      head === null || head.modifiedSeconds === 0 ? null : new Date(head.modifiedSeconds * 1000).toISOString(),
  };
  await sink.write(header, content(), ({ sizeBytes }): Flaw => {
    if (blocks.error === null) return null;
    return { outcome: sizeBytes > 0 ? 'partial' : 'rejected', reason: sourceReason(blocks.error) };
  });
  await blocks.close();
  return blocks.error === null ? null : sourceReason(blocks.error);
}

/** The archive's own name without its ending. */
function nameOf(archivePath: Buffer): Buffer {
  const name = archivePath.subarray(archivePath.lastIndexOf('/') + 1);
  const ending = /\.gz$/i.exec(name.toString('latin1'));
  return ending === null ? name : name.subarray(0, ending.index);
}
