import { HomewardError } from '../../schemas/error.ts';
import { UPLOAD_STATES, type UploadState } from '../../schemas/http/upload.ts';
import { holdOpenCase } from '../access/cases.ts';
import { type Db, type Queryable, storableText, type Transaction } from '../store/db.ts';
import { bytes, integer, nullable, oneOf, row, text, timestamp } from '../store/row-shape.ts';

/** Something that is being handed in, or was. */
export interface Upload {
  readonly uploadId: string;
  readonly organisationId: string;
  readonly caseId: string;
  readonly name: string;
  readonly sizeBytes: number;
  /** Null for a file of a lab tool of which more may come. */
  readonly sha256: Buffer | null;
  /** Of a file of a lab tool. */
  readonly md5: Buffer | null;
  readonly modifiedAt: string | null;
  /** What is durable, and so where the next byte goes. */
  readonly receivedBytes: number;
  readonly sealedBytes: number;
  readonly segments: number;
  readonly state: UploadState;
  readonly submissionId: string | null;
  readonly createdAt: string;
}

/** All of which is there. */
export type WholeUpload = Upload & { readonly sha256: Buffer };

const COMMON = {
  uploadId: text,
  organisationId: text,
  caseId: text,
  name: text,
  sizeBytes: integer,
  md5: nullable(bytes),
  modifiedAt: nullable(timestamp),
  receivedBytes: integer,
  sealedBytes: integer,
  segments: integer,
  state: oneOf(UPLOAD_STATES),
  submissionId: nullable(text),
  createdAt: timestamp,
};
export const UPLOAD = row({ ...COMMON, sha256: nullable(bytes) });
const WHOLE_UPLOAD = row({ ...COMMON, sha256: bytes });
export const UPLOAD_COLUMNS = `upload_id, organisation_id, case_id, name, size_bytes, sha256, md5, modified_at, received_bytes, sealed_bytes,
  segments, state, submission_id, created_at`;

export interface NewUpload
  extends Pick<WholeUpload, 'organisationId' | 'caseId' | 'name' | 'sizeBytes' | 'sha256' | 'modifiedAt'> {
  readonly submittedBy: string;
}

/** What may be kept at the same time. */
export interface UploadBudget {
  /** Of one. */
  readonly mostBytes: number;
  readonly mostBytesOfOrganisation: number;
  readonly mostOfOrganisation: number;
}

/**
 * Begins one; its bytes come afterwards.
 * @throws HW_UPLOAD_BUDGET for one that is larger than may be, or than is left to the organisation
 */
export async function beginUpload(db: Db, wanted: NewUpload, budget: UploadBudget): Promise<Upload> {
  const { organisationId, sizeBytes } = wanted;
  refuseTooLarge(sizeBytes, budget);
  return await db.transaction(async (tx) => {
    await holdOpenCase(tx, wanted.caseId);
    await requireRoom(tx, organisationId, sizeBytes, budget);
    const [made] = await tx.read(
      UPLOAD,
      `insert into upload (organisation_id, case_id, submitted_by, name, size_bytes, sha256, modified_at)
       values ($1, $2, $3, $4, $5, $6, $7::timestamptz) returning ${UPLOAD_COLUMNS}`,
      [
        organisationId,
        wanted.caseId,
        wanted.submittedBy,
        storableText(wanted.name),
        sizeBytes,
        wanted.sha256,
        wanted.modifiedAt,
      ],
    );
    if (made === undefined) throw new RangeError('expected the new upload, received no row');
    return made;
  });
}

/** @throws HW_UPLOAD_BUDGET */
export function refuseTooLarge(sizeBytes: number, { mostBytes }: UploadBudget): void {
  if (sizeBytes > mostBytes)
    throw overBudget(`up to ${mostBytes} bytes in one upload`, `${sizeBytes}`, 'hand it in in parts');
}

/**
 * Holds the organisation until the transaction ends: one after the other, or two would both find room for one.
 * @param moreBytes beyond what is kept; of a file that is there already, what comes to it
 * @throws HW_UPLOAD_BUDGET
 */
export async function requireRoom(
  tx: Transaction,
  organisationId: string,
  moreBytes: number,
  budget: UploadBudget,
): Promise<void> {
  await tx.execute('select 1 from organisation where organisation_id = $1 for update', [organisationId]);
  const [kept] = await tx.read(
    row({ keptBytes: integer, kept: integer }),
    // What is kept of submissions that have ended is no longer the organisation's to make room for.
    `select coalesce(sum(u.size_bytes), 0)::bigint as kept_bytes, count(*) as kept from upload u left join submission s using (submission_id)
      where u.organisation_id = $1 and u.state <> 'gone' and s.finished_at is null`,
    [organisationId],
  );
  const left = budget.mostBytesOfOrganisation - (kept?.keptBytes ?? 0);
  const todo = 'wait until what was handed in is processed, or cancel what is not needed';
  if (moreBytes > left)
    throw overBudget(
      `no more than ${Math.max(0, left)} bytes, which is what is left to your organisation`,
      `${moreBytes}`,
      todo,
    );
  if ((kept?.kept ?? 0) >= budget.mostOfOrganisation)
    throw overBudget(`at most ${budget.mostOfOrganisation} uploads of your organisation at once`, 'one more', todo);
}

/** Null for one that is not there and for one that the asking member may not see alike. */
export async function findUpload(db: Queryable, uploadId: string): Promise<Upload | null> {
  const [found] = await db.read(UPLOAD, `select ${UPLOAD_COLUMNS} from upload where upload_id = $1`, [uploadId]);
  return found ?? null;
}

/** Of one submission, in the order of their ids. */
export async function uploadsOfSubmission(db: Queryable, submissionId: string): Promise<WholeUpload[]> {
  return await db.read(
    WHOLE_UPLOAD,
    `select ${UPLOAD_COLUMNS} from upload where submission_id = $1 order by upload_id`,
    [submissionId],
  );
}

/** What is durable from now on. */
export async function noteReceived(
  db: Db,
  uploadId: string,
  now: Pick<Upload, 'receivedBytes' | 'sealedBytes' | 'segments' | 'sha256'> & {
    readonly state: 'receiving' | 'complete';
  },
): Promise<void> {
  const updated = await db.execute(
    `update upload set received_bytes = $2, sealed_bytes = $3, segments = $4, state = $5, sha256 = $6, touched_at = now(),
            -- Of a file of a lab tool, room may have been made for bytes that were refused or never came.
            size_bytes = case when $5 = 'complete' then $2 else size_bytes end
      where upload_id = $1 and state = 'receiving'`,
    [uploadId, now.receivedBytes, now.sealedBytes, now.segments, now.state, now.sha256],
  );
  if (updated === 0)
    throw new HomewardError(
      'HW_NOT_FOUND',
      'expected an upload that still awaits bytes, received one that was cancelled meanwhile; begin it again',
    );
}

/** It begins again at its first byte: what came was something else than was stated. */
export async function restartUpload(db: Db, uploadId: string): Promise<void> {
  await db.execute(
    `update upload set received_bytes = 0, sealed_bytes = 0, segments = 0, touched_at = now(),
            size_bytes = case when sha256 is null then 0 else size_bytes end where upload_id = $1 and state = 'receiving'`,
    [uploadId],
  );
}

/** Marks them as gone; their files are to be removed by whoever has them. Returns those that were not gone before. */
export async function markGone(db: Db, uploadIds: readonly string[]): Promise<string[]> {
  const gone = await db.read(
    row({ uploadId: text }),
    "update upload set state = 'gone', touched_at = now() where upload_id = any ($1::uuid[]) and state <> 'gone' returning upload_id",
    [uploadIds],
  );
  return gone.map(({ uploadId }) => uploadId);
}

/**
 * Uploads that are not needed any more: that nobody has added to or submitted for so long; of submissions that were cancelled; and of those that
 * ended so long ago, except, with `keep`, of those that were looked at whole.
 */
export async function staleUploads(db: Queryable, hours: number, keep: boolean): Promise<string[]> {
  const stale = await db.read(
    row({ uploadId: text }),
    `select u.upload_id from upload u left join submission s using (submission_id)
      where (u.state in ('receiving', 'complete') and u.touched_at < now() - make_interval(hours => $1::integer))
         or (u.state = 'submitted' and s.state = 'cancelled')
         or (u.state = 'submitted' and s.finished_at < now() - make_interval(hours => $1::integer)
             and not ($2::boolean and s.state = 'complete'))`,
    [hours, keep],
  );
  return stale.map(({ uploadId }) => uploadId);
}

/** Whether a batch of uploads has one that could not be opened or gone through: it must not be removed as if it had been looked at. */
export async function hasUnreadUploads(db: Queryable, batchId: string): Promise<boolean> {
  const unread = await db.query(
    "select 1 from item where batch_id = $1 and container_path_key is null and outcome in ('rejected', 'failed') limit 1",
    [batchId],
  );
  return unread.length > 0;
}

/** Of these, those whose file may still be needed. */
export async function keptAmong(db: Queryable, uploadIds: readonly string[]): Promise<ReadonlySet<string>> {
  const kept = await db.read(
    row({ uploadId: text }),
    "select upload_id from upload where upload_id = any ($1::uuid[]) and state <> 'gone'",
    [uploadIds],
  );
  return new Set(kept.map(({ uploadId }) => uploadId));
}

const overBudget = (expected: string, received: string, todo: string): HomewardError =>
  new HomewardError('HW_UPLOAD_BUDGET', `expected ${expected}, received ${received}; ${todo}`);
