import { HomewardError } from '../../schemas/error.ts';
import { type Db, type Queryable, storableText } from '../store/db.ts';
import { bool, integer, nullable, oneOf, type RowOf, row, text, timestamp } from '../store/row-shape.ts';
import { ERASING_OUTCOMES, ERASURE_STATES, KEEPING_OUTCOMES } from './closure.ts';
import type { CaseName } from './delete-material.ts';

/** A case as the retention of its material sees it. */
export const CASE = row({
  caseRef: text,
  batches: integer,
  items: integer,
  /** Null: it is open, or got new material since it was closed. */
  outcome: nullable(oneOf([...ERASING_OUTCOMES, ...KEEPING_OUTCOMES] as const)),
  closedAt: nullable(timestamp),
  erasure: nullable(oneOf(ERASURE_STATES)),
  /** `2027-01-31`, when the last backup of what was erased is gone. */
  backupsGoneBy: nullable(text),
  /** When it is to be looked at: as decided last, else by the rule of its outcome; null where nothing is left to decide. */
  reviewAt: nullable(timestamp),
  due: bool,
});
export type RetainedCase = RowOf<typeof CASE>;

/** What every list rests on; $1 is the organisation. */
const CASES_SQL = `
with named as (
  select case_ref from batch where organisation = $1
  union select case_ref from case_closure where organisation = $1
), told as (
  select n.case_ref,
         (select count(*) from batch b where b.organisation = $1 and b.case_ref = n.case_ref) as batches,
         (select count(*) from item i join batch b using (batch_id) where b.organisation = $1 and b.case_ref = n.case_ref) as items,
         (select min(b.started_at) from batch b where b.organisation = $1 and b.case_ref = n.case_ref) as first_at,
         (select max(b.started_at) from batch b where b.organisation = $1 and b.case_ref = n.case_ref) as last_at,
         c.outcome, c.closed_at, c.erasure, c.backups_gone_by, c.review_at, d.keep_until, d.decided_at
    from named n
    left join lateral (select * from case_closure c where c.organisation = $1 and c.case_ref = n.case_ref
                        order by closure_id desc limit 1) c on true
    left join lateral (select * from retention_decision d where d.organisation = $1 and d.case_ref = n.case_ref
                        order by decision_id desc limit 1) d on true
), ruled as (
  select case_ref, batches, items, backups_gone_by,
         -- New material opens a case again.
         case when closed_at >= last_at or batches = 0 then outcome end as outcome,
         case when closed_at >= last_at or batches = 0 then closed_at end as closed_at,
         case when closed_at >= last_at or batches = 0 or erasure <> 'done' then erasure end as erasure,
         case when batches = 0 then null
              when keep_until is not null and decided_at >= coalesce(closed_at, decided_at) then keep_until::timestamptz
              when closed_at >= last_at then review_at
              else first_at + make_interval(days => (select review_after_days from retention_rule where outcome = 'open')) end as review_at
    from told
)
select case_ref, batches, items, outcome, closed_at, erasure, backups_gone_by::text as backups_gone_by, review_at,
       coalesce(review_at <= now(), false) or coalesce(erasure <> 'done', false) as due
  from ruled`;

/** The cases of an organisation, those first that are to be looked at; `dueOnly`: those whose review is due or whose erasure is not finished. */
export async function listCases(db: Queryable, organisation: string, dueOnly: boolean): Promise<RetainedCase[]> {
  return await db.read(
    CASE,
    `select * from (${CASES_SQL}) r ${dueOnly ? 'where due' : ''} order by due desc, review_at nulls last, case_ref limit 10000`,
    [organisation],
  );
}

/**
 * Records the decision of a review to keep a case's material until a day; to erase it is recorded with its erasure.
 * @param decision `until`: `2027-01-31`; null: it is to be erased
 * @throws HomewardError HW_CASE_UNKNOWN where it has no material here
 */
export async function decideRetention(
  db: Db,
  { organisation, caseRef }: CaseName,
  decision: { readonly until: string | null; readonly justification: string; readonly decidedBy: string },
): Promise<number> {
  const [made] = await db.read(
    row({ decisionId: integer }),
    `insert into retention_decision (organisation, case_ref, decision, keep_until, justification, decided_by)
     select $1, $2, $3, $4::date, $5, $6 where exists (select from batch where organisation = $1 and case_ref = $2)
     returning decision_id`,
    [
      organisation,
      caseRef,
      decision.until === null ? 'erase' : 'keep',
      decision.until,
      storableText(decision.justification),
      storableText(decision.decidedBy),
    ],
  );
  if (made === undefined) {
    throw new HomewardError(
      'HW_CASE_UNKNOWN',
      `expected a case of ${JSON.stringify(organisation)} with material to review, received ${JSON.stringify(caseRef)}; homeward case material shows them`,
    );
  }
  return made.decisionId;
}
