import { Type } from 'typebox';
import { Uuid } from '../access.ts';
import { BoundedText, Closed, Count, Nullable, OneOf, type Static } from '../closed.ts';
import { EvidenceRoot } from '../config.ts';
import { DECODE_MODES, SET_PURPOSES } from '../constants.ts';
import { ProgressCounts } from '../progress.ts';

/** Where the material comes from: seized, reported by a provider, handed on by another unit. */
export const SUBMISSION_KINDS = ['seizure', 'report', 'referral'] as const;
export type SubmissionKind = (typeof SUBMISSION_KINDS)[number];

export const SUBMISSION_STATES = ['waiting', 'running', 'complete', 'failed', 'cancelled'] as const;
export type SubmissionState = (typeof SUBMISSION_STATES)[number];

const ListFormat = OneOf(['auto', 'vics', 'csv', 'digest-list', 'pdq-list', 'ndjson']);

/** What an uploaded hash set is to become; kept as the path of its submission. */
export const SetPath = Closed({
  upload: Uuid,
  source: Type.String({ minLength: 1, maxLength: 200 }),
  name: Type.String({ minLength: 1, maxLength: 200 }),
  format: ListFormat,
  purpose: OneOf(SET_PURPOSES),
});
export type SetPath = Static<typeof SetPath>;

export const SubmissionRequest = Closed({
  kind: OneOf(SUBMISSION_KINDS),
  /** Life at risk: it goes before everything that waits, and what runs steps aside. */
  urgent: Type.Boolean(),
  exhibit: Type.String({ minLength: 1, maxLength: 200 }),
  mode: OneOf(DECODE_MODES),
  /** The models look at it too, once its digests and perceptual hashes are compared; faces only where the case's policy says so. */
  models: Type.Boolean(),
  source: Type.Union([
    /** A path below an evidence root of the machine's configuration. */
    Closed({
      kind: Type.Literal('path'),
      root: EvidenceRoot.properties.name,
      path: Type.String({ maxLength: 4096 }),
    }),
    /** Uploads of the case that are whole, each in one submission only. */
    Closed({
      kind: Type.Literal('uploads'),
      uploads: Type.Array(Uuid, { minItems: 1, maxItems: 1000, uniqueItems: true }),
    }),
    /** An upload that is a list of hashes, for labs whose material may not leave: VICS-compatible (not certified) JSON, NDJSON, CSV or a list. */
    Closed({
      kind: Type.Literal('hashes'),
      upload: Uuid,
      format: ListFormat,
    }),
    /** An upload that is a hash set of known material, for specialists of the unit that runs the engine. */
    Closed({ kind: Type.Literal('hashSet'), ...SetPath.properties }),
  ]),
});
export type SubmissionRequest = Static<typeof SubmissionRequest>;

export const SubmissionAnswer = Closed({
  submissionId: Uuid,
  caseId: Uuid,
  kind: OneOf(SUBMISSION_KINDS),
  urgent: Type.Boolean(),
  exhibit: BoundedText(200),
  mode: OneOf(DECODE_MODES),
  models: Type.Boolean(),
  state: OneOf(SUBMISSION_STATES),
  /** Asked to stop, and stopping. */
  cancelAsked: Type.Boolean(),
  batchId: Nullable(Uuid),
  /** Of docs/errors.md, where it failed as a whole; files that failed are in the counts. */
  failureCode: Nullable(BoundedText(60)),
  counts: Nullable(ProgressCounts),
  submittedAt: BoundedText(30),
  startedAt: Nullable(BoundedText(30)),
  finishedAt: Nullable(BoundedText(30)),
});
export type SubmissionAnswer = Static<typeof SubmissionAnswer>;

export const SubmissionPage = Closed({
  submissions: Type.Array(SubmissionAnswer, { maxItems: 200 }),
  /** For `after` of the next page; null at the end. */
  next: Nullable(BoundedText(300)),
});
export type SubmissionPage = Static<typeof SubmissionPage>;

export const BatchMatch = Closed({
  itemId: Count(),
  /** One of the media of the batch; its digest is told where the agreement names perceptual hashes or to the unit itself. */
  mediaId: Count(),
  method: BoundedText(40),
  algorithm: BoundedText(60),
  distance: Nullable(Type.Number({ minimum: 0 })),
  threshold: Type.Number({ minimum: 0 }),
  series: Nullable(BoundedText(300)),
  setName: Nullable(BoundedText(200)),
  setVersion: Nullable(Count()),
  foundAt: BoundedText(30),
});
export type BatchMatch = Static<typeof BatchMatch>;

export const MatchPage = Closed({
  matches: Type.Array(BatchMatch, { maxItems: 500 }),
  next: Nullable(BoundedText(300)),
});
export type MatchPage = Static<typeof MatchPage>;
