import { type Cipheriv, createCipheriv, randomBytes } from 'node:crypto';

/**
 * The form of a file in the scratch folder: 16 random bytes, then the content under AES-256 in counter mode, which starts at them. The key is
 * in the memory of the supervisor and of its hosts alone and ends with them: what a crash leaves behind, nobody can read. It keeps a secret
 * and proves nothing; who can write there runs as the hosts do.
 */
export const SCRATCH_HEAD_BYTES = 16;
export const SCRATCH_KEY_BYTES = 32;
const BLOCK_BYTES = 16;

export const newScratchHead = (): Buffer => randomBytes(SCRATCH_HEAD_BYTES);

/** Turns content into what lies in the file, and back, from a place of the content on. */
export function scratchCipher(key: Uint8Array, head: Uint8Array, fromByte = 0): Cipheriv {
  const start = BigInt(`0x${Buffer.from(head).toString('hex')}`) + BigInt(Math.floor(fromByte / BLOCK_BYTES));
  const counter = Buffer.from((start & ((1n << 128n) - 1n)).toString(16).padStart(2 * BLOCK_BYTES, '0'), 'hex');
  const cipher = createCipheriv('aes-256-ctr', key, counter);
  cipher.update(Buffer.alloc(fromByte % BLOCK_BYTES));
  return cipher;
}
