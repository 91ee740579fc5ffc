/** 32-bit words of a hash of 256 bits. */
const WORDS = 8;
const BANDS = 16;
const BAND_BITS = 16;
const BUCKETS = 1 << BAND_BITS;
/**
 * With 31 bits spread over 16 bands at least one band has at most one of them (pigeonhole), so looking up each band as it is and
 * with each of its 16 bits turned finds every pair: multi-index hashing (Norouzi, Punjani and Fleet 2012).
 */
const MOST_RADIUS_BITS = 2 * BANDS - 1;

/** Hashes of 256 bits one behind the other, made for looking up what lies near. */
export class BitTable {
  readonly #words: Uint32Array;
  readonly #count: number;
  /** Of each band, where each bucket begins in its members, one more than there are buckets. */
  readonly #starts: Uint32Array[] = [];
  readonly #members: Uint32Array[] = [];
  readonly #seen: Int32Array;
  #stamp = 0;

  /** @param bits 32 bytes a hash */
  constructor(bits: Uint8Array) {
    this.#words = wordsOf(bits);
    this.#count = this.#words.length / WORDS;
    this.#seen = new Int32Array(this.#count);
    for (let band = 0; band < BANDS; band += 1) this.#addBand(band);
  }

  #addBand(band: number): void {
    const starts = new Uint32Array(BUCKETS + 1);
    for (let at = 0; at < this.#count; at += 1) {
      const bucket = bandOf(this.#words, at, band) + 1;
      starts[bucket] = (starts[bucket] ?? 0) + 1;
    }
    for (let bucket = 1; bucket <= BUCKETS; bucket += 1) {
      starts[bucket] = (starts[bucket] ?? 0) + (starts[bucket - 1] ?? 0);
    }
    const next = starts.slice();
    const members = new Uint32Array(this.#count);
    for (let at = 0; at < this.#count; at += 1) {
      const bucket = bandOf(this.#words, at, band);
      const place = next[bucket] ?? 0;
      members[place] = at;
      next[bucket] = place + 1;
    }
    this.#starts.push(starts);
    this.#members.push(members);
  }

  /**
   * All hashes within the radius of one hash, in no particular order, each once.
   * @param bits 32 bytes
   * @param radiusBits 31 at most
   */
  within(bits: Uint8Array, radiusBits: number): { readonly at: number; readonly distanceBits: number }[] {
    if (radiusBits > MOST_RADIUS_BITS) {
      throw new RangeError(`expected a radius of at most ${MOST_RADIUS_BITS} bits, received ${radiusBits}`);
    }
    const query = wordsOf(bits);
    const hits: { at: number; distanceBits: number }[] = [];
    this.#stamp += 1;
    for (let band = 0; band < BANDS; band += 1) {
      const bucket = bandOf(query, 0, band);
      const starts = this.#starts[band];
      const members = this.#members[band];
      if (starts === undefined || members === undefined) continue;
      for (let turned = -1; turned < BAND_BITS; turned += 1) {
        const near = turned < 0 ? bucket : bucket ^ (1 << turned);
        const end = starts[near + 1] ?? 0;
        for (let place = starts[near] ?? 0; place < end; place += 1) {
          const at = members[place] ?? 0;
          if (this.#seen[at] === this.#stamp) continue;
          this.#seen[at] = this.#stamp;
          const distanceBits = distanceAt(this.#words, at, query, radiusBits);
          if (distanceBits <= radiusBits) hits.push({ at, distanceBits });
        }
      }
    }
    return hits;
  }
}

/** Above the radius the count stops: what it is then means nothing. */
function distanceAt(words: Uint32Array, at: number, query: Uint32Array, radiusBits: number): number {
  let distance = 0;
  for (let word = 0; word < WORDS && distance <= radiusBits; word += 1) {
    distance += bitCount((words[at * WORDS + word] ?? 0) ^ (query[word] ?? 0));
  }
  return distance;
}

/** Bits set in a 32-bit word, summed by halves (Warren, Hacker's Delight, figure 5-2). */
function bitCount(word: number): number {
  let sum = word - ((word >>> 1) & 0x55555555);
  sum = (sum & 0x33333333) + ((sum >>> 2) & 0x33333333);
  sum = (sum + (sum >>> 4)) & 0x0f0f0f0f;
  return Math.imul(sum, 0x01010101) >>> 24;
}

function bandOf(words: Uint32Array, at: number, band: number): number {
  const word = words[at * WORDS + (band >> 1)] ?? 0;
  return (band & 1) === 0 ? word & 0xffff : word >>> 16;
}

/** A copy, since what came from the database need not begin at a multiple of four. Which byte is which does not matter to a distance. */
function wordsOf(bits: Uint8Array): Uint32Array {
  if (bits.length % (WORDS * 4) !== 0) {
    throw new RangeError(`expected a multiple of 32 bytes of hashes, received ${bits.length}`);
  }
  return new Uint32Array(Uint8Array.from(bits).buffer);
}
