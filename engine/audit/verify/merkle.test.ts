import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  consistencyProof,
  Frontier,
  inclusionProof,
  leafHash,
  merkleRoot,
  rootsOfLeaves,
  rootsSince,
  verifyConsistency,
  verifyInclusion,
} from './merkle.ts';

const sha256 = (...parts: readonly Uint8Array[]): Buffer => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

const leavesOf = (size: number): Buffer[] =>
  Array.from({ length: size }, (_, at) => leafHash(Buffer.of(at % 256, at >> 8)));

/** The definition of RFC 9162, 2.1.1, word by word. */
function definedRoot(leaves: readonly Uint8Array[]): Uint8Array {
  const [first] = leaves;
  if (first === undefined) return sha256();
  if (leaves.length === 1) return first;
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return sha256(Buffer.of(1), definedRoot(leaves.slice(0, split)), definedRoot(leaves.slice(split)));
}

const flipped = (hash: Uint8Array, bit: number): Buffer => {
  const copy = Buffer.from(hash);
  const at = (bit >> 3) % copy.length;
  copy[at] = (copy[at] ?? 0) ^ (1 << (bit & 7));
  return copy;
};

const sizes = fc.integer({ min: 1, max: 300 });

describe('Merkle tree', () => {
  it('has the root that RFC 9162 defines, at any size, and the same from a frontier that was kept and gone on with', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 300 }), fc.nat(), (size, cut) => {
        const leaves = leavesOf(size);
        const kept = new Frontier();
        for (const leaf of leaves.slice(0, cut % (size + 1))) kept.add(leaf);
        const resumed = new Frontier(kept.size, kept.roots);
        for (const leaf of leaves.slice(kept.size)) resumed.add(leaf);
        assert.deepEqual(merkleRoot(leaves), definedRoot(leaves));
        assert.deepEqual(resumed.root(), merkleRoot(leaves));
      }),
    );
  });

  it('S4: shows every leaf to be in the tree, and nothing else', () => {
    fc.assert(
      fc.property(sizes, fc.nat(), fc.nat(), (size, which, bit) => {
        const leaves = leavesOf(size);
        const [index, root] = [which % size, merkleRoot(leaves)];
        const leaf = leaves[index] ?? assert.fail();
        const proof = inclusionProof(index, size, rootsOfLeaves(leaves));
        assert.equal(verifyInclusion(leaf, index, size, proof, root), true);
        assert.equal(verifyInclusion(flipped(leaf, bit), index, size, proof, root), false);
        assert.equal(verifyInclusion(leaf, index, size, proof, flipped(root, bit)), false);
        assert.equal(verifyInclusion(leaf, index, size, [...proof, root], root), false);
        assert.equal(verifyInclusion(leaf, (index + 1) % size, size, proof, root), size === 1);
        for (const [at, step] of proof.entries()) {
          assert.equal(verifyInclusion(leaf, index, size, proof.with(at, flipped(step, bit)), root), false);
          assert.equal(verifyInclusion(leaf, index, size, proof.toSpliced(at, 1), root), false);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('S4: shows every older tree to be the beginning of the newer one, from its frontier alone, and no other tree', () => {
    fc.assert(
      fc.property(sizes, fc.nat(), fc.nat(), (size, which, bit) => {
        const leaves = leavesOf(size);
        const olderSize = 1 + (which % size);
        const frontier = new Frontier();
        for (const leaf of leaves.slice(0, olderSize)) frontier.add(leaf);
        const [older, newer] = [
          { size: olderSize, root: frontier.root() },
          { size, root: merkleRoot(leaves) },
        ];
        const proof = consistencyProof(olderSize, size, rootsOfLeaves(leaves));
        assert.deepEqual(consistencyProof(olderSize, size, rootsSince(frontier, leaves.slice(olderSize))), proof);
        assert.equal(verifyConsistency(older, newer, proof), true);
        assert.equal(verifyConsistency({ ...older, root: flipped(older.root, bit) }, newer, proof), false);
        assert.equal(verifyConsistency(older, { ...newer, root: flipped(newer.root, bit) }, proof), false);
        assert.equal(verifyConsistency(older, newer, [...proof, older.root]), false);
        for (const [at, step] of proof.entries()) {
          assert.equal(verifyConsistency(older, newer, proof.with(at, flipped(step, bit))), false);
          assert.equal(verifyConsistency(older, newer, proof.toSpliced(at, 1)), false);
        }
        // History rewritten before the older tree: whatever proof its writer makes, it does not follow.
        const rewritten = leaves.with(which % olderSize, flipped(leaves[which % olderSize] ?? assert.fail(), bit));
        const forged = { size, root: merkleRoot(rewritten) };
        const forgedProof = consistencyProof(olderSize, size, rootsOfLeaves(rewritten));
        assert.equal(verifyConsistency(older, forged, forgedProof), false);
      }),
      { numRuns: 200 },
    );
  });

  it('refuses roots that are not those of a tree of the size', () => {
    assert.throws(() => new Frontier(3, leavesOf(1)), RangeError);
    assert.throws(() => new Frontier(1, [Buffer.alloc(31)]), RangeError);
    assert.throws(() => new Frontier(-1), RangeError);
    assert.equal(new Frontier(2 ** 40, leavesOf(1)).size, 2 ** 40);
  });
});
