import { createHash, createPrivateKey } from 'node:crypto';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { manifestLine } from '../../engine/custody/manifest.ts';
import type { SourceDigest } from '../../engine/custody/take-over.ts';
import type { Db } from '../../engine/store/db.ts';
import { unsealingKey } from '../../engine/upload/unsealing-key.ts';
import type { Upload } from '../../engine/upload/upload.ts';
import { UploadStore } from '../../engine/upload/upload-store.ts';
import type { Config } from '../../schemas/config.ts';
import { HomewardError } from '../../schemas/error.ts';
import { SealBroken, SealedFile } from '../../workers/unpack/sealed-file.ts';

const CHUNK_BYTES = 1024 * 1024;

export interface OpenUploads {
  readonly store: UploadStore;
  /** For unpack hosts, see UnpackTask. */
  readonly unsealingKey: string;
}

/** Where uploads lie, and what opens them. Hosts see nothing of the data folder, so they lie beside it. */
export async function openUploads(db: Db, { dataFolder, uploads }: Config): Promise<OpenUploads> {
  const { privateKey, publicKey } = await unsealingKey(path.join(dataFolder, 'upload-key.pem'));
  return {
    store: new UploadStore(db, uploads.folder ?? `${path.resolve(dataFolder)}-uploads`, publicKey),
    unsealingKey: privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64'),
  };
}

/** As custody has it: of the one file that was uploaded, or of the manifest of all. */
export function digestOfUploads(uploads: readonly Upload[]): SourceDigest {
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

/**
 * The bytes of a sealed upload that is no material but a list of hashes, each chunk valid until the next one is asked for.
 * @throws HW_UPLOAD_DIGEST where it was changed on disk
 */
export async function* contentOf(
  folder: string,
  { uploadId, sizeBytes }: Upload,
  { unsealingKey: opensIt }: OpenUploads,
): AsyncGenerator<Buffer> {
  const handle = await open(path.join(folder, `${uploadId}.sealed`));
  try {
    const key = createPrivateKey({ key: Buffer.from(opensIt, 'base64'), format: 'der', type: 'pkcs8' });
    const sealed = await SealedFile.open(handle, (await handle.stat()).size, key);
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
