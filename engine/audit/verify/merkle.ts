import { createHash } from 'node:crypto';

/**
 * The Merkle tree of RFC 9162 (Certificate Transparency 2.0), section 2.1, over SHA-256. A leaf is hashed behind 0x00 and a node
 * behind 0x01, so that no node can be passed off as an entry.
 */

export const HASH_BYTES = 32;

export function leafHash(data: Uint8Array): Buffer {
  return createHash('sha256').update(Buffer.of(0)).update(data).digest();
}

function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return createHash('sha256').update(Buffer.of(1)).update(left).update(right).digest();
}

/** Root of the tree without a leaf: SHA-256 of nothing. */
const EMPTY_ROOT = createHash('sha256').digest();

/**
 * A tree that only grows, kept as the roots of its whole subtrees, the largest first: one for each bit that is set in its size.
 * Adding a leaf costs two hashes on average, and all that is kept of 10^9 leaves is at most 30 hashes.
 */
export class Frontier {
  #size: number;
  readonly #roots: Buffer[];

  /** @throws RangeError where the number of roots is not that of a tree of this size */
  constructor(size = 0, roots: readonly Uint8Array[] = []) {
    if (!Number.isSafeInteger(size) || size < 0 || roots.length !== bitsSet(size) || roots.some(notAHash)) {
      throw new RangeError(`expected the roots of a tree of ${size} leaves, received ${roots.length}`);
    }
    this.#size = size;
    this.#roots = roots.map((root) => Buffer.from(root));
  }

  get size(): number {
    return this.#size;
  }

  get roots(): readonly Buffer[] {
    return this.#roots;
  }

  /** Adds a leaf by its hash. */
  add(leaf: Uint8Array): void {
    let root: Buffer = Buffer.from(leaf);
    // As a binary counter carries: two subtrees of one size become one of twice the size.
    for (let size = this.#size; size % 2 === 1; size = Math.floor(size / 2)) {
      root = nodeHash(this.#roots.pop() ?? EMPTY_ROOT, root);
    }
    this.#roots.push(root);
    this.#size += 1;
  }

  root(): Buffer {
    const [last, ...before] = this.#roots.toReversed();
    return last === undefined ? EMPTY_ROOT : before.reduce((right, left) => nodeHash(left, right), last);
  }
}

/** Root over the hashes of leaves. */
export function merkleRoot(leaves: readonly Uint8Array[]): Buffer {
  const frontier = new Frontier();
  for (const leaf of leaves) frontier.add(leaf);
  return frontier.root();
}

/** Root of the leaves from `start` up to and without `end`. */
type RootOf = (start: number, end: number) => Uint8Array;

/** Of all leaves in memory. */
export const rootsOfLeaves =
  (leaves: readonly Uint8Array[]): RootOf =>
  (start, end) =>
    merkleRoot(leaves.slice(start, end));

/**
 * Of an older tree, of which only the frontier is kept, and of the leaves that came since: all that a consistency proof from the
 * older size needs.
 * @throws RangeError for a part of the older tree that is not one of its whole subtrees
 */
export function rootsSince(older: Frontier, later: readonly Uint8Array[]): RootOf {
  const known = new Map<string, Buffer>();
  let at = 0;
  for (const [index, size] of subtreeSizes(older.size).entries()) {
    const root = older.roots[index];
    if (root !== undefined) known.set(`${at} ${at + size}`, root);
    at += size;
  }
  return (start, end) => {
    if (start >= older.size) return merkleRoot(later.slice(start - older.size, end - older.size));
    const root = known.get(`${start} ${end}`);
    if (root === undefined) throw new RangeError(`expected a whole subtree, received leaves ${start} to ${end}`);
    return root;
  };
}

/** The audit path of RFC 9162, 2.1.3.1: shows that leaf `index` (from 0) is in the tree of `size` leaves. */
export function inclusionProof(index: number, size: number, rootOf: RootOf): Buffer[] {
  if (!(index >= 0 && index < size)) throw new RangeError(`expected a leaf of ${size}, received ${index}`);
  const proof: Uint8Array[] = [];
  let [start, end] = [0, size];
  while (end - start > 1) {
    const middle = start + largestPowerBelow(end - start);
    const left = index < middle;
    proof.unshift(left ? rootOf(middle, end) : rootOf(start, middle));
    [start, end] = left ? [start, middle] : [middle, end];
  }
  return proof.map((hash) => Buffer.from(hash));
}

/** RFC 9162, 2.1.3.2. */
export function verifyInclusion(
  leaf: Uint8Array,
  index: number,
  size: number,
  proof: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  if (!validSizes(index, size) || index >= size || proof.some(notAHash)) return false;
  let [at, last] = [index, size - 1];
  let hash: Uint8Array = leaf;
  for (const step of proof) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      hash = nodeHash(step, hash);
      while (at % 2 === 0 && at !== 0) [at, last] = [half(at), half(last)];
    } else {
      hash = nodeHash(hash, step);
    }
    [at, last] = [half(at), half(last)];
  }
  return last === 0 && same(hash, root);
}

/** RFC 9162, 2.1.4.1: shows that the tree of `olderSize` leaves is the beginning of that of `size`. Empty for equal sizes and from 0. */
export function consistencyProof(olderSize: number, size: number, rootOf: RootOf): Buffer[] {
  if (!(olderSize >= 0 && olderSize <= size))
    throw new RangeError(`expected at most ${size} older leaves, received ${olderSize}`);
  if (olderSize === 0) return [];
  const proof: Uint8Array[] = [];
  let [start, end] = [0, size];
  // Whether the older tree as a whole is this subtree: its root is known to whoever checks.
  let whole = true;
  while (end !== olderSize) {
    const middle = start + largestPowerBelow(end - start);
    if (olderSize <= middle) {
      proof.unshift(rootOf(middle, end));
      end = middle;
    } else {
      proof.unshift(rootOf(start, middle));
      start = middle;
      whole = false;
    }
  }
  if (!whole) proof.unshift(rootOf(start, end));
  return proof.map((hash) => Buffer.from(hash));
}

/** RFC 9162, 2.1.4.2. Anything follows the tree without leaves. */
export function verifyConsistency(
  older: { readonly size: number; readonly root: Uint8Array },
  newer: { readonly size: number; readonly root: Uint8Array },
  proof: readonly Uint8Array[],
): boolean {
  if (!validSizes(older.size, newer.size) || older.size > newer.size || proof.some(notAHash)) return false;
  if (older.size === 0) return proof.length === 0 && same(older.root, EMPTY_ROOT);
  if (older.size === newer.size) return proof.length === 0 && same(older.root, newer.root);
  const steps: Uint8Array[] = isPowerOfTwo(older.size) ? [older.root, ...proof] : [...proof];
  const first = steps.shift();
  if (first === undefined) return false;
  let [at, last] = [older.size - 1, newer.size - 1];
  while (at % 2 === 1) [at, last] = [half(at), half(last)];
  let [olderHash, newerHash] = [first, first];
  for (const step of steps) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      olderHash = nodeHash(step, olderHash);
      newerHash = nodeHash(step, newerHash);
      while (at % 2 === 0 && at !== 0) [at, last] = [half(at), half(last)];
    } else {
      newerHash = nodeHash(newerHash, step);
    }
    [at, last] = [half(at), half(last)];
  }
  return last === 0 && same(olderHash, older.root) && same(newerHash, newer.root);
}

/** Sizes of the whole subtrees of a tree, the largest first. Sizes are not used with bit operators: those end at 2^31. */
function subtreeSizes(size: number): number[] {
  const sizes: number[] = [];
  for (let left = size; left > 0; left -= sizes.at(-1) ?? left) {
    sizes.push(left === 1 ? 1 : isPowerOfTwo(left) ? left : largestPowerBelow(left));
  }
  return sizes;
}

/** Largest power of two below `size`, which is 2 or more. */
function largestPowerBelow(size: number): number {
  let power = 1;
  while (power * 2 < size) power *= 2;
  return power;
}

function bitsSet(size: number): number {
  return subtreeSizes(size).length;
}

const isPowerOfTwo = (size: number): boolean => size === 1 || largestPowerBelow(size) * 2 === size;
const half = (value: number): number => Math.floor(value / 2);
const notAHash = (hash: Uint8Array): boolean => hash.length !== HASH_BYTES;
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
const validSizes = (...sizes: readonly number[]): boolean =>
  sizes.every((size) => Number.isSafeInteger(size) && size >= 0);
