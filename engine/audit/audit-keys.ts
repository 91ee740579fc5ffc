import { HomewardError } from '../../schemas/error.ts';
import type { Db, Queryable } from '../store/db.ts';
import { bytes, nullable, row, text, timestamp } from '../store/row-shape.ts';
import { loadSigningKey, SigningKey } from './signing-key.ts';
import { canonicalJson } from './verify/canonical-json.ts';
import type { SignedKey } from './verify/key-ring.ts';
import { canonicalValue, isKeyRecord, KEY_FORMAT, type KeyRecord } from './verify/records.ts';

/** A key that signs or signed checkpoints of this installation. */
export interface AuditKey extends SignedKey {
  readonly firstAt: string;
  /** Null while it is in use. */
  readonly lastAt: string | null;
}

const KEY = row({
  canonical: text,
  signature: bytes,
  endorsement: nullable(bytes),
  firstAt: timestamp,
  lastAt: nullable(timestamp),
});

/** All keys, the oldest first. */
export async function listAuditKeys(db: Queryable): Promise<AuditKey[]> {
  const found = await db.read(
    KEY,
    'select canonical, signature, endorsement, first_at, last_at from audit_key order by first_at, last_at nulls last',
  );
  return found.map(({ canonical, signature, endorsement, firstAt, lastAt }) => {
    const record = canonicalValue(canonical);
    if (!isKeyRecord(record)) {
      throw new HomewardError(
        'HW_AUDIT_BROKEN',
        'expected a record of a key of the audit, received something else; it was edited in the database: keep it as evidence and restore the backup',
      );
    }
    return {
      record,
      signature: signature.toString('hex'),
      endorsement: endorsement?.toString('hex') ?? null,
      firstAt,
      lastAt,
    };
  });
}

/**
 * The key to sign with.
 * @throws HW_AUDIT_KEY where there is none, or the file holds another one than is in use
 */
export async function signingKeyInUse(db: Queryable, file: string): Promise<SigningKey> {
  const key = await loadSigningKey(file);
  const inUse = (await listAuditKeys(db)).find(({ lastAt }) => lastAt === null);
  if (key === null || inUse === undefined) {
    throw new HomewardError(
      'HW_AUDIT_KEY',
      `expected a signing key for the audit, received ${inUse === undefined ? 'none' : 'a database that has one, whose file is not there'}; ${inUse === undefined ? 'make one with homeward audit key init' : 'restore the file, or homeward audit key change'}`,
    );
  }
  if (inUse.record.keyId !== key.keyId) {
    throw new HomewardError(
      'HW_AUDIT_KEY',
      `expected the signing key ${inUse.record.keyId.slice(0, 16)} that is in use, received ${key.keyId.slice(0, 16)} in the file; put the right file there, or homeward audit key change`,
    );
  }
  return key;
}

/**
 * Makes the first key.
 * @throws HW_AUDIT_KEY where there is one already
 */
export async function initAuditKey(db: Db, file: string, now: () => number = Date.now): Promise<SigningKey> {
  const [known] = await listAuditKeys(db);
  if (known !== undefined) {
    throw new HomewardError(
      'HW_AUDIT_KEY',
      'expected no signing key of the audit yet, received one; change it with homeward audit key change',
    );
  }
  if ((await loadSigningKey(file)) !== null) {
    throw new HomewardError(
      'HW_AUDIT_KEY',
      'expected no file where the signing key is to lie, received one that this database knows nothing of; move it away, or name another with auditKeyFile',
    );
  }
  return await putInUse(db, file, { previousKeyId: null, endorsedBy: null, now });
}

/**
 * Puts a new key in the place of the one in use, whose private half is gone then. The old one signs the new one, where its file is
 * there; otherwise whoever verifies has to be handed the new public key.
 */
export async function changeAuditKey(
  db: Db,
  file: string,
  now: () => number = Date.now,
): Promise<{ readonly key: SigningKey; readonly endorsed: boolean }> {
  const inUse = (await listAuditKeys(db)).find(({ lastAt }) => lastAt === null);
  if (inUse === undefined) {
    throw new HomewardError(
      'HW_AUDIT_KEY',
      'expected a signing key to change, received none; make one with homeward audit key init',
    );
  }
  // A file that is damaged, or that others can read, vouches for nobody.
  const held = await loadSigningKey(file).catch(() => null);
  const endorsedBy = held?.keyId === inUse.record.keyId ? held : null;
  const key = await putInUse(db, file, { previousKeyId: inUse.record.keyId, endorsedBy, now });
  return { key, endorsed: endorsedBy !== null };
}

async function putInUse(
  db: Db,
  file: string,
  from: { readonly previousKeyId: string | null; readonly endorsedBy: SigningKey | null; readonly now: () => number },
): Promise<SigningKey> {
  const key = SigningKey.generate();
  const firstAt = new Date(from.now()).toISOString();
  const { previousKeyId } = from;
  const record: KeyRecord = { format: KEY_FORMAT, keyId: key.keyId, publicKey: key.publicKey, firstAt, previousKeyId };
  const canonical = canonicalJson(record);
  const endorsement = from.endorsedBy === null ? null : Buffer.from(from.endorsedBy.sign(canonical), 'hex');
  await db.transaction(async (tx) => {
    await tx.execute('update audit_key set last_at = $1 where last_at is null', [firstAt]);
    await tx.execute(
      `insert into audit_key (key_id, canonical, signature, previous_key_id, endorsement, first_at) values ($1, $2, $3, $4, $5, $6)`,
      [key.keyId, canonical, Buffer.from(key.sign(canonical), 'hex'), previousKeyId, endorsement, firstAt],
    );
    // Before the commit: a key in the database that nobody holds could not be used, one that nobody has heard of is merely replaced.
    await key.store(file);
  });
  return key;
}
