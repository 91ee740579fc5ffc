/**
 * Hashes to search: random ones, and skewed ones that come of real pictures and their edits. Seeded, so that every run has the same.
 */
import sharp from 'sharp';
import { PictureHasher } from '../workers/hash/picture-hasher.ts';
import { COPY_EDITS } from './copy-edits.ts';
import { loadSources } from './picture-sources.ts';
import { type Random, seededRandom, seedFrom } from './random.ts';

export const WORDS = 8;
export const HASH_BYTES = 32;
/** Pictures are reduced to this before they are edited: their hashes are those of small copies, as shared ones are. */
const SIDE_PIXELS = 512;
/** Below it the engine compares nothing; here it tells the near-flat ones, which known sets hold all the same. */
const LEAST_QUALITY = 50;

export interface RealHashes {
  /** 32 bytes each, in groups that come of one picture. */
  readonly hashes: readonly Buffer[];
  /** Hash of a picture and hash of an edit of it. */
  readonly pairs: readonly { readonly original: Buffer; readonly edited: Buffer }[];
  /** Of pictures too flat to be compared. */
  readonly flat: readonly Buffer[];
}

/** `count` hashes of random bits. */
export function randomHashes(count: number, seed: number): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(count * WORDS);
  // xorshift128 (Marsaglia, "Xorshift RNGs", 2003): ten million hashes in a second.
  let [a, b, c, d] = [seed | 1, 0x9e3779b9, 0x243f6a88, 0xb7e15162];
  for (let at = 0; at < words.length; at += 1) {
    let mixed = d;
    d = c;
    c = b;
    b = a;
    mixed ^= mixed << 11;
    mixed ^= mixed >>> 8;
    a = mixed ^ a ^ (a >>> 19);
    words[at] = a;
  }
  return words;
}

/** PDQ of every picture in reach, of its edits and of near-flat pictures, in eight orientations. */
export async function realHashes(mostPictures: number, say: (text: string) => void): Promise<RealHashes> {
  const { sources } = await loadSources(1);
  const hasher = await PictureHasher.load();
  const hashes: Buffer[] = [];
  const flat: Buffer[] = [];
  const pairs: { original: Buffer; edited: Buffer }[] = [];
  const hashOf = async (encoded: Buffer): Promise<Buffer | null> => {
    const { data, info } = await sharp(encoded)
      .toColourspace('srgb')
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    if (info.channels !== 3) return null;
    const [pdq] = hasher.hash(data, info.width, info.height, 3).pdq;
    if (pdq === undefined) return null;
    const turned = pdq.dihedral.map((hex) => Buffer.from(hex, 'hex'));
    (pdq.quality < LEAST_QUALITY ? flat : hashes).push(...turned);
    return turned[0] ?? null;
  };
  const taken = sources.filter((_, at) => at % Math.max(1, Math.ceil(sources.length / mostPictures)) === 0);
  let other: Buffer | null = null;
  for (const [at, source] of taken.entries()) {
    if (at % 50 === 0) say(`hashing pictures and their edits: ${at} of ${taken.length}`);
    const raw = { width: source.widthPixels, height: source.heightPixels, channels: 3 } as const;
    const encoded: Buffer = await sharp(source.pixels, { raw })
      .resize(SIDE_PIXELS, SIDE_PIXELS, { fit: 'inside', withoutEnlargement: true })
      .png({ compressionLevel: 1 })
      .toBuffer();
    const original = await hashOf(encoded);
    const random = seededRandom(seedFrom(1, at));
    for (const edit of Object.values(COPY_EDITS)) {
      const edited = await hashOf(await edit(encoded, other ?? encoded, random));
      if (original !== null && edited !== null) pairs.push({ original, edited });
    }
    // Nearly black, as screens and covered lenses are.
    await hashOf(await sharp(encoded).modulate({ brightness: 0.02 }).jpeg({ quality: 60 }).toBuffer());
    other = encoded;
  }
  return { hashes, pairs, flat };
}

/**
 * `count` hashes as a national set has them: variants of real ones, few pictures with very many copies, some of them exact, and one in
 * thirty of a near-flat picture.
 */
export function skewedHashes(real: RealHashes, count: number, seed: number): Uint32Array<ArrayBuffer> {
  const random = seededRandom(seed);
  const words = new Uint32Array(count * WORDS);
  const flat = real.flat.length > 0 ? real.flat : real.hashes.slice(0, 1);
  for (let at = 0; at < count; at += 1) {
    const isFlat = at % 30 === 0;
    const from = isFlat ? random.pick(flat) : skewedPick(real.hashes, random);
    const target = new Uint8Array(words.buffer, at * HASH_BYTES, HASH_BYTES);
    target.set(from);
    if (random.next() < 0.05) continue;
    flip(target, isFlat ? random.integer(0, 6) : random.integer(1, 60), random);
  }
  return words;
}

/** The square of a uniform number: the first tenth of the pictures has a third of the copies. */
function skewedPick<T>(values: readonly T[], random: Random): T {
  const value = values[Math.floor(random.next() ** 2 * values.length)];
  if (value === undefined) throw new RangeError('expected hashes to choose from');
  return value;
}

export function flip(hash: Uint8Array, bits: number, random: Random): void {
  for (let done = 0; done < bits; done += 1) {
    const bit = random.integer(0, 255);
    hash[bit >> 3] = (hash[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  }
}

/** The hash at a position, as bytes of its own. */
export function hashAt(words: Uint32Array, position: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(new Uint8Array(words.buffer, words.byteOffset + position * HASH_BYTES, HASH_BYTES));
}

/** Copies of one hash, a few bits apart, over the hashes from `from` on. */
export function plantCluster(words: Uint32Array, from: number, copies: number, seed: number): Uint8Array<ArrayBuffer> {
  const random = seededRandom(seed);
  const centre = hashAt(words, from);
  for (let copy = 0; copy < copies; copy += 1) {
    const target = new Uint8Array(words.buffer, words.byteOffset + (from + copy) * HASH_BYTES, HASH_BYTES);
    target.set(centre);
    flip(target, random.integer(0, 15), random);
  }
  return centre;
}
