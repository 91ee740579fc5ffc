import type { DecodeMode, Examination } from '../../schemas/fingerprint.ts';
import type { ArchiveEntry } from '../../schemas/host-protocol.ts';
import { SEALED_MEDIA_TYPE } from '../../schemas/sealed-upload.ts';
import { type ArchiveContext, type ArchiveEnd, goThroughArchive } from './archive.ts';
import type { Place } from './place.ts';
import type { ExaminePort } from './ports.ts';
import type { ItemRow } from './row-writer.ts';

const ARCHIVE_TYPES: ReadonlySet<string> = new Set([
  'application/zip',
  'application/x-tar',
  'application/gzip',
  SEALED_MEDIA_TYPE,
]);

export function isArchive(examination: Examination): boolean {
  return ARCHIVE_TYPES.has(examination.type) && (examination.outcome === 'done' || examination.outcome === 'partial');
}

export interface ExamineArchiveContext extends Omit<ArchiveContext, 'unpacker'> {
  readonly examiner: ExaminePort;
  readonly mode: DecodeMode;
  /** Takes each entry, at any depth; waits when the database is behind. */
  readonly emit: (row: ItemRow) => Promise<void>;
}

/**
 * Hands on a row for everything in an archive, at any depth, and says how the archive itself is to be recorded.
 * An aborted run returns null: the archive must not be recorded, so that resuming goes through it again.
 */
export async function examineArchive(
  file: Buffer,
  place: Place,
  own: Examination,
  context: ExamineArchiveContext,
): Promise<Examination | null> {
  const end = await goThroughArchive<ItemRow>(
    file,
    place,
    { ...context, unpacker: context.examiner },
    {
      entry: async (entry, entryPlace, scratchFile) => {
        const examination = await examineEntry(entry, scratchFile, context);
        const row = { ...entryPlace, modifiedAt: entry.modifiedAt, examination };
        if (scratchFile !== null && isArchive(examination)) return row;
        await context.emit(row);
        return null;
      },
      closed: async (row, inner) => await context.emit({ ...row, examination: ended(row.examination, inner) }),
    },
  );
  return end === null ? null : ended(own, end);
}

async function examineEntry(
  entry: ArchiveEntry,
  scratchFile: string | null,
  context: ExamineArchiveContext,
): Promise<Examination> {
  if (scratchFile === null) {
    return {
      outcome: entry.outcome,
      reason: entry.reason,
      type: 'application/octet-stream',
      sizeBytes: entry.sizeBytes,
      digests: null,
      trailingBytes: null,
      picture: null,
      capture: null,
    };
  }
  const examination = await context.examiner.examine(Buffer.from(scratchFile), { mode: context.mode });
  return worse(examination, entry);
}

/** An archive that was not gone into says so whatever it was examined as. */
const ended = (own: Examination, end: ArchiveEnd): Examination =>
  end.outcome === 'notExamined' ? { ...own, outcome: end.outcome, reason: end.reason } : worse(own, end);

/** An entry whose archive says it is damaged or oddly named is not `done`, even if its content could be examined. */
function worse(examination: Examination, said: Pick<ArchiveEntry, 'outcome' | 'reason'>): Examination {
  if (examination.outcome !== 'done' || said.outcome === 'done') return examination;
  return { ...examination, outcome: said.outcome, reason: said.reason };
}
