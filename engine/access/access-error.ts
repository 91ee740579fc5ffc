import { HomewardError } from '../../schemas/error.ts';
import type { Queryable } from '../store/db.ts';
import { bool, row } from '../store/row-shape.ts';

/** Who changes access: as the audit names him, and as whom he authenticated (null: at the machine itself, by the command line). */
export interface Actor {
  readonly label: string;
  readonly principalId: string | null;
}

/** Letter case and blanks make nobody another person; the constraints of 0004-access.sql compare alike. */
export function isSamePerson(one: string, other: string): boolean {
  return one.trim().toLowerCase() === other.trim().toLowerCase();
}

export function ruleBroken(expected: string, received: string, todo: string): HomewardError {
  return new HomewardError('HW_ACCESS_RULE', `expected ${expected}, received ${received}; ${todo}`);
}

export function accessNotFound(what: string, name: string, todo: string): HomewardError {
  return new HomewardError(
    'HW_ACCESS_NOT_FOUND',
    `expected ${what} that is there, received ${JSON.stringify(name)}; ${todo}`,
  );
}

export function accessExists(what: string, name: string): HomewardError {
  return new HomewardError(
    'HW_ACCESS_EXISTS',
    `expected ${what} that is not there yet, received ${JSON.stringify(name)}; use the one that is there, or choose another name`,
  );
}

/** Refuses values beyond what the tables hold, before the database does it without saying which. */
export function checkText(what: string, value: string, most: number): string {
  const trimmed = value.trim();
  if (trimmed.length > 0 && trimmed.length <= most && !trimmed.includes('\0')) return trimmed;
  throw new HomewardError(
    'HW_USAGE',
    `expected 1 to ${most} characters for ${what}, received ${trimmed.length}; shorten it or fill it in`,
  );
}

/** A day as YYYY-MM-DD that is in the calendar. */
export function checkDay(what: string, value: string): string {
  const timeMs = Date.parse(`${value}T00:00:00Z`);
  if (/^[1-9]\d{3}-\d{2}-\d{2}$/.test(value) && new Date(timeMs || 0).toISOString().startsWith(value)) return value;
  throw new HomewardError(
    'HW_USAGE',
    `expected a day such as 2027-01-31 for ${what}, received ${JSON.stringify(value)}; correct it`,
  );
}

/** @throws HW_ACCESS_NOT_FOUND */
export async function requireOrganisation(db: Queryable, organisationId: string): Promise<{ readonly home: boolean }> {
  const [found] = await db.read(row({ home: bool }), 'select home from organisation where organisation_id = $1', [
    organisationId,
  ]);
  if (found === undefined)
    throw accessNotFound('an organisation', organisationId, 'homeward organisation list shows them');
  return found;
}

/** The same for all reasons, nothing presented among them: which of them it was helps only who guesses. */
export function unauthenticated(): HomewardError {
  return new HomewardError(
    'HW_UNAUTHENTICATED',
    'expected an API key or token (header Authorization, Bearer ...) or a client certificate that is known and in force, and of one and the same principal, received none; ask the administrator of the organisation that runs this engine',
  );
}
