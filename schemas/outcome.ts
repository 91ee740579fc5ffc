import { BoundedText, Closed, Nullable, OneOf, type Static } from './closed.ts';

/**
 * What became of a file.
 * done: examined whole. partial: examined, but its data is damaged or was cut. rejected: it cannot be examined (damaged, beyond a limit
 * of the format, unreadable). notExamined: of a kind this engine does not examine (video, documents, encrypted archives ...).
 * failed: the engine could not do it (a limit of time or memory was hit, its host died twice).
 */
export const OUTCOMES = ['done', 'partial', 'rejected', 'notExamined', 'failed'] as const;
export const Outcome = OneOf(OUTCOMES);
export type Outcome = Static<typeof Outcome>;

/** Why; the table in docs/formats.md says what each one means. */
export const REASONS = [
  // partial
  'truncated',
  'corruptData',
  'decoderWarning',
  'archiveBadEntries',
  'archiveBudget',
  // rejected
  'empty',
  'corruptHeader',
  'unsupportedVariant',
  'pixelLimit',
  'dimensionLimit',
  'tooLarge',
  'unreadable',
  'permission',
  'symbolicLink',
  'specialFile',
  'changedWhileRead',
  'unsafeName',
  'badCrc',
  'duplicateOffset',
  'corruptArchive',
  'unsupportedCompression',
  // notExamined
  'unknownType',
  'vectorGraphic',
  'video',
  'audio',
  'rawPhoto',
  'document',
  'executable',
  'text',
  'encrypted',
  'diskImage',
  'otherArchive',
  'archiveDepth',
  'otherPicture',
  // failed
  'timeLimit',
  'cpuLimit',
  'memoryLimit',
  'hostCrashed',
  'internal',
] as const;
export const ReasonCode = OneOf(REASONS);
export type ReasonCode = Static<typeof ReasonCode>;

export const Reason = Closed({
  code: ReasonCode,
  /** The decoder's own words, for a person; bounded, printable. */
  detail: BoundedText(300),
});
export type Reason = Static<typeof Reason>;
export const NullableReason = Nullable(Reason);
