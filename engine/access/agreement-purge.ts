import { Type } from 'typebox';
import { PURGES, Purge } from '../../schemas/access.ts';
import { eraseCase } from '../erasure/close-case.ts';
import { removeSet } from '../hashset/sets.ts';
import type { Db } from '../store/db.ts';
import { integer, json, type RowOf, row, text } from '../store/row-shape.ts';
import { cancelSubmission } from '../submission/submission.ts';

const DUE = row({
  agreementId: text,
  organisationId: text,
  purges: json(Type.Array(Purge, { maxItems: PURGES.length })),
});
export type DuePurge = RowOf<typeof DUE>;

/** Purges of agreements that ended, revoked or over, where no other agreement of the organisation is in force or to come. */
export async function duePurges(db: Db): Promise<DuePurge[]> {
  return await db.read(
    DUE,
    `select agreement_id, organisation_id, to_jsonb(purges) as purges from agreement a
      where activated_at is not null and cardinality(purges) > 0
        and (revoked_at is not null or last_day < (now() at time zone 'UTC')::date)
        and not exists (select from agreement_purge p where p.agreement_id = a.agreement_id and p.finished_at is not null)
        and not exists (select from agreement o
                         where o.organisation_id = a.organisation_id and o.activated_at is not null and o.revoked_at is null
                           and o.last_day >= (now() at time zone 'UTC')::date)
      order by agreement_id`,
  );
}

export interface Purged {
  /** False: something of the organisation is still being looked at; it was asked to stop, and the purge goes on once it has. */
  readonly finished: boolean;
  readonly sets: number;
  readonly cases: number;
}

/**
 * Carries out what the agreement names, step by step: killed at any moment, the next call goes on. What was derived of the partner's
 * material goes with its cases; leads that rested on its sets are looked at again, as when a set is removed.
 */
export async function purgeAfterAgreement(db: Db, due: DuePurge, by: string): Promise<Purged> {
  const { agreementId, organisationId } = due;
  await db.execute('insert into agreement_purge (agreement_id) values ($1) on conflict do nothing', [agreementId]);
  if (due.purges.includes('material') && (await stopSubmissions(db, organisationId)) > 0)
    return { finished: false, sets: 0, cases: 0 };
  const sets = due.purges.includes('sets') ? await removeSets(db, organisationId) : 0;
  const cases = due.purges.includes('material') ? await eraseCases(db, due, by) : 0;
  await db.execute(
    'update agreement_purge set finished_at = now(), sets = sets + $2, cases = cases + $3 where agreement_id = $1',
    [agreementId, sets, cases],
  );
  return { finished: true, sets, cases };
}

/** How many are still under way. */
async function stopSubmissions(db: Db, organisationId: string): Promise<number> {
  const unended = await db.read(
    row({ submissionId: text }),
    "select submission_id from submission where organisation_id = $1 and state in ('waiting', 'running')",
    [organisationId],
  );
  let underWay = 0;
  for (const { submissionId } of unended)
    if ((await cancelSubmission(db, submissionId))?.state === 'running') underWay += 1;
  return underWay;
}

async function removeSets(db: Db, organisationId: string): Promise<number> {
  const owned = await db.read(
    row({ setId: integer }),
    "select set_id from hash_set where owner_organisation_id = $1 and state in ('importing', 'held', 'active') order by set_id",
    [organisationId],
  );
  for (const { setId } of owned) await removeSet(db, setId);
  return owned.length;
}

async function eraseCases(db: Db, { organisationId, agreementId }: DuePurge, by: string): Promise<number> {
  const cases = await db.read(
    row({ organisation: text, caseRef: text }),
    'select distinct organisation, case_ref from batch where organisation_id = $1 order by organisation, case_ref',
    [organisationId],
  );
  for (const one of cases)
    await eraseCase(db, {
      ...one,
      outcome: 'review',
      justification: `agreement ${agreementId} ended and names this purge`,
      closedBy: by,
      backupsGoneBy: null,
    });
  return cases.length;
}
