import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';

/** Ed25519 over the UTF-8 bytes of a canonical text. Every such text names its format, so that none can stand for another. */

/** A public key as it is written down: base64 of its SubjectPublicKeyInfo. */
export type PublicKeyText = string;

/** SHA-256 in hexadecimal of the SubjectPublicKeyInfo. */
export function keyIdOf(publicKey: PublicKeyText): string {
  return createHash('sha256').update(Buffer.from(publicKey, 'base64')).digest('hex');
}

export function publicKeyText(key: KeyObject): PublicKeyText {
  return key.export({ type: 'spki', format: 'der' }).toString('base64');
}

/**
 * From a PEM file.
 * @throws TypeError where it holds no Ed25519 public key
 */
export function publicKeyOfPem(pem: string): PublicKeyText {
  // A private key would be turned into its public half without a word: it must not lie about.
  const key = /-----BEGIN PUBLIC KEY-----/.test(pem) ? keyOrNull(() => createPublicKey(pem)) : null;
  if (key?.asymmetricKeyType !== 'ed25519') throw new TypeError('expected an Ed25519 public key in PEM');
  return publicKeyText(key);
}

export function digestOf(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

export function isSignedBy(publicKey: PublicKeyText, text: string, signature: string): boolean {
  if (!/^[0-9a-f]{128}$/.test(signature)) return false;
  const key = keyOrNull(() => createPublicKey({ key: Buffer.from(publicKey, 'base64'), type: 'spki', format: 'der' }));
  if (key?.asymmetricKeyType !== 'ed25519') return false;
  return verify(null, Buffer.from(text, 'utf8'), key, Buffer.from(signature, 'hex'));
}

function keyOrNull(read: () => KeyObject): KeyObject | null {
  try {
    return read();
  } catch {
    // Bytes that are no key sign nothing.
    return null;
  }
}
