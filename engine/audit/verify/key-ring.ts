import { canonicalJson } from './canonical-json.ts';
import type { KeyRecord } from './records.ts';
import { isSignedBy, keyIdOf } from './signed-text.ts';

/** A key record with its signature by itself, and by the key before it where that one was there to sign. */
export interface SignedKey {
  readonly record: KeyRecord;
  readonly signature: string;
  readonly endorsement: string | null;
}

/** Keys by id, and which of them are trusted: those that were given, and each one that a trusted one endorsed. */
export class KeyRing {
  readonly #keys = new Map<string, string>();
  readonly #trusted: Set<string> | null;
  #lastFirstAt = '';

  /** `trusted`: public keys from a source other than what is checked; null where nobody has one, and every key of the file is taken. */
  constructor(trusted: readonly string[] | null) {
    this.#trusted = trusted === null ? null : new Set(trusted.map(keyIdOf));
    for (const key of trusted ?? []) this.#keys.set(keyIdOf(key), key);
  }

  /** False where the record contradicts itself, is not signed by its own key, or does not come after those before it. */
  add({ record, signature, endorsement }: SignedKey): boolean {
    const signed = canonicalJson(record);
    if (keyIdOf(record.publicKey) !== record.keyId || record.firstAt < this.#lastFirstAt) return false;
    if (!isSignedBy(record.publicKey, signed, signature)) return false;
    if (endorsement !== null) {
      const previous = record.previousKeyId === null ? undefined : this.#keys.get(record.previousKeyId);
      if (previous === undefined || !isSignedBy(previous, signed, endorsement)) return false;
      if (this.#trusted?.has(record.previousKeyId ?? '')) this.#trusted.add(record.keyId);
    }
    this.#keys.set(record.keyId, record.publicKey);
    this.#lastFirstAt = record.firstAt;
    return true;
  }

  /** Whether a text is signed by a known key, and whether that one is trusted. */
  check(keyId: string, text: string, signature: string): 'good' | 'untrusted' | 'bad' {
    const key = this.#keys.get(keyId);
    if (key === undefined || !isSignedBy(key, text, signature)) return 'bad';
    return this.#trusted === null || this.#trusted.has(keyId) ? 'good' : 'untrusted';
  }

  get ids(): readonly string[] {
    return [...this.#keys.keys()];
  }
}
