import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { CALIBRATED_ALGORITHMS, CALIBRATION } from './calibration.ts';
import { BIT_POLICY, expectedFalseMatches, passesQuality } from './policy.ts';

describe('the policy of matching', () => {
  for (const algorithm of CALIBRATED_ALGORITHMS) {
    it(`expects false matches of ${algorithm} in proportion to the comparisons, never none`, () => {
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 1e9 }), fc.integer({ min: 2, max: 1_000 }), (comparisons, times) => {
          const one = expectedFalseMatches(algorithm, comparisons);
          const more = expectedFalseMatches(algorithm, comparisons * times);
          assert.ok(one > 0);
          assert.ok(Math.abs(more / one - times) < 1e-6 * times);
        }),
      );
    });

    it(`keeps the threshold of ${algorithm} below every distance of unrelated pictures that was measured`, () => {
      assert.ok(BIT_POLICY[algorithm].thresholdBits < CALIBRATION[algorithm].smallestBits);
    });
  }

  it('expects less than one false match of blockhash in ten million comparisons', () => {
    assert.ok(expectedFalseMatches('blockhash-256-r512', 1e7) < 1);
  });

  it('agrees with the tail of the normal distribution', () => {
    const { meanBits, standardDeviationBits } = CALIBRATION['blockhash-256-r512'];
    const z = (meanBits - BIT_POLICY['blockhash-256-r512'].thresholdBits - 0.5) / standardDeviationBits;
    const step = 1e-4;
    let tail = 0;
    for (let at = z + step / 2; at < z + 10; at += step)
      tail += (Math.exp((-at * at) / 2) / Math.sqrt(2 * Math.PI)) * step;
    const computed = expectedFalseMatches('blockhash-256-r512', 1);
    assert.ok(Math.abs(computed / tail - 1) < 0.01, `${computed} instead of ${tail}`);
  });

  it('lets quality 50 and an unknown quality pass, and 49 not', () => {
    for (const algorithm of CALIBRATED_ALGORITHMS)
      assert.deepEqual(
        [49, 50, 100, null].map((quality) => passesQuality(algorithm, quality)),
        [false, true, true, true],
      );
  });
});
