import { Type } from 'typebox';
import { ROLES, Role, type StandingReason } from '../../schemas/access.ts';
import { HomewardError } from '../../schemas/error.ts';
import type { Db, Queryable, Transaction } from '../store/db.ts';
import { json, nullable, type RowOf, row, text, timestamp } from '../store/row-shape.ts';
import { type Actor, accessExists, accessNotFound, checkText, ruleBroken } from './access-error.ts';
import { makeApiKey, type NewApiKey } from './api-key.ts';
import { refuseOwnGrant } from './principals.ts';
import { requirePurposes } from './purposes.ts';

const MOST_VALID_DAYS = 400;
const LEAST_JUSTIFICATION = 10;
const MOST_JUSTIFICATION = 2000;

export interface KeyGrant {
  readonly principalId: string;
  /** What of the principal's roles the key may use. */
  readonly roles: readonly Role[];
  /** Days from now until it expires; at most 400. */
  readonly validDays: number;
  /** For a lab tool that cannot state one with each request. */
  readonly standingReason?: StandingReason | null;
}

export interface GrantedKey {
  readonly keyId: string;
  /** hw_<keyId>_<secret>, to be shown once and never again: only its scrypt hash is stored. */
  readonly presented: string;
  /** ISO 8601 */
  readonly expiresAt: string;
}

/** Makes an API key. @throws HW_ACCESS_RULE for roles that the principal has not, or a grant to oneself; HW_ACCESS_NOT_FOUND */
export async function addApiKey(db: Db, grant: KeyGrant, by: Actor): Promise<GrantedKey> {
  // Hashed before: it takes a tenth of a second, and a transaction would hold the revision of access meanwhile.
  const key = await makeApiKey();
  return await db.transaction(async (tx) => {
    await refuseOwnGrant(tx, grant.principalId, by);
    return await insertApiKey(tx, key, grant, by);
  });
}

export async function insertApiKey(tx: Transaction, key: NewApiKey, grant: KeyGrant, by: Actor): Promise<GrantedKey> {
  const expiresAt = expiryAfter(grant.validDays);
  const [principal] = await tx.read(
    row({ roles: json(Type.Array(Role)) }),
    'select to_jsonb(roles) as roles from principal where principal_id = $1 and ended_at is null',
    [grant.principalId],
  );
  if (principal === undefined)
    throw accessNotFound('a principal', grant.principalId, 'homeward key list shows who has keys');
  const roles = ROLES.filter((one) => grant.roles.includes(one));
  const beyond = roles.find((one) => !principal.roles.includes(one));
  if (roles.length === 0 || beyond !== undefined)
    throw ruleBroken(
      `a scope within ${principal.roles.join(', ')}`,
      beyond ?? 'no role',
      'a key may do no more than whose it is',
    );
  const { standingReason = null } = grant;
  if (standingReason !== null) await requirePurposes(tx, [standingReason.purpose]);
  await tx.execute(
    `insert into api_key (key_id, principal_id, salt, hash, scrypt_cost, roles, created_by, expires_at, standing_purpose, standing_justification)
     values ($1, $2, $3, $4, $5, $6::text[], $7, $8, $9, $10)`,
    [
      key.keyId,
      grant.principalId,
      key.salt,
      key.hash,
      key.scryptCost,
      roles,
      by.label,
      expiresAt,
      standingReason?.purpose ?? null,
      standingReason === null ? null : checkJustification(standingReason.justification),
    ],
  );
  return { keyId: key.keyId, presented: key.presented, expiresAt };
}

/** It stops answering within a second. @throws HW_ACCESS_NOT_FOUND for one that is not there or was revoked already */
export async function revokeApiKey(db: Db, keyId: string, by: Actor): Promise<void> {
  const revoked = await db.execute(
    'update api_key set revoked_at = now(), revoked_by = $2 where key_id = $1 and revoked_at is null',
    [keyId, by.label],
  );
  if (revoked === 0) throw accessNotFound('a key in force', keyId.slice(0, 100), 'homeward key list shows them');
}

/** Lets a client certificate in, by the SHA-256 of its DER form. */
export async function addCertificate(
  db: Db,
  grant: { readonly principalId: string; readonly sha256: Buffer; readonly expiresAt: string },
  by: Actor,
): Promise<void> {
  await refuseOwnGrant(db, grant.principalId, by);
  const added = await db.execute(
    'insert into certificate (sha256, principal_id, added_by, expires_at) values ($1, $2, $3, $4) on conflict do nothing',
    [grant.sha256, grant.principalId, by.label, grant.expiresAt],
  );
  if (added === 0) throw accessExists('a certificate', grant.sha256.toString('hex'));
}

/** It stops answering within a second. @throws HW_ACCESS_NOT_FOUND for one that is not there or was revoked already */
export async function revokeCertificate(db: Db, sha256: Buffer, by: Actor): Promise<void> {
  const revoked = await db.execute(
    'update certificate set revoked_at = now(), revoked_by = $2 where sha256 = $1 and revoked_at is null',
    [sha256, by.label],
  );
  if (revoked === 0)
    throw accessNotFound('a certificate in force', sha256.toString('hex'), 'homeward certificate list shows them');
}

const CERTIFICATE = row({
  sha256: text,
  organisationId: text,
  label: text,
  addedBy: text,
  expiresAt: timestamp,
  revokedAt: nullable(timestamp),
});
export type ListedCertificate = RowOf<typeof CERTIFICATE>;

/** Client certificates with whose they are. */
export async function listCertificates(db: Queryable): Promise<ListedCertificate[]> {
  return await db.read(
    CERTIFICATE,
    `select encode(c.sha256, 'hex') as sha256, p.organisation_id, p.label, c.added_by, c.expires_at,
            least(c.revoked_at, p.ended_at) as revoked_at
       from certificate c join principal p using (principal_id) order by p.organisation_id, p.label, c.expires_at`,
  );
}

/** Lets a person in as an OpenID Connect issuer names him. */
export async function addSubject(
  db: Db,
  grant: { readonly principalId: string; readonly issuer: string; readonly subject: string },
  by: Actor,
): Promise<void> {
  await refuseOwnGrant(db, grant.principalId, by);
  const added = await db.execute(
    'insert into subject_login (issuer, subject, principal_id, added_by) values ($1, $2, $3, $4) on conflict do nothing',
    [grant.issuer, grant.subject, grant.principalId, by.label],
  );
  if (added === 0) throw accessExists('a login', grant.subject);
}

/** It stops answering within a second. @throws HW_ACCESS_NOT_FOUND for one that is not there or was revoked already */
export async function revokeSubject(
  db: Db,
  { issuer, subject }: { readonly issuer: string; readonly subject: string },
  by: Actor,
): Promise<void> {
  const revoked = await db.execute(
    'update subject_login set revoked_at = now(), revoked_by = $3 where issuer = $1 and subject = $2 and revoked_at is null',
    [issuer, subject, by.label],
  );
  if (revoked === 0) throw accessNotFound('a login in force', subject.slice(0, 100), 'homeward login list shows them');
}

const LOGIN = row({
  issuer: text,
  subject: text,
  organisationId: text,
  label: text,
  addedBy: text,
  revokedAt: nullable(timestamp),
});
export type ListedLogin = RowOf<typeof LOGIN>;

/** Logins of people with whose they are. */
export async function listSubjects(db: Queryable): Promise<ListedLogin[]> {
  return await db.read(
    LOGIN,
    `select l.issuer, l.subject, p.organisation_id, p.label, l.added_by, least(l.revoked_at, p.ended_at) as revoked_at
       from subject_login l join principal p using (principal_id) order by p.organisation_id, p.label, l.issuer, l.subject`,
  );
}

const LISTED = row({
  keyId: text,
  organisationId: text,
  label: text,
  roles: json(Type.Array(Role)),
  standingPurpose: nullable(text),
  createdBy: text,
  createdAt: timestamp,
  expiresAt: timestamp,
  revokedAt: nullable(timestamp),
});
export type ListedKey = RowOf<typeof LISTED>;

/** Keys with whose they are; nothing in it leads to a secret. */
export async function listApiKeys(db: Queryable): Promise<ListedKey[]> {
  return await db.read(
    LISTED,
    `select k.key_id, p.organisation_id, p.label, to_jsonb(k.roles) as roles, k.standing_purpose, k.created_by, k.created_at, k.expires_at,
            least(k.revoked_at, p.ended_at) as revoked_at
       from api_key k join principal p using (principal_id) order by p.organisation_id, p.label, k.created_at`,
  );
}

function checkJustification(text: string): string {
  const trimmed = checkText('the standing justification', text, MOST_JUSTIFICATION);
  if (trimmed.length >= LEAST_JUSTIFICATION) return trimmed;
  throw new HomewardError(
    'HW_USAGE',
    `expected at least ${LEAST_JUSTIFICATION} characters for the standing justification, received ${trimmed.length}; say what the tool hands in, and for whom`,
  );
}

function expiryAfter(validDays: number): string {
  if (!Number.isInteger(validDays) || validDays < 1 || validDays > MOST_VALID_DAYS)
    throw new HomewardError(
      'HW_USAGE',
      `expected 1 to ${MOST_VALID_DAYS} days for a key to be valid, received ${validDays}; make a new one when it ends`,
    );
  return new Date(Date.now() + validDays * 24 * 60 * 60_000).toISOString();
}
