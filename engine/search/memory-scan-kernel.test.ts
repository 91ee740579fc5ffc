import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { scanWithin, WORDS } from './memory-scan-kernel.ts';

const words = fc.uint32Array({ minLength: WORDS, maxLength: WORDS });

/** Counts bits one by one. */
function distanceBits(left: Uint32Array, right: Uint32Array): number {
  let distance = 0;
  for (let bit = 0; bit < 256; bit += 1) {
    const difference = ((left[bit >>> 5] ?? 0) ^ (right[bit >>> 5] ?? 0)) >>> (bit & 31);
    distance += difference & 1;
  }
  return distance;
}

it('finds what counting bits one by one finds, at any radius', () => {
  fc.assert(
    fc.property(fc.array(words, { maxLength: 20 }), words, fc.nat(256), (known, query, radiusBits) => {
      const all = new Uint32Array(known.length * WORDS);
      for (const [at, one] of known.entries()) all.set(one, at * WORDS);
      const found: number[] = [];
      scanWithin(all, known.length, query, radiusBits, found);
      const expected = known
        .map((one, at) => [at, distanceBits(one, query)] as const)
        .filter(([, distance]) => distance <= radiusBits);
      assert.deepEqual(found, expected.flat());
    }),
  );
});

it('finds a hash with any one bit of its 256 turned, at distance 1', () => {
  const query = Uint32Array.from({ length: WORDS }, (_, at) => Math.imul(at + 1, 0x9e3779b9));
  for (let bit = 0; bit < 256; bit += 1) {
    const known = Uint32Array.from(query);
    known[bit >>> 5] = (known[bit >>> 5] ?? 0) ^ (1 << (bit & 31));
    const found: number[] = [];
    scanWithin(known, 1, query, 1, found);
    assert.deepEqual(found, [0, 1], `bit ${bit}`);
  }
});

it('looks at no more hashes than it is told there are', () => {
  const found: number[] = [];
  scanWithin(new Uint32Array(3 * WORDS), 2, new Uint32Array(WORDS), 0, found);
  assert.deepEqual(found, [0, 0, 1, 0]);
});
