/** Which digest a record is found by: its strongest. Each kind is a name space of its own. */
export const DIGEST_KINDS = ['md5', 'sha1', 'sha256'] as const;
export type DigestKind = (typeof DIGEST_KINDS)[number];

/** Number of bytes of each kind. */
export const DIGEST_BYTES: Readonly<Record<DigestKind, number>> = { md5: 16, sha1: 20, sha256: 32 };

/**
 * Keys of 64 bits, as two words one after the other, low word first: what a filter holds of a digest. The high word is the first four
 * bytes of the digest as they are, so that a shard is a range of digests; the low word is the next four, turned by the kind, so that an
 * MD5 is never taken for a SHA-1 that begins alike.
 */
export class DigestKeys {
  words: Uint32Array<SharedArrayBuffer>;
  count = 0;

  constructor(capacity: number) {
    this.words = sharedWords(capacity);
  }

  add(low: number, high: number): void {
    if (this.count * 2 === this.words.length) this.#grow();
    this.words[this.count * 2] = low;
    this.words[this.count * 2 + 1] = high;
    this.count += 1;
  }

  #grow(): void {
    const more = sharedWords(Math.max(16, this.count * 2));
    more.set(this.words);
    this.words = more;
  }
}

const sharedWords = (keys: number): Uint32Array<SharedArrayBuffer> => new Uint32Array(new SharedArrayBuffer(keys * 8));

/** Odd and far from each other, so that no two kinds share keys by a simple change of digits. */
const KIND_SALT: Readonly<Record<DigestKind, number>> = { md5: 0x9e3779b9, sha1: 0x85ebca6b, sha256: 0xc2b2ae35 };

export const lowOfKey = (kind: DigestKind, secondWord: number): number => (secondWord ^ KIND_SALT[kind]) >>> 0;

/** High word of a digest's key, out of its hexadecimal digits. */
export const highOfHex = (hex: string): number => Number.parseInt(hex.slice(0, 8), 16);
/** Low word of a digest's key, out of its hexadecimal digits. */
export const lowOfHex = (kind: DigestKind, hex: string): number =>
  lowOfKey(kind, Number.parseInt(hex.slice(8, 16), 16));

/** The kind of a digest by its length; undefined for what is none. */
export function kindOfLength(byteCount: number): DigestKind | undefined {
  return DIGEST_KINDS.find((kind) => DIGEST_BYTES[kind] === byteCount);
}
