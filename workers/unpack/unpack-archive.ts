import type { KeyObject } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import path from 'node:path';
import type { Outcome, Reason } from '../../schemas/outcome.ts';
import { SEALED_MAGIC } from '../../schemas/sealed-upload.ts';
import { SNIFF_HEAD_BYTES, sniffType } from '../read/sniff.ts';
import { archiveReason, errorText } from './archive-reason.ts';
import { BlockReader } from './block-reader.ts';
import { fileRange, readAt } from './byte-source.ts';
import { ScratchFailure } from './entry-file.ts';
import { BudgetSpent, EntrySink, type EntrySinkOptions } from './entry-sink.ts';
import type { ReadableFile } from './readable-file.ts';
import { ScratchFile } from './scratch-file.ts';
import { SealedFile } from './sealed-file.ts';
import { readTarHeader, TAR_BLOCK_BYTES } from './tar-header.ts';
import { unpackGzip } from './unpack-gzip.ts';
import { unpackTar } from './unpack-tar.ts';
import { unpackZip } from './unpack-zip.ts';

export interface UnpackArchiveOptions extends EntrySinkOptions {
  /** Opens sealed uploads; without it none is known as such. */
  readonly unsealingKey?: KeyObject | null;
  /** The archive is an entry of another one, encrypted with `scratchKey`. */
  readonly isScratch?: boolean;
}

/** What became of an archive as a whole. */
export interface Unpacked {
  readonly outcome: Outcome;
  readonly reason: Reason | null;
  readonly entries: number;
  readonly totalBytes: number;
}

// Absent on Windows; not following links and not waiting for a pipe's other end is for the systems that have them.
const SAFE_OPEN: number = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

const OPEN_ERRORS: Readonly<Record<string, Reason['code']>> = {
  EACCES: 'permission',
  EPERM: 'permission',
  ELOOP: 'symbolicLink',
};

/**
 * Unpacks one archive, told by its content (zip, tar, gzip), into numbered files. Never throws for what is wrong with the archive.
 * done: every entry was read whole. partial: some were not, the archive is damaged, or a budget ended it. rejected: nothing could be read.
 * notExamined: every entry is encrypted. failed: the scratch folder could not be written.
 */
export async function unpackArchive(archivePath: Buffer, options: UnpackArchiveOptions): Promise<Unpacked> {
  const sink = new EntrySink(options);
  const result = (outcome: Outcome, reason: Reason | null): Unpacked => ({
    outcome,
    reason,
    entries: sink.entries,
    totalBytes: sink.totalBytes,
  });
  let file: FileHandle;
  try {
    file = await open(archivePath, SAFE_OPEN);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    return result('rejected', archiveReason(OPEN_ERRORS[code] ?? 'unreadable', code || errorText(error)));
  }
  try {
    const stats = await file.stat();
    if (!stats.isFile()) return result('rejected', archiveReason('specialFile', 'not a regular file'));
    const { unsealingKey = null, scratchKey = null, isScratch = false } = options;
    const scratch = isScratch && scratchKey !== null ? await ScratchFile.open(file, stats.size, scratchKey) : null;
    const fault =
      scratch === null
        ? await unpackFile(file, stats.size, archivePath, sink, unsealingKey)
        : await unpackByContent(scratch, scratch.sizeBytes, archivePath, sink);
    if (fault !== null) return result(sink.entries > 0 ? 'partial' : 'rejected', fault);
    if (sink.flawed === 0) return result('done', null);
    if (sink.encrypted === sink.entries)
      return result('notExamined', archiveReason('encrypted', 'every entry is encrypted'));
    return result(
      'partial',
      archiveReason(
        'archiveBadEntries',
        `${sink.flawed} of ${sink.entries} entries could not be read whole or are out of order`,
      ),
    );
  } catch (error) {
    if (error instanceof BudgetSpent) return result('partial', archiveReason('archiveBudget', error.message));
    if (error instanceof ScratchFailure)
      return result('failed', archiveReason('internal', `scratch folder: ${error.message}`));
    return result(sink.entries > 0 ? 'partial' : 'rejected', archiveReason('unreadable', errorText(error)));
  } finally {
    await file.close();
  }
}

/** A sealed upload is an archive of what it holds: of the entries of an archive, or of the one file that it is. */
async function unpackFile(
  file: FileHandle,
  fileSize: number,
  archivePath: Buffer,
  sink: EntrySink,
  unsealingKey: KeyObject | null,
): Promise<Reason | null> {
  const magic = await readAt(file, 0, SEALED_MAGIC.length);
  if (unsealingKey === null || magic.toString('latin1') !== SEALED_MAGIC)
    return await unpackByContent(file, fileSize, archivePath, sink);
  const sealed = await SealedFile.open(file, fileSize, unsealingKey);
  // A whole upload that was put in the place of another one.
  if (path.basename(archivePath.toString()).replaceAll('-', '') !== `${sealed.uploadId}.sealed`)
    return archiveReason('unreadable', 'another upload lies in its place');
  const { name, modifiedAt } = sealed.trailer;
  const place = Buffer.from(name);
  if (sniffType(await readAt(sealed, 0, SNIFF_HEAD_BYTES)).class.kind === 'archive')
    return await unpackByContent(sealed, sealed.sizeBytes, place, sink);
  await sink.write(
    { name: place, modifiedAt, ofSubmitter: true },
    fileRange(sealed, 0, sealed.sizeBytes),
    ({ error }) =>
      error === null ? null : { outcome: 'rejected', reason: archiveReason('unreadable', errorText(error)) },
  );
  return null;
}

async function unpackByContent(
  file: ReadableFile,
  fileSize: number,
  archivePath: Buffer,
  sink: EntrySink,
): Promise<Reason | null> {
  const head = await readAt(file, 0, TAR_BLOCK_BYTES);
  if (head[0] === 0x1f && head[1] === 0x8b) return await unpackGzip(file, fileSize, archivePath, sink);
  if (readTarHeader(head) !== null) return await unpackTar(new BlockReader(fileRange(file, 0, fileSize)), sink);
  // A zip is found from its end: it may stand behind a program or a picture.
  return await unpackZip(file, fileSize, sink);
}
