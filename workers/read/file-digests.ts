import { createHash } from 'node:crypto';
import type { Digests } from '../../schemas/fingerprint.ts';

/** MD5 (RFC 1321), SHA-1 and SHA-256 (FIPS 180-4) of a file in one pass, from chunks of any size. */
export class FileDigests {
  readonly #md5 = createHash('md5');
  readonly #sha1 = createHash('sha1');
  readonly #sha256 = createHash('sha256');

  update(chunk: Uint8Array): void {
    this.#md5.update(chunk);
    this.#sha1.update(chunk);
    this.#sha256.update(chunk);
  }

  finish(): Digests {
    return { md5: this.#md5.digest('hex'), sha1: this.#sha1.digest('hex'), sha256: this.#sha256.digest('hex') };
  }
}
