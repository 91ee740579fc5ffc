import { createHash, type Hash, type KeyObject } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rename, rm, statfs } from 'node:fs/promises';
import path from 'node:path';
import { isUuid } from '../../schemas/access.ts';
import { HomewardError } from '../../schemas/error.ts';
import type { Db } from '../store/db.ts';
import { SegmentSealer, sealTrailer } from './seal.ts';
import { findUpload, keptAmong, markGone, noteReceived, restartUpload, staleUploads, type Upload } from './upload.ts';
import { writeParts } from './write-parts.ts';

/** What is lost at most of what came in when the machine stops: a segment is made durable after so much. */
const SEGMENT_BYTES = 64 * 1024 * 1024;
/** Sealed records go to the disk in writes of about this size. */
const WRITE_BYTES = 1024 * 1024;
/** Left free for the database and everything else. */
const LEAST_FREE_BYTES = 1024 * 1024 * 1024;
const ENDING = '.sealed';

/** The offset is another than where the next byte goes. */
export class UploadOffsetError extends HomewardError {
  readonly offsetBytes: number;

  constructor(offsetBytes: number, received: number) {
    super(
      'HW_UPLOAD_OFFSET',
      `expected the bytes from ${offsetBytes} on, received those from ${received} on; go on at ${offsetBytes}`,
    );
    this.offsetBytes = offsetBytes;
  }
}

/**
 * Receives uploads into a folder: each a file of sealed segments that this process cannot read back. What a cut connection or the end of
 * the process leaves is taken up where it was durable.
 */
export class UploadStore {
  readonly #db: Db;
  readonly #folder: string;
  readonly #recipient: KeyObject;
  /** Of uploads that this process has seen all bytes of so far. */
  readonly #digests = new Map<string, RunningDigest>();
  readonly #receiving = new Set<string>();

  /** `recipient`: the hosts' public key. */
  constructor(db: Db, folder: string, recipient: KeyObject) {
    this.#db = db;
    this.#folder = folder;
    this.#recipient = recipient;
  }

  /**
   * Takes bytes from an offset on, as they come. Where the source breaks off, what came is kept and its error thrown.
   * @throws UploadOffsetError, HW_UPLOAD_BUSY, HW_UPLOAD_TOO_LONG, HW_UPLOAD_DIGEST (it begins again), HW_UPLOAD_BUDGET where the disk is full
   */
  async append(uploadId: string, offsetBytes: number, source: AsyncIterable<Uint8Array>): Promise<Upload> {
    return await this.#alone(uploadId, async () => await this.#append(uploadId, offsetBytes, source));
  }

  /**
   * Ends a file of a lab tool, which says only afterwards that all of it came; one that was ended stays so.
   * @throws HW_UPLOAD_DIGEST where it is another file than the one of its MD5, or this process has not seen all of it (it begins again); HW_UPLOAD_BUSY
   */
  async finish(uploadId: string): Promise<Upload> {
    return await this.#alone(uploadId, async () => await this.#finishToolFile(uploadId));
  }

  /** Puts the files of a submission into a folder of their own; what was moved before stays. Returns the folder. */
  async gather(submissionId: string, uploadIds: readonly string[]): Promise<string> {
    const folder = path.join(this.#folder, submissionId);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    for (const uploadId of uploadIds) {
      const name = `${uploadId}${ENDING}`;
      await rename(path.join(this.#folder, name), path.join(folder, name)).catch((error: unknown) => {
        if (!isMissing(error)) throw error;
      });
    }
    return folder;
  }

  /** Removes files and says so in the database. The database first: a file that is left over is swept, one that is missed is not there. */
  async remove(uploadIds: readonly string[], submissionId: string | null = null): Promise<void> {
    await markGone(this.#db, uploadIds);
    for (const uploadId of uploadIds) {
      this.#digests.delete(uploadId);
      await rm(this.#fileOf(uploadId), { force: true });
    }
    if (submissionId !== null) await rm(path.join(this.#folder, submissionId), { recursive: true, force: true });
  }

  /** Removes what nobody went on with for so long, and files that the database knows nothing of any more, as after a case was erased. */
  async sweep({ staleAfterHours, keep }: { readonly staleAfterHours: number; readonly keep: boolean }): Promise<void> {
    await this.remove(await staleUploads(this.#db, staleAfterHours, keep));
    const entries = await readdir(this.#folder, { recursive: true }).catch(() => []);
    const files = entries.filter((entry) => entry.endsWith(ENDING) && isUuid(path.basename(entry, ENDING)));
    const kept = await keptAmong(
      this.#db,
      files.map((file) => path.basename(file, ENDING)),
    );
    for (const file of files)
      if (!kept.has(path.basename(file, ENDING))) await rm(path.join(this.#folder, file), { force: true });
  }

  async #alone<T>(uploadId: string, work: () => Promise<T>): Promise<T> {
    if (this.#receiving.has(uploadId))
      throw new HomewardError(
        'HW_UPLOAD_BUSY',
        'expected one request at a time for an upload, received another while one is under way; wait until it has ended',
      );
    this.#receiving.add(uploadId);
    try {
      return await work();
    } finally {
      this.#receiving.delete(uploadId);
    }
  }

  async #append(uploadId: string, offsetBytes: number, source: AsyncIterable<Uint8Array>): Promise<Upload> {
    const upload = await findUpload(this.#db, uploadId);
    if (upload === null || upload.state !== 'receiving')
      throw new HomewardError(
        'HW_NOT_FOUND',
        'expected an upload that awaits bytes, received one that does not; GET it to see its state',
      );
    if (upload.receivedBytes !== offsetBytes) throw new UploadOffsetError(upload.receivedBytes, offsetBytes);
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const { bavail, bsize } = await statfs(this.#folder);
    if (bavail * bsize < upload.sizeBytes - offsetBytes + LEAST_FREE_BYTES)
      throw new HomewardError(
        'HW_UPLOAD_BUDGET',
        `expected room for ${upload.sizeBytes - offsetBytes} bytes more on the disk, received less; tell whoever runs this engine, and go on later`,
      );
    const file = await open(this.#fileOf(uploadId), offsetBytes === 0 ? 'w' : 'r+', 0o600);
    try {
      // What a segment that never became durable left behind.
      await file.truncate(upload.sealedBytes);
      if (offsetBytes === 0) await syncFolder(this.#folder);
      return await this.#receive(upload, file, source);
    } finally {
      await file.close();
    }
  }

  async #receive(upload: Upload, file: FileHandle, source: AsyncIterable<Uint8Array>): Promise<Upload> {
    const digest = this.#digestOf(upload);
    const writer = new SegmentWriter(file, this.#recipient, upload);
    let failure: { readonly error: unknown } | null = null;
    let durable: Promise<void> = Promise.resolve();
    try {
      for await (const chunk of source) {
        if (writer.receivedBytes + chunk.length > upload.sizeBytes) {
          await durable.catch(() => undefined);
          // None of it: what is beyond the end says that all of it may be something else than was stated.
          this.#digests.delete(upload.uploadId);
          await restartUpload(this.#db, upload.uploadId);
          throw new HomewardError(
            'HW_UPLOAD_TOO_LONG',
            `expected ${upload.sizeBytes} bytes, as was stated when it was begun, received more; begin again at byte 0`,
          );
        }
        if (digest !== null) {
          digest.sha256.update(chunk);
          digest.md5?.update(chunk);
          digest.seenBytes += chunk.length;
        }
        await writer.add(chunk);
        if (writer.segmentBytes >= SEGMENT_BYTES) {
          // The disk works on the last segment while the next one comes in.
          await durable;
          durable = this.#makeDurable(upload, writer, digest);
          durable.catch(() => undefined);
        }
      }
    } catch (error) {
      if (error instanceof HomewardError) {
        await durable.catch(() => undefined);
        throw error;
      }
      failure = { error };
    }
    await durable;
    if (writer.receivedBytes < upload.sizeBytes || upload.sha256 === null) {
      await this.#makeDurable(upload, writer, digest);
      if (failure !== null) throw failure.error;
    } else await this.#finish(upload, writer, digest, upload.sha256);
    return (await findUpload(this.#db, upload.uploadId)) ?? upload;
  }

  async #makeDurable(upload: Upload, writer: SegmentWriter, digest: { bytes: number } | null): Promise<void> {
    const durable = await writer.endSegment();
    if (digest !== null) digest.bytes = durable.receivedBytes;
    await noteReceived(this.#db, upload.uploadId, { ...durable, sha256: upload.sha256, state: 'receiving' });
  }

  async #finish(upload: Upload, writer: SegmentWriter, digest: RunningDigest | null, sha256: Buffer): Promise<void> {
    const { uploadId, name, sizeBytes, modifiedAt } = upload;
    this.#digests.delete(uploadId);
    if (digest !== null && !digest.sha256.digest().equals(sha256))
      throw await this.#another(uploadId, 'the SHA-256 that was stated when it was begun');
    const verified = digest !== null;
    const whole = await writer.end({ name, sizeBytes, sha256: sha256.toString('hex'), verified, modifiedAt });
    await noteReceived(this.#db, uploadId, { ...whole, sha256, state: 'complete' });
  }

  async #finishToolFile(uploadId: string): Promise<Upload> {
    const upload = await findUpload(this.#db, uploadId);
    if (upload === null || upload.md5 === null)
      throw new HomewardError('HW_NOT_FOUND', 'expected a file of a lab tool, received none; initialise it');
    if (upload.state !== 'receiving') return upload;
    const digest = this.#digestOf(upload);
    this.#digests.delete(uploadId);
    // Its MD5 is all that was said of it: what was not compared as it came is not compared by anybody later.
    if (digest === null || digest.md5 === null || !digest.md5.digest().equals(upload.md5))
      throw await this.#another(
        uploadId,
        'the MD5 that it was initialised with, all of it since this engine was started',
      );
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const file = await open(this.#fileOf(uploadId), upload.sealedBytes === 0 ? 'w' : 'r+', 0o600);
    try {
      await file.truncate(upload.sealedBytes);
      const whole = { ...upload, sizeBytes: upload.receivedBytes };
      await this.#finish(whole, new SegmentWriter(file, this.#recipient, upload), null, digest.sha256.digest());
    } finally {
      await file.close();
    }
    return (await findUpload(this.#db, uploadId)) ?? upload;
  }

  async #another(uploadId: string, expected: string): Promise<HomewardError> {
    await restartUpload(this.#db, uploadId);
    return new HomewardError(
      'HW_UPLOAD_DIGEST',
      `expected the content to have ${expected}, received another content; begin again at byte 0`,
    );
  }

  /** Null where this process has not seen all of it: a host compares the digest then, before it reads anything else. */
  #digestOf({ uploadId, receivedBytes, md5 }: Upload): RunningDigest | null {
    if (receivedBytes === 0)
      this.#digests.set(uploadId, {
        sha256: createHash('sha256'),
        md5: md5 === null ? null : createHash('md5'),
        bytes: 0,
        seenBytes: 0,
      });
    const running = this.#digests.get(uploadId);
    if (running?.bytes === receivedBytes && running.seenBytes === receivedBytes) return running;
    this.#digests.delete(uploadId);
    return null;
  }

  #fileOf(uploadId: string): string {
    return path.join(this.#folder, `${uploadId}${ENDING}`);
  }
}

interface RunningDigest {
  readonly sha256: Hash;
  /** Of a file of a lab tool. */
  readonly md5: Hash | null;
  /** That are durable; it has seen more where a disk took no more, and is of no use then. */
  bytes: number;
  seenBytes: number;
}

type Durable = Pick<Upload, 'receivedBytes' | 'sealedBytes' | 'segments'>;

/** Seals what is added into segments of a file. One write is under way while the next records are sealed. */
class SegmentWriter {
  readonly #file: FileHandle;
  readonly #recipient: KeyObject;
  readonly #uploadId: string;
  #sealer: SegmentSealer | null = null;
  #segments: number;
  #receivedBytes: number;
  #sealedBytes: number;
  segmentBytes = 0;
  #ready: Buffer[] = [];
  #readyBytes = 0;
  #writing: Promise<unknown> = Promise.resolve();

  constructor(file: FileHandle, recipient: KeyObject, upload: Upload) {
    this.#file = file;
    this.#recipient = recipient;
    this.#uploadId = upload.uploadId;
    this.#segments = upload.segments;
    this.#receivedBytes = upload.receivedBytes;
    this.#sealedBytes = upload.sealedBytes;
  }

  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  async add(content: Uint8Array): Promise<void> {
    if (content.length === 0) return;
    if (this.#sealer === null) {
      this.#sealer = new SegmentSealer(this.#recipient, this.#place());
      this.#put(this.#sealer.head);
    }
    for (const record of this.#sealer.add(content)) this.#put(record);
    this.#receivedBytes += content.length;
    this.segmentBytes += content.length;
    if (this.#readyBytes >= WRITE_BYTES) await this.#write();
  }

  /** Makes all that was added so far durable, and says what that is; more may be added meanwhile. */
  async endSegment(): Promise<Durable> {
    if (this.#sealer !== null) {
      for (const part of this.#sealer.end()) this.#put(part);
      this.#sealer = null;
      this.#segments += 1;
      this.segmentBytes = 0;
    }
    this.#write().catch(() => undefined);
    const [receivedBytes, sealedBytes, segments] = [this.#receivedBytes, this.#sealedBytes, this.#segments];
    await this.#writing;
    await this.#file.datasync();
    return { receivedBytes, sealedBytes, segments };
  }

  async end(trailer: Parameters<typeof sealTrailer>[2]): Promise<Durable> {
    const { receivedBytes } = await this.endSegment();
    this.#put(sealTrailer(this.#recipient, this.#place(), trailer));
    return { ...(await this.endSegment()), receivedBytes };
  }

  #place() {
    return { number: this.#segments, uploadId: this.#uploadId, offsetBytes: this.#receivedBytes };
  }

  #put(bytes: Buffer): void {
    this.#ready.push(bytes);
    this.#readyBytes += bytes.length;
  }

  /** Hands on what is ready; waits for what was handed on before, so that no more than two writes are in memory. */
  async #write(): Promise<void> {
    const parts = this.#ready;
    const position = this.#sealedBytes;
    const before = this.#writing;
    if (parts.length > 0) {
      this.#sealedBytes += this.#readyBytes;
      this.#ready = [];
      this.#readyBytes = 0;
      this.#writing = before.then(async () => await writeParts(this.#file, parts, position));
      // Awaited with the next one; until then its failure must not end the process.
      this.#writing.catch(() => undefined);
    }
    await before;
  }
}

/** A new file is there after a power loss only once its folder is on the disk too. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT';
