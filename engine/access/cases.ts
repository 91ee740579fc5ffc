import { isUuid } from '../../schemas/access.ts';
import { HomewardError } from '../../schemas/error.ts';
import type { Db, Queryable, Transaction } from '../store/db.ts';
import { bool, integer, nullable, oneOf, type RowOf, row, text, timestamp } from '../store/row-shape.ts';
import { type Actor, accessExists, checkDay, checkText, requireOrganisation, ruleBroken } from './access-error.ts';

export interface NewCase {
  readonly organisationId: string;
  /** As its batches name it. */
  readonly caseRef: string;
  /** The last day of a joint case, which may have members of several organisations; null: a case of one organisation. */
  readonly jointUntil: string | null;
}

/** Opens a case; batches of the organisation that name it already are part of it. @throws HW_ACCESS_EXISTS, HW_ACCESS_NOT_FOUND */
export async function openCase(db: Db, { organisationId, caseRef, jointUntil }: NewCase, by: Actor): Promise<string> {
  const named = checkText('the reference of a case', caseRef, 200);
  const lastDay = jointUntil === null ? null : checkDay('the last day', jointUntil);
  return await db.transaction(async (tx) => {
    await requireOrganisation(tx, organisationId);
    const [opened] = await tx.read(
      row({ caseId: text }),
      `insert into case_file (organisation_id, case_ref, joint, last_day, opened_by) values ($1, $2, $3, $4::date, $5)
       on conflict do nothing returning case_id`,
      [organisationId, named, lastDay !== null, lastDay, by.label],
    );
    if (opened === undefined) throw accessExists('a case', named);
    await tx.execute('update batch set case_id = $1 where organisation_id = $2 and case_ref = $3 and case_id is null', [
      opened.caseId,
      organisationId,
      named,
    ]);
    return opened.caseId;
  });
}

/**
 * Assigns an open case to a principal who works on cases. Nothing happens where it is assigned to him already.
 * @throws HW_CASE_NOT_FOUND, HW_ACCESS_RULE for another organisation's people in a case that is not joint, for administrators and auditors
 */
export async function assignCase(
  db: Db,
  { caseId, principalId }: { readonly caseId: string; readonly principalId: string },
  by: Actor,
): Promise<void> {
  await db.transaction(async (tx) => {
    const [found] = isUuid(caseId)
      ? await tx.read(
          row({ joint: bool, own: bool, worksOnCases: bool }),
          `select c.joint, c.organisation_id = p.organisation_id as own,
                  not (p.roles && array['administrator', 'auditor']) as works_on_cases
             from case_file c, principal p
            where c.case_id = $1 and c.state = 'open' and p.principal_id = $2 and p.ended_at is null for update of c`,
          [caseId, principalId],
        )
      : [];
    if (found === undefined) throw caseNotFound();
    if (!found.worksOnCases)
      throw ruleBroken('somebody who works on cases', 'an administrator or auditor', 'assign it to another principal');
    if (!found.own && !found.joint)
      throw ruleBroken(
        "somebody of the case's own organisation",
        'somebody of another one',
        'open a joint case, with its last day',
      );
    await tx.execute(
      'insert into case_member (case_id, principal_id, assigned_by) values ($1, $2, $3) on conflict do nothing',
      [caseId, principalId, by.label],
    );
  });
}

/** Takes an assignment back; whether there was one. */
export async function unassignCase(db: Db, caseId: string, principalId: string): Promise<boolean> {
  const removed = await db.execute('delete from case_member where case_id = $1 and principal_id = $2', [
    caseId,
    principalId,
  ]);
  return removed > 0;
}

const LISTED = row({
  caseId: text,
  organisationId: text,
  caseRef: text,
  state: oneOf(['open', 'closed']),
  joint: bool,
  lastDay: nullable(text),
  openedBy: text,
  openedAt: timestamp,
  members: integer,
  batches: integer,
});
export type ListedCase = RowOf<typeof LISTED>;

export async function listCases(db: Queryable): Promise<ListedCase[]> {
  return await db.read(
    LISTED,
    `select case_id, organisation_id, case_ref, state, joint, to_char(last_day, 'YYYY-MM-DD') as last_day, opened_by, opened_at,
            (select count(*) from case_member m where m.case_id = c.case_id) as members,
            (select count(*) from batch b where b.case_id = c.case_id) as batches
       from case_file c order by opened_at desc, case_id`,
  );
}

/**
 * Holds an open case until the transaction ends: it cannot be closed or erased between what is checked and what is written for it.
 * @throws HW_CASE_NOT_FOUND
 */
export async function holdOpenCase(tx: Transaction, caseId: string): Promise<void> {
  const held = await tx.query("select 1 from case_file where case_id = $1 and state = 'open' for share", [caseId]);
  if (held.length === 0) throw caseNotFound();
}

export function caseNotFound(): HomewardError {
  return new HomewardError(
    'HW_CASE_NOT_FOUND',
    'expected an open case that is assigned to you, received another number or none; check it, or have the case assigned',
  );
}
