import { createHash, type KeyObject } from 'node:crypto';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { manifestLine } from '../../engine/custody/manifest.ts';
import type { SourceDigest } from '../../engine/custody/take-over.ts';
import type { Db } from '../../engine/store/db.ts';
import { unsealingKey } from '../../engine/upload/unsealing-key.ts';
import { uploadsOfSubmission, type WholeUpload } from '../../engine/upload/upload.ts';
import { UploadStore } from '../../engine/upload/upload-store.ts';
import type { Config } from '../../schemas/config.ts';
import { HomewardError } from '../../schemas/error.ts';
import { SealBroken, SealedFile } from '../../workers/unpack/sealed-file.ts';

const CHUNK_BYTES = 1024 * 1024;

export interface OpenUploads {
  readonly store: UploadStore;
  /** Opens them; goes to unpack hosts, see UnpackTask. */
  readonly privateKey: KeyObject;
}

/** Where uploads lie, and what opens them. Hosts see nothing of the data folder, so they lie beside it. */
export async function openUploads(db: Db, { dataFolder, uploads }: Config): Promise<OpenUploads> {
  const { privateKey, publicKey } = await unsealingKey(path.join(dataFolder, 'upload-key.pem'));
  return {
    store: new UploadStore(db, uploads.folder ?? `${path.resolve(dataFolder)}-uploads`, publicKey),
    privateKey,
  };
}

/** As custody has it: of the one file that was uploaded, or of the manifest of all. */
export function digestOfUploads(uploads: readonly WholeUpload[]): SourceDigest {
  const [only] = uploads;
  if (only !== undefined && uploads.length === 1) return { digestOf: 'file', sha256: only.sha256 };
  const hash = createHash('sha256');
  const entries = uploads
    .map(({ name, sizeBytes, sha256 }) => ({ pathKey: createHash('sha256').update(name).digest(), sizeBytes, sha256 }))
    .sort((a, b) => Buffer.compare(a.pathKey, b.pathKey));
  for (const entry of entries) hash.update(manifestLine(entry));
  return { digestOf: 'manifest', sha256: hash.digest() };
}

/** Budgets of archives, where the outermost is the upload itself. */
export function budgetOfUploads({ archiveBudget, uploads }: Config): Config['archiveBudget'] {
  return {
    ...archiveBudget,
    depth: archiveBudget.depth + 1,
    entryBytes: Math.max(archiveBudget.entryBytes, uploads.mostBytes),
    totalBytes: archiveBudget.totalBytes + uploads.mostBytes,
  };
}

/** What was uploaded for a submission, with the folder of its own that it lies in. */
export async function gatherUploads(
  db: Db,
  { store }: OpenUploads,
  submissionId: string,
): Promise<{ readonly folder: string; readonly uploads: readonly WholeUpload[] }> {
  const uploads = await uploadsOfSubmission(db, submissionId);
  const ids = uploads.map(({ uploadId }) => uploadId);
  return { folder: await store.gather(submissionId, ids), uploads };
}

/** The one upload of a submission that is no material but a list of hashes, and its bytes. */
export async function uploadedList(
  db: Db,
  uploads: OpenUploads,
  submissionId: string,
): Promise<{ readonly upload: WholeUpload; readonly content: () => AsyncGenerator<Buffer> }> {
  const { folder, uploads: gathered } = await gatherUploads(db, uploads, submissionId);
  const [upload] = gathered;
  if (upload === undefined)
    throw new HomewardError('HW_INTERNAL', 'expected the upload of a list of hashes; report this');
  return { upload, content: () => contentOf(folder, upload, uploads.privateKey) };
}

/**
 * Each chunk valid until the next one is asked for.
 * @throws HW_UPLOAD_DIGEST where it was changed on disk
 */
async function* contentOf(
  folder: string,
  { uploadId, sizeBytes }: WholeUpload,
  privateKey: KeyObject,
): AsyncGenerator<Buffer> {
  const handle = await open(path.join(folder, `${uploadId}.sealed`));
  try {
    const sealed = await SealedFile.open(handle, (await handle.stat()).size, privateKey);
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    for (let at = 0; at < sizeBytes; ) {
      const { bytesRead } = await sealed.read(chunk, 0, chunk.length, at);
      if (bytesRead === 0) return;
      at += bytesRead;
      yield chunk.subarray(0, bytesRead);
    }
  } catch (error) {
    if (!(error instanceof SealBroken)) throw error;
    throw new HomewardError(
      'HW_UPLOAD_DIGEST',
      `expected the upload as it was received, received one of which ${error.message}; upload it again`,
      { cause: error },
    );
  } finally {
    await handle.close();
  }
}
