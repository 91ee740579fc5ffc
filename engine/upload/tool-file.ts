import { holdOpenCase } from '../access/cases.ts';
import { type Db, type Queryable, storableText } from '../store/db.ts';
import {
  type NewUpload,
  refuseTooLarge,
  requireRoom,
  UPLOAD,
  UPLOAD_COLUMNS,
  type Upload,
  type UploadBudget,
} from './upload.ts';

/** A file of a lab tool: known by its MD5, of a length and a SHA-256 that nobody states before its end. */
export interface ToolFile extends Pick<NewUpload, 'organisationId' | 'caseId' | 'submittedBy' | 'name'> {
  readonly md5: Buffer;
}
type Place = Pick<ToolFile, 'organisationId' | 'caseId'>;

const WAITS = "md5 is not null and state in ('receiving', 'complete')";

/** Begins one; where two begin the same file at once, both get it. @throws HW_UPLOAD_BUDGET */
export async function beginToolFile(db: Db, wanted: ToolFile, budget: UploadBudget): Promise<Upload> {
  return await db.transaction(async (tx) => {
    const { organisationId, caseId, submittedBy, name, md5 } = wanted;
    await holdOpenCase(tx, caseId);
    await requireRoom(tx, organisationId, 0, budget);
    const [made] = await tx.read(
      UPLOAD,
      `insert into upload (organisation_id, case_id, submitted_by, name, size_bytes, md5) values ($1, $2, $3, $4, 0, $5)
       on conflict (organisation_id, case_id, md5) where ${WAITS} do nothing returning ${UPLOAD_COLUMNS}`,
      [organisationId, caseId, submittedBy, storableText(name), md5],
    );
    const begun = made ?? (await findToolFile(tx, wanted, md5));
    if (begun === null) throw new RangeError('expected the new upload, received no row');
    return begun;
  });
}

/** One that was not submitted yet. */
export async function findToolFile(
  db: Queryable,
  { organisationId, caseId }: Place,
  md5: Buffer,
): Promise<Upload | null> {
  const [found] = await db.read(
    UPLOAD,
    `select ${UPLOAD_COLUMNS} from upload where organisation_id = $1 and case_id = $2 and md5 = $3 and ${WAITS}`,
    [organisationId, caseId, md5],
  );
  return found ?? null;
}

/** Those of a case that were not submitted yet. */
export async function waitingToolFiles(
  db: Queryable,
  { organisationId, caseId }: Place,
): Promise<readonly Pick<Upload, 'uploadId' | 'state'>[]> {
  return await db.read(
    UPLOAD,
    `select ${UPLOAD_COLUMNS} from upload where organisation_id = $1 and case_id = $2 and ${WAITS} order by upload_id`,
    [organisationId, caseId],
  );
}

/** Makes room for bytes up to a place, before they come. @throws HW_UPLOAD_BUDGET */
export async function growToolFile(
  db: Db,
  { uploadId, organisationId, sizeBytes }: Upload,
  toBytes: number,
  budget: UploadBudget,
): Promise<void> {
  refuseTooLarge(toBytes, budget);
  if (toBytes <= sizeBytes) return;
  await db.transaction(async (tx) => {
    await requireRoom(tx, organisationId, toBytes - sizeBytes, {
      ...budget,
      mostOfOrganisation: Number.POSITIVE_INFINITY,
    });
    await tx.execute(
      "update upload set size_bytes = greatest(size_bytes, $2), touched_at = now() where upload_id = $1 and state = 'receiving'",
      [uploadId, toBytes],
    );
  });
}

/** The last submission that was made of files of a case; null where there is none. */
export async function lastToolSubmission(db: Queryable, { organisationId, caseId }: Place): Promise<string | null> {
  const [found] = await db.query<{ submission_id: string }>(
    `select s.submission_id from upload u join submission s using (submission_id)
      where u.organisation_id = $1 and u.case_id = $2 and u.md5 is not null order by s.submitted_at desc limit 1`,
    [organisationId, caseId],
  );
  return found?.submission_id ?? null;
}
