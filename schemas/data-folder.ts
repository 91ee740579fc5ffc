import { Type } from 'typebox';
import { Closed, Count, Nullable, OneOf, type Static } from './closed.ts';
import { BITS_ALGORITHMS, MOST_HASHES_OF_SEGMENT } from './constants.ts';

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

/** index.json of the search index: which files hold it, and of which database in which state. */
export const SearchIndexManifest = Closed({
  /** Of the files; another one is of another version of the engine. */
  format: Count(),
  identity: Type.String({ maxLength: 40 }),
  changeId: Count(),
  /** When that change was made, so that another change of the same number is told from it. */
  changedAt: Type.String({ maxLength: 40 }),
  segments: Type.Array(
    Closed({
      algorithm: OneOf(BITS_ALGORITHMS),
      file: Type.String({ pattern: '^[0-9a-f-]{36}\\.segment$' }),
      count: Type.Integer({ minimum: 1, maximum: MOST_HASHES_OF_SEGMENT }),
      /** SHA-256 of each part. */
      parts: Type.Array(Type.String({ pattern: '^[0-9a-f]{64}$' }), { maxItems: 100 }),
      /** First and last number of records that left the search since. */
      withdrawn: Type.Array(Type.Tuple([Type.Integer(), Type.Integer()])),
    }),
    { maxItems: 1000 },
  ),
});
export type SearchIndexManifest = Static<typeof SearchIndexManifest>;
