import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { PackCalibration } from '../../schemas/model-pack.ts';
import { falseMatchRateBound, log10LikelihoodRatio, weigh, zeroEventBound } from './likelihood.ts';

/** Counts of pairs in intervals of the score, as a bench would sum them up; the bound is the plain rate, which is too good. */
function calibrationOf(intervals: readonly { score: number; same: number; different: number }[]): PackCalibration {
  const rising = intervals.toSorted((a, b) => a.score - b.score);
  const from = (at: number, what: 'same' | 'different') => rising.slice(at).reduce((sum, one) => sum + one[what], 0);
  return {
    data: 'made up',
    identities: 10,
    samePairs: from(0, 'same'),
    differentPairs: from(0, 'different'),
    points: rising.map(({ score }, at) => ({
      score,
      samePairs: from(at, 'same'),
      differentPairs: from(at, 'different'),
      falseMatchRateUpper95: from(at, 'different') / Math.max(1, from(0, 'different')),
    })),
  };
}

const anyCalibration = fc
  .uniqueArray(
    fc.record({ score: fc.double({ min: -1, max: 1, noNaN: true }), same: fc.nat(500), different: fc.nat(20_000) }),
    { minLength: 1, maxLength: 30, selector: (one) => one.score },
  )
  .map(calibrationOf);
const anyScore = fc.double({ min: -1, max: 1, noNaN: true });

/** 546 same and 11,857 different pairs with a clean gap, as a good face embedding gives. */
const faces = calibrationOf([
  { score: 0, same: 1, different: 11_000 },
  { score: 0.5, same: 5, different: 800 },
  { score: 0.7, same: 20, different: 55 },
  { score: 0.85, same: 120, different: 2 },
  { score: 0.92, same: 400, different: 0 },
]);

describe('what a score is worth', () => {
  it('does not fall when the score rises, and is always a number', () => {
    fc.assert(
      fc.property(anyCalibration, anyScore, anyScore, (calibration, one, other) => {
        const [low, high] = [Math.min(one, other), Math.max(one, other)];
        const [of, above] = [log10LikelihoodRatio(calibration, low), log10LikelihoodRatio(calibration, high)];
        assert.ok(Number.isFinite(of) && Number.isFinite(above));
        assert.ok(above >= of - 1e-12, `${of} at ${low}, ${above} at ${high}`);
      }),
    );
  });

  it('never exceeds what the number of different pairs can show', () => {
    fc.assert(
      fc.property(anyCalibration, anyScore, (calibration, score) => {
        const most = -Math.log10(zeroEventBound(calibration.differentPairs));
        assert.ok(log10LikelihoodRatio(calibration, score) <= most + 1e-12);
      }),
    );
  });

  it('claims no false-match rate below the bound of as many pairs, whatever the manifest says', () => {
    fc.assert(
      fc.property(anyCalibration, anyScore, (calibration, score) => {
        const boastful = {
          ...calibration,
          points: calibration.points.map((point) => ({ ...point, falseMatchRateUpper95: 0 })),
        };
        assert.ok(falseMatchRateBound(boastful, score) >= Math.min(1, zeroEventBound(calibration.differentPairs)));
        const counted = calibration.points.filter((point) => point.score <= score).at(-1)?.differentPairs ?? 0;
        assert.ok(falseMatchRateBound(boastful, score) * calibration.differentPairs >= counted - 1e-9);
      }),
    );
  });

  it('gives a bound that does not rise with the score, and 1 below all that was calibrated', () => {
    fc.assert(
      fc.property(anyCalibration, anyScore, anyScore, (calibration, one, other) => {
        const [low, high] = [Math.min(one, other), Math.max(one, other)];
        assert.ok(falseMatchRateBound(calibration, high) <= falseMatchRateBound(calibration, low));
      }),
    );
    assert.equal(falseMatchRateBound(faces, -0.5), 1);
  });

  it('with 11,857 different pairs none of which matched, claims a ratio of 3,958 less the share that is missed', () => {
    const tail = 520 / 546;
    assert.ok(
      Math.abs(log10LikelihoodRatio(faces, 0.95) - Math.log10(tail / zeroEventBound(11_857))) < 1e-9,
      'at .85 two of 11,857 scored so much, which shows no more than none of them would',
    );
    assert.ok(Math.abs(1 / zeroEventBound(11_857) - 3958.4) < 0.1);
  });

  it('is the ratio of the shares inside an interval, not of everything above it', () => {
    const inside = Math.log10(20 / 546 / (55 / 11_857));
    assert.ok(Math.abs(log10LikelihoodRatio(faces, 0.75) - inside) < 1e-9);
    const above = Math.log10(540 / 546 / (57 / 11_857));
    assert.ok(inside < above, 'everything above would overstate it');
  });

  it('speaks against where different pairs are more frequent', () => {
    assert.ok(log10LikelihoodRatio(faces, 0.1) < 0);
  });
});

describe('the expected number of false matches', () => {
  it('is comparisons times the bound, and beyond one the score is not calibrated', () => {
    fc.assert(
      fc.property(
        anyCalibration.filter((one) => one.samePairs > 0 && one.differentPairs > 0),
        anyScore,
        fc.integer({ min: 1, max: 1e7 }),
        (calibration, score, comparisons) => {
          const weight = weigh(calibration, score, comparisons);
          assert.equal(weight.expectedFalseMatches, comparisons * falseMatchRateBound(calibration, score));
          assert.equal(weight.calibrated, (weight.expectedFalseMatches ?? 2) <= 1);
        },
      ),
    );
    assert.equal(weigh(faces, 0.95, 3_900).calibrated, true);
    assert.equal(weigh(faces, 0.95, 4_000).calibrated, false);
  });

  it('is not claimed without a calibration, and the score then weighs nothing', () => {
    const nothing = { log10LikelihoodRatio: 0, expectedFalseMatches: null, calibrated: false };
    assert.deepEqual(weigh(null, 0.99, 1), nothing);
    assert.deepEqual(weigh({ ...faces, points: [] }, 0.99, 1), nothing);
  });

  it('claims nothing where no pair was counted', () => {
    const nothing = {
      data: 'none',
      identities: 0,
      samePairs: 0,
      differentPairs: 0,
      points: [{ score: 0, samePairs: 0, differentPairs: 0, falseMatchRateUpper95: 0 }],
    };
    assert.equal(falseMatchRateBound(nothing, 0.5), 1);
  });
});
