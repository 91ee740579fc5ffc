import { createHash } from 'node:crypto';
import type { Digests } from '../../schemas/fingerprint.ts';

/** MD5, SHA-1 and SHA-256 of a file whose bytes come in chunks of any size, in one pass. */
export class FileDigests {
  readonly #md5 = createHash('md5');
  readonly #sha1 = createHash('sha1');
  readonly #sha256 = createHash('sha256');

  update(chunk: Uint8Array): this {
    this.#md5.update(chunk);
    this.#sha1.update(chunk);
    this.#sha256.update(chunk);
    return this;
  }

  /** Lower-case hexadecimal. To be called once: node:crypto throws at a second call. */
  finish(): Digests {
    return { md5: this.#md5.digest('hex'), sha1: this.#sha1.digest('hex'), sha256: this.#sha256.digest('hex') };
  }
}

/** The three digests of bytes that are in memory already. */
export function digestsOf(bytes: Uint8Array): Digests {
  return new FileDigests().update(bytes).finish();
}
