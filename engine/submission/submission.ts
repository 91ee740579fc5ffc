import { createHash } from 'node:crypto';
import { DECODE_MODES } from '../../schemas/constants.ts';
import { HomewardError } from '../../schemas/error.ts';
import type { DecodeMode } from '../../schemas/fingerprint.ts';
import {
  SUBMISSION_KINDS,
  SUBMISSION_STATES,
  type SubmissionKind,
  type SubmissionState,
} from '../../schemas/http/submission.ts';
import { ProgressCounts } from '../../schemas/progress.ts';
import { caseNotFound, holdOpenCase } from '../access/cases.ts';
import { type Db, type Queryable, storableText } from '../store/db.ts';
import { bool, integer, json, nullable, oneOf, row, text, timestamp } from '../store/row-shape.ts';

/** Material that somebody handed in to be looked at, from the moment it was accepted on. */
export interface Submission {
  readonly submissionId: string;
  readonly organisationId: string;
  readonly caseId: string;
  readonly submittedBy: string;
  readonly kind: SubmissionKind;
  readonly urgent: boolean;
  readonly exhibitRef: string;
  readonly mode: DecodeMode;
  readonly models: boolean;
  readonly root: string;
  readonly path: string;
  readonly state: SubmissionState;
  readonly cancelAsked: boolean;
  readonly batchId: string | null;
  readonly failureCode: string | null;
  readonly counts: ProgressCounts | null;
  readonly revision: number;
  readonly submittedAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
}

const SUBMISSION = row({
  submissionId: text,
  organisationId: text,
  caseId: text,
  submittedBy: text,
  kind: oneOf(SUBMISSION_KINDS),
  urgent: bool,
  exhibitRef: text,
  mode: oneOf(DECODE_MODES),
  models: bool,
  root: text,
  path: text,
  state: oneOf(SUBMISSION_STATES),
  cancelAsked: bool,
  batchId: nullable(text),
  failureCode: nullable(text),
  counts: nullable(json(ProgressCounts)),
  revision: integer,
  submittedAt: timestamp,
  startedAt: nullable(timestamp),
  finishedAt: nullable(timestamp),
});
const COLUMNS = `submission_id, organisation_id, case_id, submitted_by, kind, urgent, exhibit_ref, mode, models, root, path, state,
  cancel_asked_at is not null as cancel_asked, batch_id, failure_code, counts, revision, submitted_at, started_at, finished_at`;

/** In place of an evidence root, of what was uploaded; no root can have this name. */
export const UPLOADS_ROOT = ':uploads';
/** The same of an upload that is a list of hashes. */
export const HASHES_ROOT = ':hashes';
/** And of one that is a hash set to be imported; its path is a SetPath as JSON. */
export const SET_ROOT = ':hash-set';

/** Whether what was handed in was uploaded. */
export const isUploaded = (root: string): boolean => root.startsWith(':');

export interface NewSubmission
  extends Pick<
    Submission,
    'organisationId' | 'caseId' | 'submittedBy' | 'kind' | 'urgent' | 'exhibitRef' | 'mode' | 'models' | 'root' | 'path'
  > {
  readonly idempotencyKey: string;
  /** With UPLOADS_ROOT and HASHES_ROOT: what it is of. */
  readonly uploads?: readonly string[];
}

/** Of uploads the path stands for all of them, so that the same key with others is seen. */
export function sourceOfUploads(uploadIds: readonly string[]): Pick<NewSubmission, 'root' | 'path' | 'uploads'> {
  const uploads = uploadIds.toSorted();
  return { root: UPLOADS_ROOT, path: createHash('sha256').update(uploads.join()).digest('hex'), uploads };
}

/**
 * Accepts a submission: once this returned it is kept, whatever ends. The same key of the same submitter gives what it gave before;
 * `existed` says so, and the caller compares what was asked with what is there.
 * @throws HW_CASE_NOT_FOUND for a case that was closed meanwhile
 */
export async function submit(
  db: Db,
  wanted: NewSubmission,
): Promise<{ readonly submission: Submission; readonly existed: boolean }> {
  return await db.transaction(async (tx) => {
    await holdOpenCase(tx, wanted.caseId);
    const added = await tx.execute(
      `insert into submission (organisation_id, case_id, submitted_by, idempotency_key, kind, urgent, exhibit_ref, mode, models, root, path)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict (submitted_by, idempotency_key) do nothing`,
      [
        wanted.organisationId,
        wanted.caseId,
        wanted.submittedBy,
        wanted.idempotencyKey,
        wanted.kind,
        wanted.urgent,
        storableText(wanted.exhibitRef),
        wanted.mode,
        wanted.models,
        wanted.root,
        storableText(wanted.path),
      ],
    );
    const [submission] = await tx.read(
      SUBMISSION,
      `select ${COLUMNS} from submission where submitted_by = $1 and idempotency_key = $2`,
      [wanted.submittedBy, wanted.idempotencyKey],
    );
    if (submission === undefined) throw new Error('a submission just written is not there');
    if (added > 0 && wanted.uploads !== undefined) await takeUploads(tx, submission, wanted.uploads);
    return { submission, existed: added === 0 };
  });
}

/** @throws HW_NOT_FOUND, alike for uploads that are not there, of others, of another case, not whole yet or submitted already */
async function takeUploads(
  tx: Queryable,
  { submissionId, organisationId, caseId }: Submission,
  uploads: readonly string[],
): Promise<void> {
  const taken = await tx.execute(
    `update upload set state = 'submitted', submission_id = $1, touched_at = now()
      where upload_id = any ($2::uuid[]) and organisation_id = $3 and case_id = $4 and state = 'complete'`,
    [submissionId, uploads, organisationId, caseId],
  );
  if (taken < uploads.length)
    throw new HomewardError(
      'HW_NOT_FOUND',
      'expected uploads of this case that are whole and not submitted yet, received one that is not; GET /uploads/{uploadId} says its state',
    );
}

/** Null for one that is not there and for one that the asking member may not see alike. */
export async function findSubmission(db: Queryable, submissionId: string): Promise<Submission | null> {
  const [found] = await db.read(SUBMISSION, `select ${COLUMNS} from submission where submission_id = $1`, [
    submissionId,
  ]);
  return found ?? null;
}

/** Where a page ended; the next one begins after it. */
export type SubmissionCursor = Pick<Submission, 'submittedAt' | 'submissionId'>;

/** The latest first. */
export async function listSubmissions(
  db: Queryable,
  after: SubmissionCursor | null,
  most: number,
): Promise<Submission[]> {
  // A time is cut to milliseconds on its way out: rows of one millisecond are told apart by their id, on both sides of the cut.
  return await db.read(
    SUBMISSION,
    `select ${COLUMNS} from submission
      where $1::timestamptz is null
         or (date_trunc('milliseconds', submitted_at), submission_id) < ($1::timestamptz, $2::uuid)
      order by date_trunc('milliseconds', submitted_at) desc, submission_id desc limit $3`,
    [after?.submittedAt ?? null, after?.submissionId ?? null, most],
  );
}

/** Ends what waits at once, and asks what runs to stop. Returns it as it is now; null where it is not there. */
export async function cancelSubmission(db: Db, submissionId: string): Promise<Submission | null> {
  const [found] = await db.read(
    SUBMISSION,
    `update submission set
       cancel_asked_at = case when state in ('waiting', 'running') then coalesce(cancel_asked_at, now()) else cancel_asked_at end,
       state = case when state = 'waiting' then 'cancelled' else state end,
       finished_at = case when state = 'waiting' then now() else finished_at end,
       revision = revision + 1
     where submission_id = $1 returning ${COLUMNS}`,
    [submissionId],
  );
  return found ?? null;
}

/** The one to do next, taken: the urgent first, then in the order in which they came. Null when nothing waits. */
export async function takeNextSubmission(db: Db): Promise<Submission | null> {
  const [taken] = await db.read(
    SUBMISSION,
    `update submission set state = 'running', started_at = coalesce(started_at, now()), revision = revision + 1
      where submission_id = (select submission_id from submission where state = 'waiting'
                              order by urgent desc, submitted_at, submission_id limit 1 for update skip locked)
      returning ${COLUMNS}`,
  );
  return taken ?? null;
}

/** Whether what waits is more urgent than what runs. */
export async function urgentWaits(db: Queryable): Promise<boolean> {
  const [asked] = await db.read(
    row({ waits: bool }),
    `select exists (select from submission where state = 'waiting' and urgent) as waits`,
  );
  return asked?.waits === true;
}

export async function noteProgress(db: Queryable, submissionId: string, counts: ProgressCounts): Promise<void> {
  await db.execute('update submission set counts = $2, revision = revision + 1 where submission_id = $1', [
    submissionId,
    JSON.stringify(counts),
  ]);
}

/**
 * Ties the batch to its submission, case and organisation, so that the policies of rows know whose it is.
 * @throws HW_CASE_NOT_FOUND where the case was erased since the submission was taken; the batch goes then
 */
export async function noteBatch(
  db: Db,
  { submissionId, organisationId, caseId }: Submission,
  batchId: string,
): Promise<void> {
  const isThere = await db.transaction(async (tx) => {
    const noted = await tx.execute(
      'update submission set batch_id = $2, revision = revision + 1 where submission_id = $1',
      [submissionId, batchId],
    );
    await (noted > 0
      ? tx.execute('update batch set organisation_id = $2, case_id = $3 where batch_id = $1', [
          batchId,
          organisationId,
          caseId,
        ])
      : tx.execute('delete from batch where batch_id = $1', [batchId]));
    return noted > 0;
  });
  if (!isThere) throw caseNotFound();
}

export type SubmissionEnd =
  | { readonly state: 'complete' | 'cancelled' }
  | { readonly state: 'failed'; readonly code: string }
  /** Goes on later: it stepped aside for an urgent one, or the process is ending. */
  | { readonly state: 'waiting' };

export async function endSubmission(db: Db, submissionId: string, end: SubmissionEnd): Promise<void> {
  await db.execute(
    `update submission set state = $2, failure_code = $3, finished_at = case when $2 = 'waiting' then null else now() end,
       revision = revision + 1
     where submission_id = $1`,
    [submissionId, end.state, end.state === 'failed' ? end.code : null],
  );
}

/** Those that a process left running when it ended wait again; asked by the only process that runs any, before it does. */
export async function takeBackSubmissions(db: Db): Promise<number> {
  return await db.execute(`update submission set state = 'waiting', revision = revision + 1 where state = 'running'`);
}
