import { createHash, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

/** hw_<keyId>_<secret>: 8 bytes that name the key and 32 that prove it, in hexadecimal. */
const KEY_PATTERN = /^hw_([0-9a-f]{16})_([0-9a-f]{64})$/;
/**
 * N of scrypt (RFC 7914) with r 8 and p 1: 16 MB and some 110 ms of a core for a trial. It is Node's default and less than OWASP asks for passwords:
 * what is hashed are 256 random bits, which nobody guesses at any cost, and whoever knows a key's id could keep the cores busy with wrong secrets.
 */
const SCRYPT_COST = 2 ** 14;
const BLOCK_SIZE = 8;
const HASH_BYTES = 32;

export interface SecretHash {
  readonly salt: Buffer;
  readonly hash: Buffer;
  /** N of scrypt. */
  readonly scryptCost: number;
}

export interface NewApiKey extends SecretHash {
  readonly keyId: string;
  /** Shown once: nothing that is stored leads back to it. */
  readonly presented: string;
}

export async function makeApiKey(scryptCost: number = SCRYPT_COST): Promise<NewApiKey> {
  const keyId = randomBytes(8).toString('hex');
  const secret = randomBytes(32).toString('hex');
  const salt = randomBytes(16);
  const hash = await hashSecret(secret, salt, scryptCost);
  return { keyId, presented: `hw_${keyId}_${secret}`, salt, hash, scryptCost };
}

/** The two parts of what was presented, or null where it is no key at all. */
export function parseApiKey(presented: string): { readonly keyId: string; readonly secret: string } | null {
  const [, keyId, secret] = KEY_PATTERN.exec(presented) ?? [];
  return keyId === undefined || secret === undefined ? null : { keyId, secret };
}

export async function provesSecret(secret: string, stored: SecretHash): Promise<boolean> {
  return timingSafeEqual(await hashSecret(secret, stored.salt, stored.scryptCost), stored.hash);
}

/** What a presented key is remembered by. */
export function digestOfKey(presented: string): string {
  return createHash('sha256').update(presented).digest('base64');
}

async function hashSecret(secret: string, salt: Buffer, cost: number): Promise<Buffer> {
  // It needs 128 * N * r bytes; the default limit is just that and leaves nothing for the rest.
  const options = { N: cost, r: BLOCK_SIZE, p: 1, maxmem: 256 * cost * BLOCK_SIZE };
  return await new Promise((resolve, reject) => {
    scrypt(secret, salt, HASH_BYTES, options, (error, key) => (error === null ? resolve(key) : reject(error)));
  });
}
