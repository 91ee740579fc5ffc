import { Type } from 'typebox';
import { BoundedText, Closed, Count, Nullable, OneOf, type Static } from './closed.ts';

/** What has become of the files so far; every file is counted once by outcome and, if examined, once by standing. */
export const ProgressCounts = Closed({
  /** Files read to their end or given up, whatever came out. */
  read: Count(),
  readBytes: Count(),
  known: Count(),
  nearDuplicate: Count(),
  unseen: Count(),
  knownGood: Count(),
  unknown: Count(),
  partial: Count(),
  rejected: Count(),
  notExamined: Count(),
  failed: Count(),
  /** Behind `known`, largest first: the figure is never shown without them. */
  knownBy: Type.Array(
    Closed({ source: BoundedText(200), scheme: BoundedText(60), code: Nullable(BoundedText(40)), known: Count() }),
    { maxItems: 50 },
  ),
});
export type ProgressCounts = Static<typeof ProgressCounts>;

/** One line a second on stderr when that is no terminal. It names no file. */
export const ProgressLine = Closed({
  kind: Type.Literal('progress'),
  /** ISO 8601 in UTC with milliseconds. */
  at: BoundedText(30),
  stage: OneOf(['hashes', 'models']),
  ...ProgressCounts.properties,
  /** Null while the source is still being walked. */
  totalItems: Nullable(Count()),
  totalBytes: Nullable(Count()),
  elapsedMs: Count(),
  /** Null while there is no rate or no total to tell it by. */
  remainingMs: Nullable(Count()),
  itemsPerSecond: Type.Number({ minimum: 0 }),
  bytesPerSecond: Type.Number({ minimum: 0 }),
  /** True in the last line. */
  finished: Type.Boolean(),
});
export type ProgressLine = Static<typeof ProgressLine>;
