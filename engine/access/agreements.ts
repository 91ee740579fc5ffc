import { Type } from 'typebox';
import {
  AGREED_FIELDS,
  AgreedField,
  type AgreementTerms,
  isUuid,
  MODALITIES,
  Modality,
  PURGES,
  Purge,
  PurposeCode,
  TIERS,
  TLP_LEVELS,
} from '../../schemas/access.ts';
import type { Db, Queryable, Transaction } from '../store/db.ts';
import { bool, integer, json, nullable, oneOf, type RowOf, row, text, timestamp } from '../store/row-shape.ts';
import {
  type Actor,
  accessNotFound,
  checkDay,
  checkText,
  isSamePerson,
  requireOrganisation,
  ruleBroken,
} from './access-error.ts';
import { requirePurposes } from './purposes.ts';

export interface ProposedAgreement extends Omit<AgreementTerms, 'agreementId'> {
  readonly organisationId: string;
  /** What goes once it has ended. */
  readonly purges: readonly Purge[];
  /** Days in UTC as YYYY-MM-DD, both included. */
  readonly firstDay: string;
  readonly lastDay: string;
}

export interface Evaluation {
  /** The written criteria with their edition, such as `partner criteria 2026-03`. */
  readonly criteria: string;
  readonly findings: string;
  /** When the agreement is looked at again, at the latest on its last day. */
  readonly reviewOn: string;
}

/** Enters the terms; nothing is answered under them until they were evaluated and a second person has activated them. */
export async function proposeAgreement(db: Db, agreement: ProposedAgreement, by: Actor): Promise<string> {
  const { organisationId, tier, modalities, highestTlp, fields, dailyQuota, perMinute } = agreement;
  const firstDay = checkDay('the first day', agreement.firstDay);
  const lastDay = checkDay('the last day', agreement.lastDay);
  if (firstDay > lastDay)
    throw ruleBroken(`a first day up to ${lastDay}, the last one`, firstDay, 'correct one of the two');
  return await db.transaction(async (tx) => {
    const { home } = await requireOrganisation(tx, organisationId);
    if (home)
      throw ruleBroken('an agreement with another organisation', 'the one that runs the engine', 'it needs none');
    await requirePurposes(tx, agreement.purposes);
    const [inserted] = await tx.read(
      row({ agreementId: text }),
      `insert into agreement (organisation_id, tier, modalities, highest_tlp, fields, daily_quota, per_minute, first_day, last_day, proposed_by, purges)
       values ($1, $2, $3::text[], $4, $5::text[], $6, $7, $8::date, $9::date, $10, $11::text[]) returning agreement_id`,
      [
        organisationId,
        tier,
        modalities,
        highestTlp,
        fields,
        dailyQuota,
        perMinute,
        firstDay,
        lastDay,
        by.label,
        agreement.purges,
      ],
    );
    if (inserted === undefined) throw new RangeError('expected the new agreement, received no row');
    await tx.execute('insert into agreement_purpose (agreement_id, code) select $1, unnest($2::text[])', [
      inserted.agreementId,
      [...new Set(agreement.purposes)],
    ]);
    return inserted.agreementId;
  });
}

/** Records what came of holding the partner against the criteria; the terms stay as they are from here on. */
export async function evaluateAgreement(db: Db, agreementId: string, evaluation: Evaluation, by: Actor): Promise<void> {
  const reviewOn = checkDay('the review date', evaluation.reviewOn);
  const criteria = checkText('the criteria', evaluation.criteria, 500);
  const findings = checkText('the findings', evaluation.findings, 4000);
  await db.transaction(async (tx) => {
    const found = await lockAgreement(tx, agreementId);
    if (found.evaluatedBy !== null)
      throw ruleBroken('an agreement that was not evaluated yet', 'one that was', 'propose another one');
    if (reviewOn > found.lastDay)
      throw ruleBroken(`a review up to ${found.lastDay}, the last day`, reviewOn, 'review it before it ends');
    await tx.execute(
      `update agreement set criteria = $2, evaluation = $3, review_on = $4::date, evaluated_by = $5, evaluated_at = now()
        where agreement_id = $1`,
      [agreementId, criteria, findings, reviewOn, by.label],
    );
  });
}

/** Puts it in force from its first day on. @throws HW_ACCESS_RULE without an evaluation, or by who proposed it or is let in by it */
export async function activateAgreement(db: Db, agreementId: string, by: Actor): Promise<void> {
  await db.transaction(async (tx) => {
    const found = await lockAgreement(tx, agreementId);
    if (found.evaluatedBy === null)
      throw ruleBroken('a recorded evaluation and review date', 'none', 'run homeward agreement evaluate first');
    if (isSamePerson(found.proposedBy, by.label))
      throw ruleBroken('a second person to activate it', 'who proposed it', 'have another administrator do it');
    if (found.revoked || found.activated)
      throw ruleBroken(
        'an agreement that waits to be activated',
        found.revoked ? 'a revoked one' : 'one in force',
        'propose another one',
      );
    if (await belongsTo(tx, by, found.organisationId))
      throw ruleBroken(
        'a person of another organisation to let it in',
        'one of its own',
        'have an administrator do it',
      );
    await tx.execute('update agreement set activated_by = $2, activated_at = now() where agreement_id = $1', [
      agreementId,
      by.label,
    ]);
  });
}

/** Ends it at once, for good. */
export async function revokeAgreement(db: Db, agreementId: string, reason: string, by: Actor): Promise<void> {
  const why = checkText('the reason', reason, 1000);
  await db.transaction(async (tx) => {
    const found = await lockAgreement(tx, agreementId);
    if (found.revoked)
      throw ruleBroken('an agreement that was not revoked yet', 'a revoked one', 'nothing is to be done');
    await tx.execute(
      'update agreement set revoked_by = $2, revoked_at = now(), revoked_reason = $3 where agreement_id = $1',
      [agreementId, by.label, why],
    );
  });
}

async function lockAgreement(tx: Transaction, agreementId: string) {
  const found = isUuid(agreementId)
    ? await tx.read(
        row({
          organisationId: text,
          proposedBy: text,
          evaluatedBy: nullable(text),
          lastDay: text,
          activated: bool,
          revoked: bool,
        }),
        `select organisation_id, proposed_by, evaluated_by, to_char(last_day, 'YYYY-MM-DD') as last_day,
                activated_at is not null as activated, revoked_at is not null as revoked
           from agreement where agreement_id = $1 for update`,
        [agreementId],
      )
    : [];
  const [first] = found;
  if (first === undefined)
    throw accessNotFound('an agreement', agreementId.slice(0, 100), 'homeward agreement list shows them');
  return first;
}

async function belongsTo(db: Queryable, by: Actor, organisationId: string): Promise<boolean> {
  const found = await db.query(
    'select 1 from principal where organisation_id = $1 and (principal_id = $2::uuid or lower(btrim(label)) = lower(btrim($3)))',
    [organisationId, by.principalId, by.label],
  );
  return found.length > 0;
}

const LISTED = row({
  agreementId: text,
  organisationId: text,
  tier: oneOf(TIERS),
  purposes: json(Type.Array(PurposeCode)),
  modalities: json(Type.Array(Modality, { maxItems: MODALITIES.length })),
  highestTlp: oneOf(TLP_LEVELS),
  fields: json(Type.Array(AgreedField, { maxItems: AGREED_FIELDS.length })),
  purges: json(Type.Array(Purge, { maxItems: PURGES.length })),
  purgedAt: nullable(timestamp),
  dailyQuota: integer,
  perMinute: integer,
  firstDay: text,
  lastDay: text,
  state: oneOf(['proposed', 'evaluated', 'active', 'over', 'revoked']),
  proposedBy: text,
  criteria: nullable(text),
  evaluatedBy: nullable(text),
  reviewOn: nullable(text),
  activatedBy: nullable(text),
  revokedAt: nullable(timestamp),
  revokedReason: nullable(text),
});
export type ListedAgreement = RowOf<typeof LISTED>;

/** All agreements, or those of one organisation; the latest first. */
export async function listAgreements(db: Db, organisationId: string | null = null): Promise<ListedAgreement[]> {
  return await db.read(
    LISTED,
    `select agreement_id, organisation_id, tier, to_jsonb(modalities) as modalities, highest_tlp, to_jsonb(fields) as fields, to_jsonb(purges) as purges,
            (select finished_at from agreement_purge p where p.agreement_id = a.agreement_id) as purged_at, daily_quota,
            per_minute, to_char(first_day, 'YYYY-MM-DD') as first_day, to_char(last_day, 'YYYY-MM-DD') as last_day,
            (select coalesce(jsonb_agg(p.code order by p.code), '[]') from agreement_purpose p where p.agreement_id = a.agreement_id) as purposes,
            case when revoked_at is not null then 'revoked' when last_day < (now() at time zone 'UTC')::date then 'over'
                 when activated_at is not null then 'active' when evaluated_at is not null then 'evaluated' else 'proposed' end as state,
            proposed_by, criteria, evaluated_by, to_char(review_on, 'YYYY-MM-DD') as review_on, activated_by, revoked_at, revoked_reason
       from agreement a where $1::text is null or organisation_id = $1 order by proposed_at desc, agreement_id`,
    [organisationId],
  );
}
