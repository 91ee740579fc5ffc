import { createHmac } from 'node:crypto';

/**
 * Locality-sensitive hashing by bit sampling (Indyk and Motwani 1998): each of 32 tables looks at 16 of the 256 bits. Two hashes that
 * differ in d bits fall together in one table with (1 - d/256)^16, so in three or more of 32 with 1.000 at 8 bits, 0.998 at 16, 0.97 at
 * 24 and 0.79 at 31; two strangers do so once in 5 * 10^10 pairs. One table alone would link strangers in large collections.
 */
export const PROBE_TABLES = 32;
/** In so many tables with the same earlier probe: near it. */
export const TABLES_TOGETHER = 3;
const SAMPLED_BITS = 16;
const HASH_BITS = 256;

/** Where one hash falls, and what tells it from another one that falls there. */
export interface ProbePlaces {
  /** A signed 32-bit number for each table. */
  readonly buckets: readonly number[];
  readonly tag: number;
}

/** Which bits each table looks at, drawn under the key: who does not know it cannot walk around them. */
export function sampledBits(key: Uint8Array): readonly (readonly number[])[] {
  return Array.from({ length: PROBE_TABLES }, (_none, table) => {
    const stream = Buffer.concat(
      [0, 1, 2, 3, 4, 5, 6, 7].map((block) => createHmac('sha256', key).update(`bits ${table} ${block}`).digest()),
    );
    // A byte is one of the 256 bits; of 256 bytes some 160 are different ones.
    return [...new Set(stream)].slice(0, SAMPLED_BITS);
  });
}

/** @param hash 32 bytes */
export function placesOf(key: Uint8Array, sampled: readonly (readonly number[])[], hash: Uint8Array): ProbePlaces {
  if (hash.length * 8 !== HASH_BITS) throw new RangeError(`expected a hash of ${HASH_BITS} bits`);
  return {
    buckets: sampled.map((bits, table) => {
      let value = 0;
      for (const bit of bits) value = (value << 1) | (((hash[bit >> 3] ?? 0) >> (bit & 7)) & 1);
      return createHmac('sha256', key).update(`bucket ${table} ${value}`).digest().readInt32BE(0);
    }),
    tag: createHmac('sha256', key).update('tag').update(hash).digest().readInt32BE(0),
  };
}
