import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { BitTable } from './bit-pairs.ts';

const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
const turned = fc.uniqueArray(fc.nat(255), { maxLength: 40 });

const distance = (a: Uint8Array, b: Uint8Array): number =>
  a.reduce((sum, byte, at) => sum + ((byte ^ (b[at] ?? 0)).toString(2).match(/1/g)?.length ?? 0), 0);

function withTurned(bits: Uint8Array, places: readonly number[]): Uint8Array {
  const changed = bits.slice();
  for (const place of places) changed[place >> 3] = (changed[place >> 3] ?? 0) ^ (1 << (place & 7));
  return changed;
}

describe('a table of hashes', () => {
  it('finds all within the radius and nothing beyond, as comparing each does', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(3), turned), { minLength: 1, maxLength: 80 }),
        fc.array(hash, { minLength: 4, maxLength: 4 }),
        turned,
        fc.integer({ min: 0, max: 31 }),
        (members, bases, queryTurned, radiusBits) => {
          const hashes = members.map(([base, places]) => withTurned(bases[base] ?? new Uint8Array(32), places));
          const query = withTurned(bases[0] ?? new Uint8Array(32), queryTurned);
          const found = new BitTable(Buffer.concat(hashes)).within(query, radiusBits);
          const expected = hashes
            .map((one, at) => ({ at, distanceBits: distance(one, query) }))
            .filter(({ distanceBits }) => distanceBits <= radiusBits);
          assert.deepEqual(
            found.sort((a, b) => a.at - b.at),
            expected,
          );
        },
      ),
      { numRuns: 20 },
    );
  });

  it('refuses a radius that its bands do not cover', () => {
    assert.throws(() => new BitTable(new Uint8Array(32)).within(new Uint8Array(32), 32), RangeError);
  });
});
