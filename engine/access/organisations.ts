import { ORGANISATION_PATTERN } from '../../schemas/access.ts';
import { HomewardError } from '../../schemas/error.ts';
import type { Db, Transaction } from '../store/db.ts';
import { bool, integer, nullable, type RowOf, row, text, timestamp } from '../store/row-shape.ts';
import { type Actor, accessExists, checkText } from './access-error.ts';

export interface NewOrganisation {
  readonly organisationId: string;
  /** As its batches and hash sets name it. */
  readonly name: string;
  /** Whom its partners ask: a desk, never a person. */
  readonly contactReference: string | null;
  /** The one that runs the engine. */
  readonly home: boolean;
}

/** How much of what was here before is this organisation's from now on: what named it by exactly its name or id. */
export interface TakenOver {
  readonly batches: number;
  readonly hashSets: number;
  readonly series: number;
}

/** @throws HW_ACCESS_EXISTS, HW_USAGE */
export async function addOrganisation(db: Db, organisation: NewOrganisation, by: Actor): Promise<TakenOver> {
  return await db.transaction(async (tx) => await insertOrganisation(tx, organisation, by));
}

export async function insertOrganisation(
  tx: Transaction,
  { organisationId, name, contactReference, home }: NewOrganisation,
  by: Actor,
): Promise<TakenOver> {
  if (!new RegExp(ORGANISATION_PATTERN).test(organisationId))
    throw new HomewardError(
      'HW_USAGE',
      `expected up to 63 small letters, digits and - as the id of an organisation, received ${JSON.stringify(organisationId.slice(0, 100))}; choose such a one`,
    );
  const named = checkText('the name of an organisation', name, 200);
  const contact = contactReference === null ? null : checkText('the contact reference', contactReference, 200);
  const inserted = await tx.execute(
    `insert into organisation (organisation_id, name, home, contact_reference, added_by)
     select $1, $2, $3, $4, $5 where not exists (select from organisation where name in ($1, $2) or organisation_id in ($1, $2))
     on conflict do nothing`,
    [organisationId, named, home, contact, by.label],
  );
  if (inserted === 0) throw accessExists('an organisation', organisationId);
  const names = [organisationId, named];
  return {
    batches: await tx.execute(
      'update batch set organisation_id = $1 where organisation_id is null and organisation in ($1, $2)',
      names,
    ),
    hashSets: home ? 0 : await takeOver(tx, 'hash_set', names),
    series: home ? 0 : await takeOver(tx, 'series', names),
  };
}

async function takeOver(tx: Transaction, table: 'hash_set' | 'series', names: readonly string[]): Promise<number> {
  return await tx.execute(
    `update ${table} set owner_organisation_id = $1 where owner_organisation_id is null and source in ($1, $2)`,
    names,
  );
}

const LISTED = row({
  organisationId: text,
  name: text,
  home: bool,
  contactReference: nullable(text),
  addedBy: text,
  addedAt: timestamp,
  principals: integer,
});
export type ListedOrganisation = RowOf<typeof LISTED>;

export async function listOrganisations(db: Db): Promise<ListedOrganisation[]> {
  return await db.read(
    LISTED,
    `select organisation_id, name, home, contact_reference, added_by, added_at,
            (select count(*) from principal p where p.organisation_id = o.organisation_id and p.ended_at is null) as principals
       from organisation o order by home desc, organisation_id`,
  );
}

/** Lets what was derived from the owner's material be answered to the recipient, or takes that back. */
export async function setDerivationConsent(
  db: Db,
  consent: { readonly owner: string; readonly recipient: string; readonly given: boolean },
  by: Actor,
): Promise<void> {
  await db.execute(
    `insert into derivation_consent (owner_organisation_id, recipient_organisation_id, given_by, withdrawn_at)
     values ($1, $2, $3, case when $4 then null else now() end)
     on conflict (owner_organisation_id, recipient_organisation_id)
     do update set given_by = excluded.given_by, given_at = now(), withdrawn_at = excluded.withdrawn_at`,
    [consent.owner, consent.recipient, by.label, consent.given],
  );
}
