import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { AgreementTerms, Role } from '../../schemas/access.ts';
import { HomewardError } from '../../schemas/error.ts';
import type { Db } from '../store/db.ts';
import { activateAgreement, evaluateAgreement, type ProposedAgreement, proposeAgreement } from './agreements.ts';
import { makeApiKey } from './api-key.ts';
import { type GrantedKey, insertApiKey } from './credentials.ts';
import { addOrganisation } from './organisations.ts';
import { addPrincipal } from './principals.ts';
import { addPurpose } from './purposes.ts';

/** For tests: two administrators, and partners as they come to be. */

export const FIRST = { label: 'first administrator', principalId: null };
export const SECOND = { label: 'second administrator', principalId: null };
/** What the table lets through: a tenth of the usual cost. */
const LEAST_SCRYPT_COST = 1024;
export const PURPOSE = 'victim-identification';

export const isCode = (code: string) => (error: unknown) => error instanceof HomewardError && error.code === code;

export const TERMS: Omit<AgreementTerms, 'agreementId'> & Pick<ProposedAgreement, 'purges'> = {
  tier: 'accredited',
  purposes: [PURPOSE],
  modalities: ['digest', 'perceptual'],
  highestTlp: 'AMBER',
  fields: [],
  purges: [],
  dailyQuota: 1000,
  perMinute: 100,
};

/** Days from today in UTC as YYYY-MM-DD. */
export function day(offset: number): string {
  return new Date(Date.now() + offset * 24 * 60 * 60_000).toISOString().slice(0, 10);
}

export async function seedPurpose(db: Db): Promise<void> {
  await addPurpose(
    db,
    { code: PURPOSE, description: 'to find out who a victim is', reviewedBy: 'data protection', reviewedOn: day(-30) },
    FIRST,
  );
}

export async function seedAgreement(
  db: Db,
  organisationId: string,
  terms: Partial<typeof TERMS> & { readonly firstDay?: string; readonly lastDay?: string } = {},
): Promise<string> {
  const { firstDay = day(-1), lastDay = day(100), ...changed } = terms;
  const agreementId = await proposeAgreement(db, { ...TERMS, ...changed, organisationId, firstDay, lastDay }, FIRST);
  const evaluation = { criteria: 'partner criteria 2026-03', findings: 'all of them met', reviewOn: lastDay };
  await evaluateAgreement(db, agreementId, evaluation, FIRST);
  await activateAgreement(db, agreementId, SECOND);
  return agreementId;
}

export interface SeededKey extends GrantedKey {
  readonly principalId: string;
}

export async function seedKey(
  db: Db,
  organisationId: string,
  roles: readonly Role[] = ['lab'],
  validDays = 30,
): Promise<SeededKey> {
  const label = `caller ${randomBytes(6).toString('hex')}`;
  const principalId = await addPrincipal(db, { organisationId, kind: 'key', label, roles }, FIRST);
  const key = await makeApiKey(LEAST_SCRYPT_COST);
  const granted = await db.transaction(
    async (tx) => await insertApiKey(tx, key, { principalId, roles, validDays }, FIRST),
  );
  return { principalId, ...granted };
}

/** An organisation of a random id, with an agreement unless it is the one that runs the engine. */
export async function seedOrganisation(
  db: Db,
  terms: Parameters<typeof seedAgreement>[2] | 'home' | 'none' = {},
): Promise<{ readonly organisationId: string; readonly agreementId: string | null }> {
  const organisationId = `unit-${randomBytes(6).toString('hex')}`;
  const home = terms === 'home';
  await addOrganisation(db, { organisationId, name: organisationId, contactReference: null, home }, FIRST);
  const agreementId = typeof terms === 'string' ? null : await seedAgreement(db, organisationId, terms);
  return { organisationId, agreementId };
}

/** How long it took until `ask` was refused with this code, in ms; what it answers until then does not matter. */
export async function refusedAfterMs(ask: () => Promise<unknown>, code: string, mostMs: number): Promise<number> {
  const startedMs = performance.now();
  for (;;) {
    try {
      await ask();
    } catch (error) {
      assert.ok(isCode(code)(error), `expected ${code}, received ${String(error)}`);
      return performance.now() - startedMs;
    }
    assert.ok(performance.now() - startedMs < mostMs, `still answered after ${mostMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
