import type { DecodeMode, Examination } from '../../schemas/fingerprint.ts';
import type { ArchiveBudget } from '../../schemas/host-protocol.ts';
import { SEALED_MEDIA_TYPE } from '../../schemas/sealed-upload.ts';
import { examineArchive, isArchive } from './examine-archive.ts';
import { Gate } from './gate.ts';
import { placeOfFile } from './place.ts';
import type { ExaminePort } from './ports.ts';
import { type ItemRow, RowWriter } from './row-writer.ts';
import type { Scratch } from './scratch.ts';
import { type WalkEntry, walkInGroups } from './walk.ts';

/** Archives open at once: their scratch space adds up, their entries already fill every thread. */
const OPEN_ARCHIVES = 1;

export interface ScanDependencies {
  readonly examiner: ExaminePort;
  readonly scratch: Scratch;
  /** Records one group of rows, whole or not at all. */
  readonly record: (rows: readonly ItemRow[]) => Promise<void>;
  /** On resuming: which of these are recorded already, by position. Never called otherwise. */
  readonly alreadyRecorded: (entries: readonly WalkEntry[]) => Promise<ReadonlySet<number>>;
}

export interface ScanRequest {
  readonly roots: readonly Buffer[];
  readonly mode: DecodeMode;
  readonly archiveBudget: ArchiveBudget;
  /** What lies under the roots are sealed uploads: each an archive of what it holds. Files within archives never are. */
  readonly sealed?: boolean;
  readonly resume: boolean;
  /** Stops cleanly: what is in flight is finished and recorded, nothing new is begun. */
  readonly signal: AbortSignal;
}

export interface ScanObserver {
  /** A file was examined and waits to be recorded. */
  examined(row: ItemRow): void;
  /** An entry was found recorded and left alone. */
  skipped(entry: WalkEntry): void;
}

/**
 * The first stage of a batch: every file under the roots is read once, fingerprinted and recorded with its matches.
 * Memory does not grow with the batch: a few files per thread are in flight, and rows wait for the database in bounded groups.
 * Returns false when it was stopped before the end.
 * @throws what `record` throws; everything recorded before stays.
 */
export async function scanBatch(
  dependencies: ScanDependencies,
  request: ScanRequest,
  observer: ScanObserver,
): Promise<boolean> {
  const { examiner } = dependencies;
  const writer = new RowWriter<ItemRow>(dependencies.record);
  // Twice the capacity keeps every thread busy while the next paths are found.
  const files = new Gate(examiner.capacity * 2);
  const archives = new Gate(OPEN_ARCHIVES);
  const emit = async (row: ItemRow): Promise<void> => {
    observer.examined(row);
    await writer.add(row);
  };

  const examineOne = async (entry: WalkEntry): Promise<void> => {
    const place = placeOfFile(entry.path);
    const examination =
      entry.refusal !== null
        ? withoutContent(entry, entry.refusal, 'application/octet-stream')
        : request.sealed === true
          ? withoutContent(entry, { outcome: 'done', reason: null }, SEALED_MEDIA_TYPE)
          : await examiner.examine(entry.path, { mode: request.mode });
    if (!isArchive(examination)) {
      await emit({ ...place, modifiedAt: entry.modifiedAt, examination });
      return;
    }
    await archives.run(async () => {
      const gone = await examineArchive(entry.path, place, examination, {
        examiner,
        scratch: dependencies.scratch,
        mode: request.mode,
        budget: request.archiveBudget,
        signal: request.signal,
        emit,
      });
      // Last, so that an archive whose row is there was gone through whole.
      if (gone !== null) await emit({ ...place, modifiedAt: entry.modifiedAt, examination: gone });
    });
  };

  for await (const group of walkInGroups(request.roots)) {
    const recorded = request.resume ? await dependencies.alreadyRecorded(group) : new Set<number>();
    for (const [at, entry] of group.entries()) {
      if (request.signal.aborted) break;
      if (recorded.has(at)) observer.skipped(entry);
      else await files.run(() => examineOne(entry));
    }
    if (request.signal.aborted) break;
  }
  await files.drained();
  await archives.drained();
  await writer.finish();
  return !request.signal.aborted;
}

function withoutContent(
  entry: WalkEntry,
  { outcome, reason }: Pick<Examination, 'outcome' | 'reason'>,
  type: string,
): Examination {
  return {
    outcome,
    reason,
    type,
    sizeBytes: entry.sizeBytes,
    digests: null,
    trailingBytes: null,
    picture: null,
    capture: null,
  };
}
