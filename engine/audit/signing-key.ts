import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { mkdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { HomewardError } from '../../schemas/error.ts';
import { keyIdOf, publicKeyText } from './verify/signed-text.ts';
import { writeWhole } from './write-whole.ts';

/** Where the key lies unless the configuration names a file. */
export const AUDIT_KEY_FILE = 'audit-key.pem';

/** An Ed25519 key that signs checkpoints. Its private half is never printed, exported or stored in the database. */
export class SigningKey {
  readonly keyId: string;
  /** Base64 of the SubjectPublicKeyInfo. */
  readonly publicKey: string;
  readonly #key: KeyObject;

  constructor(key: KeyObject) {
    this.#key = key;
    this.publicKey = publicKeyText(createPublicKey(key));
    this.keyId = keyIdOf(this.publicKey);
  }

  static generate(): SigningKey {
    return new SigningKey(generateKeyPairSync('ed25519').privateKey);
  }

  /** Over the UTF-8 bytes, in hexadecimal. */
  sign(text: string): string {
    return sign(null, Buffer.from(text, 'utf8'), this.#key).toString('hex');
  }

  /** The public half, to be handed to whoever verifies. */
  publicPem(): string {
    return createPublicKey(this.#key).export({ type: 'spki', format: 'pem' }).toString();
  }

  /**
   * Writes the key where only its owner can read it, whole or not at all.
   * @throws HW_OUTPUT_UNWRITABLE
   */
  async store(file: string): Promise<void> {
    const pem = this.#key.export({ type: 'pkcs8', format: 'pem' });
    try {
      await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
      await writeWhole(file, pem, { ownerOnly: true });
    } catch (error) {
      throw new HomewardError(
        'HW_OUTPUT_UNWRITABLE',
        `expected to write the signing key of the audit, received ${systemCode(error)}; name another file with auditKeyFile`,
        { cause: error },
      );
    }
  }
}

/** Null where there is no file. @throws HW_AUDIT_KEY for a file that is no such key, or that others can read */
export async function loadSigningKey(file: string): Promise<SigningKey | null> {
  let pem: string;
  try {
    // Windows has no such bits; there the folder's permissions keep it.
    if (process.platform !== 'win32' && ((await stat(file)).mode & 0o077) !== 0) {
      throw new HomewardError(
        'HW_AUDIT_KEY',
        'expected a signing key that only its owner can read, received a file open to others; chmod 600 it, and change the key if anybody may have read it',
      );
    }
    pem = await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof HomewardError) throw error;
    if (systemCode(error) === 'ENOENT') return null;
    throw noKey(systemCode(error), error);
  }
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (error) {
    throw noKey('a file that holds none', error);
  }
  if (key.asymmetricKeyType !== 'ed25519') throw noKey('a key of another kind');
  return new SigningKey(key);
}

function noKey(received: string, cause?: unknown): HomewardError {
  return new HomewardError(
    'HW_AUDIT_KEY',
    `expected an Ed25519 private key in PEM as the signing key of the audit, received ${received}; restore it from its backup, or make a new one with homeward audit key change`,
    { cause },
  );
}

function systemCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'an error';
}
