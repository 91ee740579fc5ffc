import { Closed } from '../../schemas/closed.ts';
import { Report, type ReportHead } from '../../schemas/report.ts';
import { type Db, jsonParam, type Queryable } from '../store/db.ts';
import { json, row } from '../store/row-shape.ts';

const { items: _items, ...HEAD } = Report.properties;
const STORED = row({ head: json(Closed(HEAD)) });

/** Keeps the head of a submission's report in place of the one before. */
export async function storeReport(db: Db, submissionId: string, head: ReportHead): Promise<void> {
  await db.execute(
    `insert into submission_report (submission_id, head) values ($1, $2::jsonb)
     on conflict (submission_id) do update set head = excluded.head, made_at = now()`,
    [submissionId, jsonParam(head)],
  );
}

/** Null where nothing was looked at yet. */
export async function storedReport(db: Queryable, submissionId: string): Promise<ReportHead | null> {
  const [stored] = await db.read(STORED, 'select head from submission_report where submission_id = $1', [submissionId]);
  return stored?.head ?? null;
}
