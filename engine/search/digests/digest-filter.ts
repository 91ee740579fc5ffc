import type { DigestKeys } from './digest-key.ts';
import { type FuseFilter, mayHold } from './fuse-filter.ts';

/**
 * Keys of one shard: small enough that building it works within a processor's cache and needs some ten megabytes, large enough that the
 * array is no more than 1.16 bytes a key.
 */
const KEYS_PER_SHARD = 2 ** 19;
const MOST_SHARD_BITS = 12;

/** How many leading bits of a digest say its shard, for so many digests: at most KEYS_PER_SHARD a shard, and down to half of it. */
export function shardBitsFor(keys: number): number {
  const shards = Math.max(1, keys / KEYS_PER_SHARD);
  return Math.min(MOST_SHARD_BITS, Math.ceil(Math.log2(shards)));
}

/** Says of a digest that it is not among the known ones, or that it may be; shards hold ranges of digests, in their order. */
export class DigestFilter {
  readonly #shift: number;
  readonly #shards: readonly FuseFilter[];

  constructor(shards: readonly FuseFilter[]) {
    const bits = Math.log2(shards.length);
    if (!Number.isInteger(bits))
      throw new RangeError(`expected a power of two as number of shards, received ${shards.length}`);
    this.#shards = shards;
    this.#shift = 32 - bits;
  }

  /** False is certain; true is wrong for one key in 256 that is not in it. */
  mayHold(low: number, high: number): boolean {
    // A shift by 32 would be one by 0.
    const shard = this.#shards[this.#shift === 32 ? 0 : high >>> this.#shift];
    return shard !== undefined && mayHold(shard, low, high);
  }

  /** Distinct keys. */
  get keys(): number {
    return this.#shards.reduce((sum, shard) => sum + shard.keys, 0);
  }

  /** Memory of the arrays. */
  get sizeBytes(): number {
    return this.#shards.reduce((sum, shard) => sum + shard.fingerprints.length, 0);
  }
}

/**
 * Keys that came after the filter was built, exactly: open addressing with linear probing, at most half full. A key of two zero words,
 * which marks an empty place, is kept beside it.
 */
export class DigestDelta {
  #words = new Uint32Array(2 * 1024);
  #count = 0;
  #zeroHeld = false;

  get count(): number {
    return this.#count;
  }

  get sizeBytes(): number {
    return this.#words.byteLength;
  }

  add(low: number, high: number): void {
    if (low === 0 && high === 0) {
      this.#zeroHeld = true;
      return;
    }
    if (this.#count * 4 >= this.#words.length) this.#grow();
    const at = placeOf(this.#words, low, high);
    if (this.#words[at] !== 0 || this.#words[at + 1] !== 0) return;
    this.#words[at] = low;
    this.#words[at + 1] = high;
    this.#count += 1;
  }

  addAll(keys: DigestKeys): void {
    for (let at = 0; at < keys.count; at += 1) this.add(keys.words[at * 2] ?? 0, keys.words[at * 2 + 1] ?? 0);
  }

  holds(low: number, high: number): boolean {
    if (low === 0 && high === 0) return this.#zeroHeld;
    const at = placeOf(this.#words, low, high);
    return this.#words[at] !== 0 || this.#words[at + 1] !== 0;
  }

  #grow(): void {
    const before = this.#words;
    this.#words = new Uint32Array(before.length * 2);
    this.#count = 0;
    for (let at = 0; at < before.length; at += 2) {
      const low = before[at] ?? 0;
      const high = before[at + 1] ?? 0;
      if (low !== 0 || high !== 0) this.add(low, high);
    }
  }
}

/** Where a key is, or the empty place where it would be. */
function placeOf(words: Uint32Array, low: number, high: number): number {
  const mask = words.length - 1;
  let at = (Math.imul(low ^ Math.imul(high, 0x9e3779b1), 0x85ebca6b) >>> 3) & mask & ~1;
  while ((words[at] !== low || words[at + 1] !== high) && (words[at] !== 0 || words[at + 1] !== 0))
    at = (at + 2) & mask;
  return at;
}
