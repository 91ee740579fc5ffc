import { Type } from 'typebox';
import { Closed, Count, Nullable, OneOf, type Static } from './closed.ts';

/**
 * creating: its first opening has not ended, nothing is in it yet. open: a process has it, or had it and did not close it.
 * closed: it was closed in order.
 */
const STATES = ['creating', 'open', 'closed'] as const;

/** folder.json of a data folder. Open at the top: a newer engine may have added to it, and must be recognised as newer then, not as damage. */
export const FolderFile = Type.Object({
  layoutVersion: Type.Integer({ minimum: 1 }),
  postgresMajor: Type.Integer({ minimum: 1 }),
  schemaVersion: Count(),
  state: OneOf(STATES),
  /** Of the machine's start, where the system tells; another one than now means that the machine went down meanwhile. */
  bootId: Nullable(Type.String({ maxLength: 64 })),
  processId: Count(),
  at: Type.String({ maxLength: 40 }),
});
export type FolderFile = Static<typeof FolderFile>;

/**
 * What the packed template of a new database holds, and where among its bytes. Files with the same content share one place: the three
 * databases of a new cluster are near copies.
 */
export const TemplateIndex = Closed({
  folders: Type.Array(Type.String({ pattern: '^[a-z0-9_]+(/[a-z0-9_]+)*$' }), { maxItems: 1000 }),
  files: Type.Array(
    Closed({
      path: Type.String({ pattern: '^[A-Za-z0-9_.]+(/[A-Za-z0-9_.]+)*$' }),
      start: Count(),
      sizeBytes: Count(),
    }),
    { maxItems: 10_000 },
  ),
});
export type TemplateIndex = Static<typeof TemplateIndex>;
