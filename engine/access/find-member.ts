import { Type } from 'typebox';
import { AgreementTerms, type Member, PRINCIPAL_KINDS, ROLES, Role } from '../../schemas/access.ts';
import { Closed, type Static } from '../../schemas/closed.ts';
import type { Queryable, SqlParam } from '../store/db.ts';
import { bool, bytes, integer, json, nullable, oneOf, row, text, timestamp } from '../store/row-shape.ts';
import type { SecretHash } from './api-key.ts';

/** What a caller shows of himself. */
export type Credential =
  | { readonly kind: 'key'; readonly keyId: string }
  | { readonly kind: 'certificate'; readonly sha256: Buffer }
  | { readonly kind: 'subject'; readonly issuer: string; readonly subject: string };

/** A member as the database had it at one revision of access, and how long that holds by the clock alone. */
export interface FoundMember {
  readonly member: Member;
  /** Of the organisation that runs the engine; any other one needs an agreement. */
  readonly home: boolean;
  /** access_revision in the snapshot that this was read in. */
  readonly revision: number;
  /** Unix time in ms from which it has to be looked for again. */
  readonly validUntilMs: number;
  /** Null where the credential is proved by what carried it (TLS, an identity token). */
  readonly secret: SecretHash | null;
}

/** An agreement that is or will be in force, its days in UTC as YYYY-MM-DD. */
const DatedTerms = Closed({
  ...AgreementTerms.properties,
  firstDay: Type.String({ maxLength: 10 }),
  lastDay: Type.String({ maxLength: 10 }),
});
type DatedTerms = Static<typeof DatedTerms>;

const Roles = Type.Array(Role, { maxItems: ROLES.length });

const FOUND = row({
  principalId: text,
  kind: oneOf(PRINCIPAL_KINDS),
  label: text,
  organisationId: text,
  home: bool,
  roles: json(Roles),
  scope: nullable(json(Roles)),
  standingPurpose: nullable(text),
  standingJustification: nullable(text),
  expiresAt: nullable(timestamp),
  salt: nullable(bytes),
  hash: nullable(bytes),
  scryptCost: nullable(integer),
  revision: integer,
  agreements: json(Type.Array(DatedTerms)),
});

/** One row of each: who it is, what of his roles it may use, until when, and what proves it. */
const CREDENTIALS: Readonly<Record<Credential['kind'], string>> = {
  key: `select principal_id, to_jsonb(roles) as scope, standing_purpose, standing_justification, expires_at, salt, hash, scrypt_cost from api_key
         where key_id = $2 and revoked_at is null`,
  certificate: `select principal_id, null::jsonb as scope, null::text as standing_purpose, null::text as standing_justification, expires_at, null::bytea as salt, null::bytea as hash, null::integer as scrypt_cost
                  from certificate where sha256 = $2 and revoked_at is null`,
  subject: `select principal_id, null::jsonb as scope, null::text as standing_purpose, null::text as standing_justification, null::timestamptz as expires_at, null::bytea as salt, null::bytea as hash,
                   null::integer as scrypt_cost
              from subject_login where issuer = $2 and subject = $3 and revoked_at is null`,
};

/** Activated and not revoked, the one activated last first; those that are over are left out. */
const AGREEMENTS = `
select coalesce(jsonb_agg(jsonb_build_object(
         'agreementId', a.agreement_id, 'tier', a.tier, 'modalities', to_jsonb(a.modalities), 'highestTlp', a.highest_tlp,
         'fields', to_jsonb(a.fields), 'dailyQuota', a.daily_quota, 'perMinute', a.per_minute,
         'firstDay', to_char(a.first_day, 'YYYY-MM-DD'), 'lastDay', to_char(a.last_day, 'YYYY-MM-DD'),
         'purposes', (select coalesce(jsonb_agg(p.code order by p.code), '[]') from agreement_purpose p where p.agreement_id = a.agreement_id)
       ) order by a.activated_at desc), '[]')
  from agreement a
 where a.organisation_id = o.organisation_id and a.activated_at is not null and a.revoked_at is null and a.last_day >= $1::date`;

/**
 * Looks up whom a credential is of, in one statement and so in one snapshot with the revision of access.
 * Null: unknown, revoked, expired, or of a principal that has ended.
 */
export async function findMember(db: Queryable, credential: Credential, nowMs: number): Promise<FoundMember | null> {
  const today = dayOf(nowMs);
  const [found] = await db.read(
    FOUND,
    `select p.principal_id, p.kind, p.label, p.organisation_id, o.home, to_jsonb(p.roles) as roles, c.scope, c.standing_purpose, c.standing_justification, c.expires_at, c.salt, c.hash,
            c.scrypt_cost, (select revision from access_revision) as revision, (${AGREEMENTS}) as agreements
       from (${CREDENTIALS[credential.kind]}) c
       join principal p on p.principal_id = c.principal_id and p.ended_at is null
       join organisation o on o.organisation_id = p.organisation_id`,
    [today, ...identifiers(credential)],
  );
  if (found === undefined) return null;
  const expiresMs = found.expiresAt === null ? Number.POSITIVE_INFINITY : Date.parse(found.expiresAt);
  if (nowMs >= expiresMs) return null;
  const inForce = found.home ? undefined : found.agreements.find((one) => one.firstDay <= today);
  const { principalId, kind, label, organisationId, scope, salt, hash, scryptCost } = found;
  const { standingPurpose: purpose, standingJustification: justification } = found;
  return {
    member: {
      principalId,
      kind,
      label,
      organisationId,
      roles: found.roles.filter((one) => scope === null || scope.includes(one)),
      agreement: inForce === undefined ? null : termsOf(inForce),
      standingReason: purpose === null || justification === null ? null : { purpose, justification },
    },
    home: found.home,
    revision: found.revision,
    validUntilMs: Math.min(expiresMs, ...found.agreements.map((one) => nextChangeMs(one, today))),
    secret: salt === null || hash === null || scryptCost === null ? null : { salt, hash, scryptCost },
  };
}

function identifiers(credential: Credential): SqlParam[] {
  if (credential.kind === 'key') return [credential.keyId];
  return credential.kind === 'certificate' ? [credential.sha256] : [credential.issuer, credential.subject];
}

/** When an agreement begins, or, where it has, when its last day is over. */
function nextChangeMs({ firstDay, lastDay }: DatedTerms, today: string): number {
  return firstDay > today ? Date.parse(`${firstDay}T00:00:00Z`) : Date.parse(`${lastDay}T00:00:00Z`) + 24 * 60 * 60_000;
}

function termsOf({ firstDay: _first, lastDay: _last, ...terms }: DatedTerms): AgreementTerms {
  return terms;
}

/** The day in UTC, in which the days of agreements are counted. */
export function dayOf(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 10);
}
