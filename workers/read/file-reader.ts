import type { Cipheriv } from 'node:crypto';
import fs from 'node:fs';
import type { Digests } from '../../schemas/fingerprint.ts';
import type { Reason, ReasonCode } from '../../schemas/outcome.ts';
import { FileDigests } from '../hash/digests.ts';
import { SCRATCH_HEAD_BYTES, scratchCipher } from './scratch-cipher.ts';
import { SNIFF_HEAD_BYTES, sniffTail, sniffType, TAIL_BYTES } from './sniff.ts';
import { type SniffedType, UNKNOWN_TYPE } from './type-tables.ts';

/** A decoder needs the whole file in memory; the largest photographs are far below this, and a host has to live beside it. */
export const DECODE_BUFFER_LIMIT_BYTES = 512 * 1024 * 1024;
/** Bytes per read: large enough that calls cost nothing, small enough to stay in the processor's cache while three digests see it. */
const CHUNK_BYTES = 256 * 1024;

export type ReadResult =
  | { readonly kind: 'refused'; readonly reason: Reason; readonly sizeBytes: number | null }
  | {
      readonly kind: 'read';
      readonly sizeBytes: number;
      readonly digests: Digests;
      readonly type: SniffedType;
      /** The content of a picture that fits in memory, for the decoder; null for everything else. */
      readonly bytes: Buffer | null;
    };

/**
 * Reads a regular file once, from beginning to end: MD5, SHA-1 and SHA-256 see the same chunks that go into the buffer. Links are
 * not followed, a FIFO or device does not block, and a file that changes meanwhile has no digests, since they would be of neither state.
 * Synchronous, for a worker thread that has nothing else to do. Every trouble is a returned reason; nothing is thrown.
 * @param pathBytes the path as the file system gave it; names need not be UTF-8
 * @param sizeLimitBytes larger files are refused without being read
 * @param bufferLimitBytes larger pictures are digested in flat memory, and not decoded
 * @param scratchKey of a file of the scratch folder, which is encrypted with it
 */
export function readFile(
  pathBytes: Buffer,
  sizeLimitBytes: number,
  bufferLimitBytes: number = DECODE_BUFFER_LIMIT_BYTES,
  scratchKey: Buffer | null = null,
): ReadResult {
  let fd: number | undefined;
  try {
    // Opening some devices has effects of its own, so the kind is asked before, and again after, when it can no longer be exchanged.
    const before = fs.lstatSync(pathBytes);
    const refusedKind = refuseKind(before);
    if (refusedKind !== undefined) return refusedKind;
    fd = fs.openSync(
      pathBytes,
      fs.constants.O_RDONLY | (fs.constants.O_NOFOLLOW ?? 0) | (fs.constants.O_NONBLOCK ?? 0),
    );
    return readOpen(fd, sizeLimitBytes, bufferLimitBytes, scratchKey);
  } catch (error) {
    return refuseError(error);
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

function readOpen(fd: number, sizeLimitBytes: number, bufferLimitBytes: number, scratchKey: Buffer | null): ReadResult {
  const before = fs.fstatSync(fd, { bigint: true });
  const refusedKind = refuseKind(before);
  if (refusedKind !== undefined) return refusedKind;
  const source = scratchKey === null ? new Source(fd, null) : Source.ofScratch(fd, scratchKey);
  const sizeBytes = Number(before.size) - source.headBytes;
  if (sizeBytes > sizeLimitBytes)
    return refused('tooLarge', `${sizeBytes} bytes, more than the limit of ${sizeLimitBytes}`, sizeBytes);

  const digests = new FileDigests();
  const head = Buffer.allocUnsafeSlow(Math.min(sizeBytes, SNIFF_HEAD_BYTES));
  const headBytes = fill(source, head, 0);
  let type = sniffType(head.subarray(0, headBytes));
  const wanted = type.class.kind === 'picture' && sizeBytes <= bufferLimitBytes;
  let position = headBytes;
  let bytes: Buffer | null = null;
  digests.update(head.subarray(0, headBytes));
  if (wanted) {
    bytes = Buffer.allocUnsafeSlow(sizeBytes);
    head.copy(bytes, 0, 0, headBytes);
    while (position < sizeBytes) {
      const got = source.read(bytes, position, Math.min(CHUNK_BYTES, sizeBytes - position));
      if (got === 0) break;
      digests.update(bytes.subarray(position, position + got));
      position += got;
    }
  } else {
    const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    let tail: Buffer = Buffer.from(head.subarray(Math.max(0, headBytes - TAIL_BYTES), headBytes));
    while (position < sizeBytes) {
      const got = source.read(chunk, 0, Math.min(CHUNK_BYTES, sizeBytes - position));
      if (got === 0) break;
      digests.update(chunk.subarray(0, got));
      position += got;
      tail = Buffer.concat([tail, chunk.subarray(Math.max(0, got - TAIL_BYTES), got)]).subarray(-TAIL_BYTES);
    }
    if (type === UNKNOWN_TYPE) type = sniffTail(tail) ?? type;
  }
  // One byte more than there should be tells that the file grew while it was read (or, as in /proc, that its size is not true).
  const grew = fs.readSync(fd, Buffer.alloc(1), 0, 1, null) > 0;
  const after = fs.fstatSync(fd, { bigint: true });
  if (grew || position !== sizeBytes || after.size !== before.size || after.mtimeNs !== before.mtimeNs)
    return refused(
      'changedWhileRead',
      'its size or modification time changed between opening and the last byte',
      sizeBytes,
    );
  return { kind: 'read', sizeBytes, digests: digests.finish(), type, bytes };
}

/** The content of an open file, from its beginning on. */
class Source {
  readonly #fd: number;
  readonly #cipher: Cipheriv | null;
  /** Of the file, before its content. */
  readonly headBytes: number;

  constructor(fd: number, cipher: Cipheriv | null) {
    this.#fd = fd;
    this.#cipher = cipher;
    this.headBytes = cipher === null ? 0 : SCRATCH_HEAD_BYTES;
  }

  static ofScratch(fd: number, key: Buffer): Source {
    const head = Buffer.alloc(SCRATCH_HEAD_BYTES);
    fs.readSync(fd, head, 0, SCRATCH_HEAD_BYTES, null);
    return new Source(fd, scratchCipher(key, head));
  }

  /** How many bytes came; 0 at the end. */
  read(buffer: Buffer, offset: number, length: number): number {
    const got = fs.readSync(this.#fd, buffer, offset, length, null);
    const part = buffer.subarray(offset, offset + got);
    if (this.#cipher !== null) part.set(this.#cipher.update(part));
    return got;
  }
}

/** Reads until the buffer is full or the file ends. */
function fill(source: Source, buffer: Buffer, from: number): number {
  let position = from;
  while (position < buffer.length) {
    const got = source.read(buffer, position, buffer.length - position);
    if (got === 0) break;
    position += got;
  }
  return position;
}

function refuseKind(stats: fs.Stats | fs.BigIntStats): ReadResult | undefined {
  if (stats.isFile()) return undefined;
  if (stats.isSymbolicLink())
    return refused('symbolicLink', 'a symbolic link, which is recorded and not followed', null);
  const kind = stats.isDirectory()
    ? 'directory'
    : stats.isFIFO()
      ? 'FIFO'
      : stats.isSocket()
        ? 'socket'
        : stats.isCharacterDevice() || stats.isBlockDevice()
          ? 'device'
          : 'special file';
  return refused('specialFile', `a ${kind}, not a regular file`, null);
}

const REASON_OF_ERRNO: Readonly<Record<string, ReasonCode>> = {
  EACCES: 'permission',
  EPERM: 'permission',
  ELOOP: 'symbolicLink',
  EMLINK: 'symbolicLink',
  ENXIO: 'specialFile',
  EFBIG: 'tooLarge',
};

/** The message of a system error repeats the path, which may be harmful to read, so only its code and call are kept. */
function refuseError(error: unknown): ReadResult {
  if (!(error instanceof Error)) return refused('unreadable', 'unknown error', null);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  const call = 'syscall' in error && typeof error.syscall === 'string' ? error.syscall : 'read';
  return refused(REASON_OF_ERRNO[code] ?? 'unreadable', `${call}: ${code}`, null);
}

const refused = (code: ReasonCode, detail: string, sizeBytes: number | null): ReadResult => ({
  kind: 'refused',
  reason: { code, detail },
  sizeBytes,
});
