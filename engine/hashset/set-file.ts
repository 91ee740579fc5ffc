import path from 'node:path';
import { sameBytes } from './file-digest.ts';
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
