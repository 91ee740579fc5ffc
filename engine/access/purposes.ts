import { PURPOSE_PATTERN } from '../../schemas/access.ts';
import { HomewardError } from '../../schemas/error.ts';
import type { Db, Queryable } from '../store/db.ts';
import { nullable, type RowOf, row, text, timestamp } from '../store/row-shape.ts';
import { type Actor, accessExists, checkDay, checkText } from './access-error.ts';

export interface NewPurpose {
  readonly code: string;
  readonly description: string;
  readonly reviewedBy: string;
  /** YYYY-MM-DD */
  readonly reviewedOn: string;
}

/** @throws HW_ACCESS_EXISTS, HW_PURPOSE_UNKNOWN where it has not the form of a code */
export async function addPurpose(
  db: Db,
  { code, description, reviewedBy, reviewedOn }: NewPurpose,
  by: Actor,
): Promise<void> {
  if (!new RegExp(PURPOSE_PATTERN).test(code)) throw purposeUnknown(code);
  const added = await db.execute(
    `insert into purpose_code (code, description, reviewed_by, reviewed_on, added_by) values ($1, $2, $3, $4::date, $5) on conflict do nothing`,
    [
      code,
      checkText('the description', description, 500),
      checkText('who reviewed it', reviewedBy, 200),
      checkDay('the day of its review', reviewedOn),
      by.label,
    ],
  );
  if (added === 0) throw accessExists('a purpose', code);
}

const LISTED = row({
  code: text,
  description: text,
  reviewedBy: text,
  reviewedOn: text,
  retiredAt: nullable(timestamp),
});
export type ListedPurpose = RowOf<typeof LISTED>;

export async function listPurposes(db: Queryable): Promise<ListedPurpose[]> {
  return await db.read(
    LISTED,
    `select code, description, reviewed_by, to_char(reviewed_on, 'YYYY-MM-DD') as reviewed_on, retired_at from purpose_code order by code`,
  );
}

/** @throws HW_PURPOSE_UNKNOWN where one of them is not in the reviewed table, or is retired */
export async function requirePurposes(db: Queryable, codes: readonly string[]): Promise<void> {
  const wellFormed = codes.filter((code) => new RegExp(PURPOSE_PATTERN).test(code));
  const found = await db.read(
    row({ code: text }),
    'select code from purpose_code where code = any ($1::text[]) and retired_at is null',
    [wellFormed],
  );
  const known = new Set(found.map(({ code }) => code));
  const unknown = codes.find((code) => !known.has(code));
  if (unknown !== undefined) throw purposeUnknown(unknown);
}

export function purposeUnknown(received: string): HomewardError {
  const shown = new RegExp(PURPOSE_PATTERN).test(received) ? JSON.stringify(received) : 'free text';
  return new HomewardError(
    'HW_PURPOSE_UNKNOWN',
    `expected a code of the reviewed table of purposes, received ${shown}; homeward purpose list shows the codes`,
  );
}
