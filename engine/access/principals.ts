import { type Member, ROLES, type Role } from '../../schemas/access.ts';
import { HomewardError } from '../../schemas/error.ts';
import type { Db, Queryable, Transaction } from '../store/db.ts';
import { row, text } from '../store/row-shape.ts';
import { type Actor, accessExists, checkText, isSamePerson, requireOrganisation, ruleBroken } from './access-error.ts';

export interface NewPrincipal {
  readonly organisationId: string;
  readonly kind: Member['kind'];
  /** As the audit names it; once in its organisation. */
  readonly label: string;
  readonly roles: readonly Role[];
}

/** Adds who may be let in; with what, a key, certificate or login says. @throws HW_ACCESS_RULE, HW_ACCESS_EXISTS, HW_ACCESS_NOT_FOUND */
export async function addPrincipal(db: Db, principal: NewPrincipal, by: Actor): Promise<string> {
  return await db.transaction(async (tx) => await insertPrincipal(tx, principal, by));
}

export async function insertPrincipal(tx: Transaction, principal: NewPrincipal, by: Actor): Promise<string> {
  const label = checkText('the label of a principal', principal.label, 200);
  const roles = ROLES.filter((one) => principal.roles.includes(one));
  checkRoles(roles);
  const { home } = await requireOrganisation(tx, principal.organisationId);
  if (roles.includes('administrator') && !home)
    throw ruleBroken(
      'an administrator of the organisation that runs the engine',
      'another organisation',
      'give another role',
    );
  if (isSamePerson(label, by.label)) throw ownGrant();
  const [inserted] = await tx.read(
    row({ principalId: text }),
    `insert into principal (organisation_id, kind, label, roles, added_by) values ($1, $2, $3, $4::text[], $5)
     on conflict do nothing returning principal_id`,
    [principal.organisationId, principal.kind, label, roles, by.label],
  );
  if (inserted === undefined) throw accessExists('a principal', label);
  return inserted.principalId;
}

/** Of an organisation by label, one that has not ended; null where there is none. */
export async function findPrincipal(db: Queryable, organisationId: string, label: string): Promise<string | null> {
  const [found] = await db.read(
    row({ principalId: text }),
    'select principal_id from principal where organisation_id = $1 and label = $2 and ended_at is null',
    [organisationId, label],
  );
  return found?.principalId ?? null;
}

/** The principal of this label, added where the organisation has none; one that is there stays as it is. @throws as addPrincipal */
export async function findOrAddPrincipal(db: Db, principal: NewPrincipal, by: Actor): Promise<string> {
  const found = await findPrincipal(db, principal.organisationId, principal.label);
  return found ?? (await addPrincipal(db, principal, by));
}

/** What carries a principal in stops doing so at once, for good. */
export async function endPrincipal(db: Db, principalId: string): Promise<boolean> {
  const ended = await db.execute('update principal set ended_at = now() where principal_id = $1 and ended_at is null', [
    principalId,
  ]);
  return ended > 0;
}

/** @throws HW_ACCESS_RULE where nobody may have these roles together */
export function checkRoles(roles: readonly Role[]): void {
  if (roles.length === 0)
    throw new HomewardError('HW_USAGE', `expected at least one role, received none; give one of ${ROLES.join(', ')}`);
  for (const alone of ['administrator', 'auditor'] as const) {
    if (roles.includes(alone) && roles.length > 1)
      throw ruleBroken(
        `the role ${alone} alone`,
        roles.join(', '),
        alone === 'auditor' ? 'who audits does nothing else' : 'who administers decides nothing in cases',
      );
  }
}

/** Nobody lets himself in, as whoever he is there. @throws HW_ACCESS_RULE */
export async function refuseOwnGrant(db: Queryable, principalId: string, by: Actor): Promise<void> {
  const [found] = await db.read(row({ label: text }), 'select label from principal where principal_id = $1', [
    principalId,
  ]);
  if (principalId === by.principalId || (found !== undefined && isSamePerson(found.label, by.label))) throw ownGrant();
}

function ownGrant(): HomewardError {
  return ruleBroken('another person to grant it', 'who would get it', 'have another administrator do it');
}
