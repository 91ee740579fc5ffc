import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { ArchiveBudget, ArchiveEntry } from '../../schemas/host-protocol.ts';
import { Gate } from './gate.ts';
import { type Place, placeOfEntry } from './place.ts';
import type { ExaminePort, UnpackResult } from './ports.ts';
import type { Scratch } from './scratch.ts';

export interface ArchiveContext {
  readonly unpacker: Pick<ExaminePort, 'capacity' | 'unpack'>;
  readonly scratch: Scratch;
  readonly budget: ArchiveBudget;
  readonly signal: AbortSignal;
}

/** What a stage does with what is found in archives, at any depth. `Kept` is what it keeps of an archive until it was gone through. */
export interface ArchiveVisitor<Kept> {
  /**
   * Deals with one entry; waits when the database is behind. `scratchFile` is null for an entry that was not written. What is returned
   * other than null says that the entry is an archive to go into later.
   */
  entry(entry: ArchiveEntry, place: Place, scratchFile: string | null): Promise<Kept | null>;
  /** An inner archive was gone through, with everything in it. */
  closed(kept: Kept, end: ArchiveEnd): Promise<void>;
}

/** How going through an archive ended: with what its host says, or not begun because of a limit. */
export type ArchiveEnd =
  | UnpackResult
  | { readonly outcome: 'notExamined'; readonly reason: NonNullable<UnpackResult['reason']> };

/** What is left to one file on disk and everything nested in it: a bomb cannot multiply by nesting. */
interface Allowance {
  entries: number;
  bytes: number;
}

/**
 * Goes through an archive and everything nested in it. Nested archives wait until the outer one is closed, so that one unpacking at a
 * time is enough. Null when it was aborted: resuming has to go through it again.
 */
export async function goThroughArchive<Kept>(
  file: Buffer,
  place: Place,
  context: ArchiveContext,
  visitor: ArchiveVisitor<Kept>,
): Promise<ArchiveEnd | null> {
  const allowance: Allowance = { entries: context.budget.entries, bytes: context.budget.totalBytes };
  return await unpackOne(file, place, context, visitor, allowance, 0);
}

const notBegun = (code: 'archiveDepth' | 'archiveBudget', detail: string): ArchiveEnd => ({
  outcome: 'notExamined',
  reason: { code, detail },
});

async function unpackOne<Kept>(
  file: Buffer,
  place: Place,
  context: ArchiveContext,
  visitor: ArchiveVisitor<Kept>,
  allowance: Allowance,
  depth: number,
): Promise<ArchiveEnd | null> {
  if (depth >= context.budget.depth) return notBegun('archiveDepth', `deeper than ${context.budget.depth} archives`);
  if (allowance.entries <= 0 || allowance.bytes <= 0)
    return notBegun('archiveBudget', 'the archive around it has used up its budget');
  const folder = await context.scratch.folderForArchive();
  const gate = new Gate(context.unpacker.capacity * 2);
  const nested: { readonly file: string; readonly place: Place; readonly kept: Kept }[] = [];
  try {
    const result = await context.unpacker.unpack(
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
          const kept = await visitor.entry(entry, entryPlace, scratchFile);
          if (scratchFile === null) return;
          if (kept === null) await rm(scratchFile, { force: true });
          else nested.push({ file: scratchFile, place: entryPlace, kept });
        });
      },
    );
    await gate.drained();
    allowance.entries -= result.entries;
    allowance.bytes -= result.totalBytes;
    for (const inner of nested) {
      if (context.signal.aborted) return null;
      const end = await unpackOne(Buffer.from(inner.file), inner.place, context, visitor, allowance, depth + 1);
      if (end === null) return null;
      await rm(inner.file, { force: true });
      await visitor.closed(inner.kept, end);
    }
    return context.signal.aborted ? null : result;
  } finally {
    await gate.drained().catch(() => undefined);
    await rm(folder, { recursive: true, force: true });
  }
}
