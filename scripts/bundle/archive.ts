import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { pack } from 'tar-stream';

/** One file of the bundle: either lies on the disk or was made for it. */
export type BundleFile =
  | { readonly name: string; readonly source: string }
  | { readonly name: string; readonly text: string };

const SUMS = 'SHA256SUMS';

/**
 * Writes `files` below `folder` into a gzipped tar at `target`, with SHA256SUMS of all of them as the last entry.
 * Order, times, owners and modes depend on nothing but the content, so one commit on one platform gives one archive.
 * Returns the number of files and the SHA-256 of the archive.
 */
export async function writeArchive(
  target: string,
  folder: string,
  files: readonly BundleFile[],
  date: Date,
): Promise<{ files: number; sha256: string }> {
  const tar = pack();
  const archiveDigest = createHash('sha256');
  const gzip = createGzip({ level: 6 });
  gzip.on('data', (chunk: Buffer) => archiveDigest.update(chunk));
  const written = pipeline(tar, gzip, createWriteStream(target));

  const sums: string[] = [];
  for (const file of files.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const content = 'source' in file ? await readFile(file.source) : Buffer.from(file.text);
    const executable = 'source' in file && ((await stat(file.source)).mode & 0o100) !== 0;
    sums.push(`${createHash('sha256').update(content).digest('hex')}  ${file.name}`);
    await add(path.posix.join(folder, file.name), content, executable ? 0o755 : 0o644);
  }
  await add(path.posix.join(folder, SUMS), Buffer.from(`${sums.join('\n')}\n`), 0o644);
  tar.finalize();
  await written;
  return { files: sums.length, sha256: archiveDigest.digest('hex') };

  function add(name: string, content: Buffer, mode: number): Promise<void> {
    return new Promise((resolve, reject) => {
      tar.entry({ name, mode, mtime: date, uid: 0, gid: 0, uname: 'root', gname: 'root' }, content, (error) =>
        error ? reject(error) : resolve(),
      );
    });
  }
}
