import { randomInt } from 'node:crypto';

/**
 * Three-wise binary fuse filter with fingerprints of 8 bits (T. M. Graf and D. Lemire, "Binary Fuse Filters: Fast and Smaller Than Xor
 * Filters", ACM JEA 27, 2022): about 1.13 bytes a key, one look-up in 256 says yes to a key that is not in it, none says no to one
 * that is. Sizes of segments and array are those of the paper's reference implementation.
 *
 * In 32-bit arithmetic throughout: a BigInt for each look-up would cost more than the look-up. Everything it is made of can be sent
 * to another thread, its array without a copy.
 */
export interface FuseFilter {
  readonly keys: number;
  readonly seed: number;
  /** A power of two. */
  readonly segmentLength: number;
  /** Number of places of the first segment of a key; its other two lie in the next two segments. */
  readonly firstPlaces: number;
  readonly fingerprints: Uint8Array<SharedArrayBuffer>;
}

/** A place within a segment is drawn from 16 bits of the second mixed word. */
const MOST_SEGMENT_LENGTH = 1 << 16;
/** One seed in some hundreds fails; that many in a row cannot be chance. */
const MOST_SEEDS = 100;
const TWO_POW_32 = 2 ** 32;

/** First mixed word of a key: the finaliser of MurmurHash3 over both words. */
function mixFirst(low: number, high: number, seed: number): number {
  let mixed = high ^ seed;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  mixed ^= low ^ (mixed >>> 16);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** Second mixed word: by other constants (Steele and others, SplitMix32), so that two keys that share the first one do not share it. */
function mixSecond(low: number, high: number, first: number): number {
  let mixed = (first ^ Math.imul(high, 0x9e3779b1)) + low;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}

const firstPlace = (first: number, places: number): number => Math.floor((first * places) / TWO_POW_32);

/** Whether a key may be in it; false is certain. */
export function mayHold(filter: FuseFilter, low: number, high: number): boolean {
  const { segmentLength, fingerprints } = filter;
  const first = mixFirst(low, high, filter.seed);
  const second = mixSecond(low, high, first);
  const at = firstPlace(first, filter.firstPlaces);
  const mask = segmentLength - 1;
  const found =
    (fingerprints[at] ?? 0) ^
    (fingerprints[(at + segmentLength) ^ ((second >>> 16) & mask)] ?? 0) ^
    (fingerprints[(at + 2 * segmentLength) ^ (second & mask)] ?? 0);
  return found === (first & 0xff);
}

/**
 * Builds a filter of keys, which it sorts in place and may find several times. Every key is looked up in what was built: a filter
 * that lost one never leaves here.
 * @param words low and high word of each key
 * @throws RangeError when no seed works, which sorted and distinct keys do not do
 */
export function buildFuseFilter(words: Uint32Array<SharedArrayBuffer>, count: number): FuseFilter {
  const keys = distinct(words, count);
  const { segmentLength, firstPlaces, places } = layoutOf(keys);
  const build = new Peeling(words, keys, segmentLength, firstPlaces, places);
  for (let attempt = 0; attempt < MOST_SEEDS; attempt += 1) {
    const seed = randomInt(TWO_POW_32);
    const fingerprints = build.run(seed);
    if (fingerprints === null) continue;
    const filter: FuseFilter = { keys, seed, segmentLength, firstPlaces, fingerprints };
    for (let at = 0; at < keys; at += 1) {
      if (!mayHold(filter, words[at * 2] ?? 0, words[at * 2 + 1] ?? 0))
        throw new RangeError(`expected a filter to hold each of its ${keys} keys, and it lacks number ${at}`);
    }
    return filter;
  }
  throw new RangeError(`expected one of ${MOST_SEEDS} seeds to build a filter of ${keys} keys, none did`);
}

/** Sorts keys and moves distinct ones to the front; returns how many they are. */
function distinct(words: Uint32Array<SharedArrayBuffer>, count: number): number {
  new BigUint64Array(words.buffer, words.byteOffset, count).sort();
  let kept = 0;
  for (let at = 0; at < count; at += 1) {
    const low = words[at * 2] ?? 0;
    const high = words[at * 2 + 1] ?? 0;
    if (kept > 0 && words[kept * 2 - 2] === low && words[kept * 2 - 1] === high) continue;
    words[kept * 2] = low;
    words[kept * 2 + 1] = high;
    kept += 1;
  }
  return kept;
}

function layoutOf(keys: number): { segmentLength: number; firstPlaces: number; places: number } {
  if (keys <= 1) return { segmentLength: 4, firstPlaces: 4, places: 12 };
  const exponent = Math.floor(Math.log(keys) / Math.log(3.33) + 2.25);
  const segmentLength = Math.min(MOST_SEGMENT_LENGTH, 2 ** exponent);
  const sizeFactor = Math.max(1.125, 0.875 + (0.25 * Math.log(1_000_000)) / Math.log(keys));
  const segments = Math.max(1, Math.ceil(Math.round(keys * sizeFactor) / segmentLength) - 2);
  return { segmentLength, firstPlaces: segments * segmentLength, places: (segments + 2) * segmentLength };
}

/**
 * Assigns fingerprints by taking away, again and again, a key that has a place to itself. Its memory serves every seed.
 * Written out in long loops over local arrays: with a call and a field for each step building took three times as long.
 */
class Peeling {
  readonly #words: Uint32Array<SharedArrayBuffer>;
  readonly #keys: number;
  readonly #segmentLength: number;
  readonly #firstPlaces: number;
  /** Keys at each place: how many, and the exclusive or of their numbers. */
  readonly #counts: Uint16Array<ArrayBuffer>;
  readonly #numbers: Uint32Array<ArrayBuffer>;
  /** Places with one key; and keys in the order they were taken away, with the place each had to itself. */
  readonly #alone: Uint32Array<ArrayBuffer>;
  readonly #takenKeys: Uint32Array<ArrayBuffer>;
  readonly #takenPlaces: Uint32Array<ArrayBuffer>;

  constructor(
    words: Uint32Array<SharedArrayBuffer>,
    keys: number,
    segmentLength: number,
    firstPlaces: number,
    places: number,
  ) {
    this.#words = words;
    this.#keys = keys;
    this.#segmentLength = segmentLength;
    this.#firstPlaces = firstPlaces;
    this.#counts = new Uint16Array(places);
    this.#numbers = new Uint32Array(places);
    this.#alone = new Uint32Array(places);
    this.#takenKeys = new Uint32Array(keys);
    this.#takenPlaces = new Uint32Array(keys);
  }

  /** Null when keys are left that share all of their places with others. */
  run(seed: number): Uint8Array<SharedArrayBuffer> | null {
    this.#place(seed);
    return this.#peel(seed) === this.#keys ? this.#assign(seed) : null;
  }

  #place(seed: number): void {
    const words = this.#words;
    const keys = this.#keys;
    const counts = this.#counts;
    const numbers = this.#numbers;
    const places = this.#firstPlaces;
    const segment = this.#segmentLength;
    const mask = segment - 1;
    counts.fill(0);
    numbers.fill(0);
    for (let key = 0; key < keys; key += 1) {
      const low = words[key * 2] ?? 0;
      const high = words[key * 2 + 1] ?? 0;
      const first = mixFirst(low, high, seed);
      const second = mixSecond(low, high, first);
      const at = firstPlace(first, places);
      const middle = (at + segment) ^ ((second >>> 16) & mask);
      const last = (at + 2 * segment) ^ (second & mask);
      counts[at] = (counts[at] ?? 0) + 1;
      counts[middle] = (counts[middle] ?? 0) + 1;
      counts[last] = (counts[last] ?? 0) + 1;
      numbers[at] = (numbers[at] ?? 0) ^ key;
      numbers[middle] = (numbers[middle] ?? 0) ^ key;
      numbers[last] = (numbers[last] ?? 0) ^ key;
    }
  }

  #peel(seed: number): number {
    const words = this.#words;
    const counts = this.#counts;
    const numbers = this.#numbers;
    const alone = this.#alone;
    const places = this.#firstPlaces;
    const segment = this.#segmentLength;
    const mask = segment - 1;
    let waiting = 0;
    for (let place = 0; place < counts.length; place += 1) if (counts[place] === 1) alone[waiting++] = place;
    let taken = 0;
    while (waiting > 0) {
      const place = alone[--waiting] ?? 0;
      // Meanwhile its key may have been taken away at another place.
      if (counts[place] !== 1) continue;
      const key = numbers[place] ?? 0;
      this.#takenKeys[taken] = key;
      this.#takenPlaces[taken] = place;
      taken += 1;
      const low = words[key * 2] ?? 0;
      const high = words[key * 2 + 1] ?? 0;
      const first = mixFirst(low, high, seed);
      const second = mixSecond(low, high, first);
      const at = firstPlace(first, places);
      const middle = (at + segment) ^ ((second >>> 16) & mask);
      const last = (at + 2 * segment) ^ (second & mask);
      numbers[at] = (numbers[at] ?? 0) ^ key;
      numbers[middle] = (numbers[middle] ?? 0) ^ key;
      numbers[last] = (numbers[last] ?? 0) ^ key;
      const leftAt = (counts[at] ?? 0) - 1;
      const leftMiddle = (counts[middle] ?? 0) - 1;
      const leftLast = (counts[last] ?? 0) - 1;
      counts[at] = leftAt;
      counts[middle] = leftMiddle;
      counts[last] = leftLast;
      if (leftAt === 1) alone[waiting++] = at;
      if (leftMiddle === 1) alone[waiting++] = middle;
      if (leftLast === 1) alone[waiting++] = last;
    }
    return taken;
  }

  #assign(seed: number): Uint8Array<SharedArrayBuffer> {
    const words = this.#words;
    const places = this.#firstPlaces;
    const segment = this.#segmentLength;
    const mask = segment - 1;
    // Filled in memory of its own and copied: writing to shared memory step by step is slower.
    const fingerprints = new Uint8Array(this.#counts.length);
    for (let nth = this.#keys - 1; nth >= 0; nth -= 1) {
      const key = this.#takenKeys[nth] ?? 0;
      const low = words[key * 2] ?? 0;
      const high = words[key * 2 + 1] ?? 0;
      const first = mixFirst(low, high, seed);
      const second = mixSecond(low, high, first);
      const at = firstPlace(first, places);
      // The place that the key has to itself is empty yet, so that what is folded in are the other two.
      fingerprints[this.#takenPlaces[nth] ?? 0] =
        (first & 0xff) ^
        (fingerprints[at] ?? 0) ^
        (fingerprints[(at + segment) ^ ((second >>> 16) & mask)] ?? 0) ^
        (fingerprints[(at + 2 * segment) ^ (second & mask)] ?? 0);
    }
    const shared = new Uint8Array(new SharedArrayBuffer(fingerprints.length));
    shared.set(fingerprints);
    return shared;
  }
}
