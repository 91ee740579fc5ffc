import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { DecodeMode, Examination } from '../../schemas/fingerprint.ts';
import type { ArchiveBudget, ArchiveEntry } from '../../schemas/host-protocol.ts';
import { Gate } from './gate.ts';
import { type Place, placeOfEntry } from './place.ts';
import type { ExaminePort } from './ports.ts';
import type { ItemRow } from './row-writer.ts';
import type { Scratch } from './scratch.ts';

const ARCHIVE_TYPES: ReadonlySet<string> = new Set(['application/zip', 'application/x-tar', 'application/gzip']);

export function isArchive(examination: Examination): boolean {
  return ARCHIVE_TYPES.has(examination.type) && (examination.outcome === 'done' || examination.outcome === 'partial');
}

export interface ArchiveContext {
  readonly examiner: ExaminePort;
  readonly scratch: Scratch;
  readonly mode: DecodeMode;
  readonly budget: ArchiveBudget;
  readonly signal: AbortSignal;
  /** Takes each entry, at any depth; waits when the database is behind. */
  readonly emit: (row: ItemRow) => Promise<void>;
}

/** What is left to one file on disk and everything nested in it: a bomb cannot multiply by nesting. */
interface Allowance {
  entries: number;
  bytes: number;
}

/**
 * Goes through an archive and everything nested in it, handing on a row for each entry, and says how the archive itself is to be
 * recorded. Nested archives wait until the outer one is closed, so that one unpacking at a time is enough.
 * An aborted run returns null: the archive must not be recorded, so that resuming goes through it again.
 */
export async function examineArchive(
  file: Buffer,
  place: Place,
  own: Examination,
  context: ArchiveContext,
): Promise<Examination | null> {
  const allowance: Allowance = { entries: context.budget.entries, bytes: context.budget.totalBytes };
  return await unpackOne(file, place, own, context, allowance, 0);
}

async function unpackOne(
  file: Buffer,
  place: Place,
  own: Examination,
  context: ArchiveContext,
  allowance: Allowance,
  depth: number,
): Promise<Examination | null> {
  if (depth >= context.budget.depth) {
    return {
      ...own,
      outcome: 'notExamined',
      reason: { code: 'archiveDepth', detail: `deeper than ${context.budget.depth} archives` },
    };
  }
  if (allowance.entries <= 0 || allowance.bytes <= 0) {
    return {
      ...own,
      outcome: 'notExamined',
      reason: { code: 'archiveBudget', detail: 'the archive around it has used up its budget' },
    };
  }
  const folder = await context.scratch.folderForArchive();
  const gate = new Gate(context.examiner.capacity * 2);
  const nested: { file: string; place: Place; modifiedAt: string | null; examination: Examination }[] = [];
  try {
    const result = await context.examiner.unpack(
      file,
      {
        scratchFolder: folder,
        budget: {
          ...context.budget,
          entries: Math.max(1, allowance.entries),
          totalBytes: Math.max(1, allowance.bytes),
        },
        signal: context.signal,
      },
      async (entry) => {
        await gate.run(async () => {
          if (context.signal.aborted) return;
          const entryPlace = placeOfEntry(place, entry.index, Buffer.from(entry.name, 'base64'));
          const scratchFile = entry.scratchFile === null ? null : path.join(folder, entry.scratchFile);
          const examination = await examineEntry(entry, scratchFile, context);
          if (scratchFile !== null && isArchive(examination)) {
            nested.push({ file: scratchFile, place: entryPlace, modifiedAt: entry.modifiedAt, examination });
            return;
          }
          if (scratchFile !== null) await rm(scratchFile, { force: true });
          await context.emit({ ...entryPlace, modifiedAt: entry.modifiedAt, examination });
        });
      },
    );
    await gate.drained();
    allowance.entries -= result.entries;
    allowance.bytes -= result.totalBytes;
    for (const inner of nested) {
      if (context.signal.aborted) return null;
      const innerFile = Buffer.from(inner.file);
      const examination = await unpackOne(innerFile, inner.place, inner.examination, context, allowance, depth + 1);
      if (examination === null) return null;
      await rm(inner.file, { force: true });
      await context.emit({ ...inner.place, modifiedAt: inner.modifiedAt, examination });
    }
    if (context.signal.aborted) return null;
    return worse(own, result);
  } finally {
    await gate.drained().catch(() => undefined);
    await rm(folder, { recursive: true, force: true });
  }
}

async function examineEntry(
  entry: ArchiveEntry,
  scratchFile: string | null,
  context: ArchiveContext,
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

/** An entry whose archive says it is damaged or oddly named is not `done`, even if its content could be examined. */
function worse(examination: Examination, said: Pick<ArchiveEntry, 'outcome' | 'reason'>): Examination {
  if (examination.outcome !== 'done' || said.outcome === 'done') return examination;
  return { ...examination, outcome: said.outcome, reason: said.reason };
}
