import { createHash } from 'node:crypto';
import { HomewardError } from '../../schemas/error.ts';
import { fileChunks } from './file-chunks.ts';

/**
 * The file's bytes once more. At their end they must be those that were digested first: a set recorded under the digest of other
 * bytes would be evidence of nothing.
 */
export async function* sameBytes(file: string, sha256: Buffer): AsyncGenerator<Buffer> {
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

/** @throws HomewardError HW_PATH_NOT_FOUND when it cannot be read to its end */
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
