import { HomewardError } from '../../schemas/error.ts';
import type { Db } from '../store/db.ts';
import { row, text } from '../store/row-shape.ts';
import { makeApiKey } from './api-key.ts';
import { type GrantedKey, insertApiKey } from './credentials.ts';
import { insertOrganisation, type TakenOver } from './organisations.ts';
import { insertPrincipal } from './principals.ts';

export interface FirstAdministrator {
  readonly organisationId: string;
  /** Of the organisation that runs the engine, as its batches name it. */
  readonly name: string;
  readonly label: string;
  readonly validDays: number;
}

/** Any fixed number: two who do this at once wait for each other on it. */
const ADVISORY_LOCK = 4_857_004;
/** Nobody is there yet who could grant it; whoever has the machine and its database may do this once. */
const INIT = { label: 'homeward admin init', principalId: null };

/**
 * Makes the organisation that runs the engine and its first administrator, with a key.
 * @throws HW_ACCESS_EXISTS where there is one; further ones are granted by it, never made like this
 */
export async function initAdministrator(db: Db, first: FirstAdministrator): Promise<GrantedKey & TakenOver> {
  const key = await makeApiKey();
  return await db.transaction(async (tx) => {
    await tx.execute('select pg_advisory_xact_lock($1)', [ADVISORY_LOCK]);
    const [home] = await tx.read(row({ name: text }), 'select name from organisation where home');
    if (home !== undefined)
      throw new HomewardError(
        'HW_ACCESS_EXISTS',
        `expected an installation without an administrator, received one of ${JSON.stringify(home.name)}; have its administrator grant more`,
      );
    const { organisationId, name, label, validDays } = first;
    const taken = await insertOrganisation(tx, { organisationId, name, contactReference: null, home: true }, INIT);
    const roles = ['administrator'] as const;
    const principalId = await insertPrincipal(tx, { organisationId, kind: 'administrator', label, roles }, INIT);
    return { ...(await insertApiKey(tx, key, { principalId, roles, validDays }, INIT)), ...taken };
  });
}
