import { crc32 } from 'node:zlib';
import { fileRange, inflate, readAt } from './byte-source.ts';
import type { ReadableFile } from './readable-file.ts';

/** What is wrong with a gzip stream besides its deflated data. */
export class GzipFault extends Error {
  override readonly name = 'GzipFault';
  readonly code: 'truncated' | 'badCrc' | 'corruptData';

  constructor(code: 'truncated' | 'badCrc' | 'corruptData', message: string) {
    super(message);
    this.code = code;
  }
}

export interface GzipHeader {
  /** The original name, raw bytes, if it is there. */
  readonly name: Buffer | null;
  readonly modifiedSeconds: number;
  readonly lengthBytes: number;
}

const FIXED_BYTES = 10;
/** Names and comments have no end of their own but a zero byte. */
const LONGEST_HEADER_BYTES = 256 * 1024;
const TRAILER_BYTES = 8;
const HAS_CRC = 0x02;
const HAS_EXTRA = 0x04;
const HAS_NAME = 0x08;
const HAS_COMMENT = 0x10;

/** RFC 1952, 2.3. Null where no member of the deflate kind begins. */
export async function readGzipHeader(file: ReadableFile, offset: number): Promise<GzipHeader | null> {
  const head = await readAt(file, offset, LONGEST_HEADER_BYTES);
  if (head.length < FIXED_BYTES || head[0] !== 0x1f || head[1] !== 0x8b || head[2] !== 8) return null;
  const flags = head[3] ?? 0;
  let at = FIXED_BYTES;
  if ((flags & HAS_EXTRA) !== 0) at += 2 + (at + 2 <= head.length ? head.readUInt16LE(at) : 0);
  const nameStart = at;
  const skipText = (): void => {
    const end = head.indexOf(0, at);
    at = end < 0 ? head.length : end + 1;
  };
  if ((flags & HAS_NAME) !== 0) skipText();
  const name = (flags & HAS_NAME) === 0 || at - 1 <= nameStart ? null : head.subarray(nameStart, at - 1);
  if ((flags & HAS_COMMENT) !== 0) skipText();
  if ((flags & HAS_CRC) !== 0) at += 2;
  return { name, modifiedSeconds: head.readUInt32LE(4), lengthBytes: at };
}

/**
 * The content of a gzip file, all its members in a row. Their check sums are compared here and not by zlib, which would keep back the end
 * of a content whose sum is wrong. Anything behind the last member is passed over.
 * @throws GzipFault or zlib's error, after everything that could be read was given.
 */
export async function* gunzipped(file: ReadableFile, fileSize: number): AsyncGenerator<Buffer> {
  for (let offset = 0; offset < fileSize; ) {
    const header = await readGzipHeader(file, offset);
    if (header === null) {
      if (offset === 0) throw new GzipFault('corruptData', 'no gzip header');
      return;
    }
    const start = offset + header.lengthBytes;
    const inflation = inflate(() => fileRange(file, start, fileSize));
    let sum = 0;
    let size = 0;
    for await (const chunk of inflation.content) {
      sum = crc32(chunk, sum);
      size += chunk.length;
      yield chunk;
    }
    const trailer = await readAt(file, start + inflation.consumedBytes(), TRAILER_BYTES);
    if (trailer.length < TRAILER_BYTES) throw new GzipFault('truncated', 'the file ends before its check sum');
    if (trailer.readUInt32LE(0) !== sum || trailer.readUInt32LE(4) !== size % 2 ** 32) {
      throw new GzipFault('badCrc', 'the check sum of the content is not the one announced');
    }
    offset = start + inflation.consumedBytes() + TRAILER_BYTES;
  }
}
