import { createDecipheriv, createHash, createPublicKey, diffieHellman, hkdfSync, type KeyObject } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { isSealedTrailer } from '../../schemas/checks/is-sealed-trailer.ts';
import {
  SEALED_CIPHER,
  SEALED_DATA,
  SEALED_HEAD_BYTES,
  SEALED_KEY_INFO,
  SEALED_LAST,
  SEALED_LENGTH_BYTES,
  SEALED_MAGIC,
  SEALED_RECORD_BYTES,
  SEALED_TAG_BYTES,
  SEALED_TRAILER,
  SEALED_VERSION,
  type SealedTrailer,
} from '../../schemas/sealed-upload.ts';
import type { ReadableFile } from './readable-file.ts';

/** The file is no whole sealed upload, was changed, or is sealed for another key. Says nothing of its content. */
export class SealBroken extends Error {
  override readonly name = 'SealBroken';
}

interface Segment {
  readonly key: Buffer;
  /** Where its first record lies in the file. */
  readonly recordsAt: number;
  readonly records: number;
  /** Of its content in the upload. */
  readonly start: number;
  readonly sizeBytes: number;
}

/** Records kept opened: reading goes along the file, and jumps back a little. */
const RECORDS_KEPT = 8;
const HASHED_AT_ONCE_BYTES = 1024 * 1024;

/** The content of a sealed upload (schemas/sealed-upload.ts), at any place; each record is checked when it is read. */
export class SealedFile implements ReadableFile {
  readonly #file: FileHandle;
  readonly #segments: readonly Segment[];
  readonly trailer: SealedTrailer;
  /** In hexadecimal, without hyphens. */
  readonly uploadId: string;
  readonly #kept = new Map<string, Buffer>();

  private constructor(file: FileHandle, segments: readonly Segment[], trailer: SealedTrailer, uploadId: string) {
    this.uploadId = uploadId;
    this.#file = file;
    this.#segments = segments;
    this.trailer = trailer;
  }

  /**
   * Goes along the file once, record by record, without opening them; where nobody has compared the digest of the whole yet, that is done here.
   * @param file stays the caller's
   * @throws SealBroken
   */
  static async open(file: FileHandle, fileSize: number, privateKey: KeyObject): Promise<SealedFile> {
    const segments: Segment[] = [];
    let uploadId: string | null = null;
    let trailer: SealedTrailer | null = null;
    for (let at = 0; at < fileSize; ) {
      const head = await exactly(file, at, SEALED_HEAD_BYTES);
      const kind = head.readUInt8(9);
      const id = head.toString('hex', 16, 32);
      const before = segments.at(-1);
      const start = before === undefined ? 0 : before.start + before.sizeBytes;
      if (
        trailer !== null ||
        head.toString('latin1', 0, 8) !== SEALED_MAGIC ||
        head.readUInt8(8) !== SEALED_VERSION ||
        (kind !== SEALED_DATA && kind !== SEALED_TRAILER) ||
        head.readUInt32BE(12) !== segments.length ||
        (uploadId ?? id) !== id ||
        head.readBigUInt64BE(32) !== BigInt(start)
      )
        throw new SealBroken('segments are missing, out of order or of another upload');
      uploadId = id;
      const key = keyOf(head, privateKey);
      const segment = await walkRecords(file, at + SEALED_HEAD_BYTES, fileSize, { key, start });
      if (kind === SEALED_DATA) segments.push(segment.segment);
      else trailer = await readTrailer(file, segment.segment);
      at = segment.end;
    }
    const last = segments.at(-1);
    if (trailer === null || trailer.sizeBytes !== (last === undefined ? 0 : last.start + last.sizeBytes))
      throw new SealBroken('it ends before its end');
    const opened = new SealedFile(file, segments, trailer, uploadId ?? '');
    if (!trailer.verified && (await opened.#sha256()) !== trailer.sha256)
      throw new SealBroken('its content has another digest than was stated');
    return opened;
  }

  get sizeBytes(): number {
    return this.trailer.sizeBytes;
  }

  /** @throws SealBroken where a record was changed */
  async read(buffer: Buffer, offset: number, length: number, position: number): Promise<{ bytesRead: number }> {
    let bytesRead = 0;
    while (bytesRead < length && position + bytesRead < this.sizeBytes) {
      const at = position + bytesRead;
      const segment = this.#segmentAt(at);
      const record = Math.floor((at - segment.start) / SEALED_RECORD_BYTES);
      const content = await this.#record(segment, record);
      const from = at - segment.start - record * SEALED_RECORD_BYTES;
      bytesRead += content.copy(buffer, offset + bytesRead, from, Math.min(content.length, from + length - bytesRead));
    }
    return { bytesRead };
  }

  #segmentAt(position: number): Segment {
    let [low, high] = [0, this.#segments.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#segments[middle]?.start ?? 0) <= position) low = middle;
      else high = middle - 1;
    }
    const found = this.#segments[low];
    if (found === undefined) throw new SealBroken('it holds nothing at this place');
    return found;
  }

  async #record(segment: Segment, record: number): Promise<Buffer> {
    const name = `${segment.start} ${record}`;
    const kept = this.#kept.get(name);
    if (kept !== undefined) return kept;
    const content = await openRecord(this.#file, segment, record);
    if (this.#kept.size >= RECORDS_KEPT)
      for (const oldest of [...this.#kept.keys()].slice(0, 1)) this.#kept.delete(oldest);
    this.#kept.set(name, content);
    return content;
  }

  async #sha256(): Promise<string> {
    const hash = createHash('sha256');
    const buffer = Buffer.allocUnsafe(HASHED_AT_ONCE_BYTES);
    for (let at = 0; at < this.sizeBytes; ) {
      const { bytesRead } = await this.read(buffer, 0, buffer.length, at);
      if (bytesRead === 0) break;
      hash.update(buffer.subarray(0, bytesRead));
      at += bytesRead;
    }
    return hash.digest('hex');
  }
}

async function walkRecords(
  file: FileHandle,
  recordsAt: number,
  fileSize: number,
  { key, start }: Pick<Segment, 'key' | 'start'>,
): Promise<{ readonly segment: Segment; readonly end: number }> {
  let records = 0;
  for (let at = recordsAt; at < fileSize; ) {
    const field = (await exactly(file, at, SEALED_LENGTH_BYTES)).readUInt32BE(0);
    const length = field & ~SEALED_LAST;
    const isLast = (field & SEALED_LAST) !== 0;
    at += SEALED_LENGTH_BYTES + length + SEALED_TAG_BYTES;
    records += 1;
    if (length > SEALED_RECORD_BYTES || (!isLast && length !== SEALED_RECORD_BYTES) || at > fileSize) break;
    if (!isLast) continue;
    const sizeBytes = (records - 1) * SEALED_RECORD_BYTES + length;
    return { segment: { key, recordsAt, records, start, sizeBytes }, end: at };
  }
  throw new SealBroken('a segment ends before its end');
}

async function openRecord(file: FileHandle, segment: Segment, record: number): Promise<Buffer> {
  const stride = SEALED_LENGTH_BYTES + SEALED_RECORD_BYTES + SEALED_TAG_BYTES;
  const length =
    record === segment.records - 1 ? segment.sizeBytes - record * SEALED_RECORD_BYTES : SEALED_RECORD_BYTES;
  const sealed = await exactly(
    file,
    segment.recordsAt + record * stride,
    SEALED_LENGTH_BYTES + length + SEALED_TAG_BYTES,
  );
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(record, 8);
  const decipher = createDecipheriv(SEALED_CIPHER, segment.key, nonce, { authTagLength: SEALED_TAG_BYTES });
  decipher.setAAD(sealed.subarray(0, SEALED_LENGTH_BYTES));
  decipher.setAuthTag(sealed.subarray(SEALED_LENGTH_BYTES + length));
  const content = decipher.update(sealed.subarray(SEALED_LENGTH_BYTES, SEALED_LENGTH_BYTES + length));
  try {
    decipher.final();
  } catch {
    throw new SealBroken('a record was changed, or is sealed for another key');
  }
  return content;
}

async function readTrailer(file: FileHandle, segment: Segment): Promise<SealedTrailer> {
  const parts: Buffer[] = [];
  for (let record = 0; record < segment.records; record += 1) parts.push(await openRecord(file, segment, record));
  const trailer: unknown = JSON.parse(Buffer.concat(parts).toString());
  if (!isSealedTrailer(trailer)) throw new SealBroken('its trailer is not of the declared form');
  return trailer;
}

function keyOf(head: Buffer, privateKey: KeyObject): Buffer {
  try {
    const jwk = { kty: 'OKP', crv: 'X25519', x: head.toString('base64url', 40, 72) };
    const secret = diffieHellman({ privateKey, publicKey: createPublicKey({ key: jwk, format: 'jwk' }) });
    return Buffer.from(hkdfSync('sha256', secret, head, SEALED_KEY_INFO, 32));
  } catch {
    // A point of low order, which nobody who seals makes.
    throw new SealBroken('the head of a segment was changed');
  }
}

async function exactly(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.read(buffer, done, length - done, position + done);
    if (bytesRead === 0) throw new SealBroken('it ends before its end');
    done += bytesRead;
  }
  return buffer;
}
