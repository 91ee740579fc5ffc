import { createHash } from 'node:crypto';
import path from 'node:path';
import { HomewardError } from '../../schemas/error.ts';
import { fileChunks } from './file-chunks.ts';
import { isSqliteFile, openNsrlDatabase } from './formats/nsrl/database.ts';
import { type OpenSetOptions, openSet, type SetReader } from './formats/reader.ts';

/**
 * Opens the reader of a hash set file that was digested. Before its last batch is given the file was read once more whole, and has
 * the same bytes.
 * @throws HomewardError HW_SET_FORMAT; HW_SET_DAMAGED, from the reader too
 */
export async function openSetFile(
  { file, format = 'auto' }: { readonly file: string; readonly format?: OpenSetOptions['format'] },
  sha256: Buffer,
  sizeBytes: number,
): Promise<SetReader> {
  if ((format === 'auto' || format === 'nsrl') && (await isSqliteFile(file))) {
    return openNsrlDatabase(file, sizeBytes, async () => {
      for await (const _chunk of sameBytes(file, sha256));
    });
  }
  return await openSet(sameBytes(file, sha256), { format, name: path.basename(file) });
}

/**
 * The file's bytes once more. At their end they must be those that were digested first: a set recorded under the digest of other
 * bytes would be evidence of nothing.
 */
async function* sameBytes(file: string, sha256: Buffer): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  for await (const chunk of fileChunks(file)) {
    hash.update(chunk);
    yield chunk;
  }
  if (!hash.digest().equals(sha256)) {
    throw new HomewardError(
      'HW_SET_DAMAGED',
      `expected ${JSON.stringify(file)} to stay as it is while it is imported, received other bytes the second time; import it again when nobody writes to it`,
    );
  }
}

/** @throws HomewardError HW_PATH_NOT_FOUND where it cannot be read */
export async function digestOf(file: string): Promise<{ readonly sha256: Buffer; readonly sizeBytes: number }> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  try {
    for await (const chunk of fileChunks(file)) {
      hash.update(chunk);
      sizeBytes += chunk.length;
    }
  } catch (error) {
    throw new HomewardError(
      'HW_PATH_NOT_FOUND',
      `expected a readable hash set, received ${JSON.stringify(file)} (${error instanceof Error ? error.message : 'unreadable'}); check the path`,
      { cause: error },
    );
  }
  return { sha256: hash.digest(), sizeBytes };
}
