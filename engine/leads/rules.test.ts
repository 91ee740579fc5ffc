import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { fuse, newsOf } from './fuse.ts';
import { LEAD_METHODS, type LeadEvidence } from './lead-evidence.ts';
import { wilsonBounds } from './precision.ts';
import { BASES, type Decision, personOf, stateOf, VERDICTS } from './verdicts.ts';

const piece = (method: LeadEvidence['method'], log10LikelihoodRatio: number, calibrated = true): LeadEvidence => ({
  id: 'v1',
  mediaId: 1,
  seriesId: 1,
  method,
  algorithm: method,
  distance: 0,
  threshold: 0,
  expectedFalseMatches: 0.1,
  comparisons: 10,
  calibrated,
  borderline: false,
  contradictedBy: null,
  log10LikelihoodRatio,
  orientation: null,
  set: null,
  inliers: null,
  details: null,
  faceId: null,
  eyeDistancePixels: null,
  reference: null,
});
const anyPiece = fc
  .tuple(fc.constantFrom(...LEAD_METHODS), fc.double({ min: -3, max: 4.7, noNaN: true }), fc.boolean())
  .map(([method, weight, calibrated]) => piece(method, weight, calibrated));

describe('the rule of fusion', () => {
  it('never weighs more than the sum of the strongest of each independent source, nor more than 10^6, nor less than nothing', () => {
    fc.assert(
      fc.property(fc.array(anyPiece, { maxLength: 12 }), (evidence) => {
        const strongest = (methods: readonly string[]) =>
          Math.max(
            0,
            ...evidence
              .filter((one) => one.calibrated && methods.includes(one.method))
              .map((one) => one.log10LikelihoodRatio),
          );
        const independent = strongest(['face']) + strongest(['place']) + strongest(['camera']);
        const expected = Math.min(6, Math.max(strongest(['pdq', 'blockhash', 'copy']), independent));
        assert.ok(Math.abs(fuse(evidence).log10LikelihoodRatio - expected) < 1e-9);
      }),
    );
  });

  it('does not weigh less when more is found, and not more when the same is found twice', () => {
    fc.assert(
      fc.property(fc.array(anyPiece, { maxLength: 12 }), anyPiece, (evidence, another) => {
        const before = fuse(evidence).log10LikelihoodRatio;
        assert.ok(fuse([...evidence, another]).log10LikelihoodRatio >= before);
        assert.equal(fuse([...evidence, ...evidence]).log10LikelihoodRatio, before);
      }),
    );
  });

  it('counts two faces, or a hash and a vector of one picture, with the stronger alone', () => {
    assert.equal(fuse([piece('face', 2), piece('face', 3)]).log10LikelihoodRatio, 3);
    assert.equal(fuse([piece('pdq', 4), piece('blockhash', 3), piece('copy', 2)]).log10LikelihoodRatio, 4);
    assert.equal(fuse([piece('pdq', 4), piece('face', 3)]).log10LikelihoodRatio, 4);
  });

  it('names the evidence that it counted', () => {
    const evidence = [piece('face', 1), piece('face', 2), piece('place', 1.5), piece('camera', 3, false)];
    assert.deepEqual(fuse(evidence).counted, [evidence[1], evidence[2]]);
  });

  it('takes of known material only a face, a place or a device as news', () => {
    const all = LEAD_METHODS.map((method) => piece(method, 2));
    assert.deepEqual(newsOf(all, { bySeries: true, anywhere: true }), []);
    assert.deepEqual(
      newsOf(all, { bySeries: false, anywhere: true }).map((one) => one.method),
      ['face', 'place', 'camera'],
    );
    assert.equal(newsOf(all, { bySeries: false, anywhere: false }).length, all.length);
  });
});

const anyDecision: fc.Arbitrary<Decision> = fc.record({
  verdict: fc.constantFrom(...VERDICTS),
  basis: fc.constantFrom(...BASES),
  decidedBy: fc.constantFrom('A', 'B', 'C', 'D'),
});

describe('the rule of decisions', () => {
  it('confirms only with two people, one of whom saw more than metadata, and twice as many as reject', () => {
    fc.assert(
      fc.property(fc.array(anyDecision, { maxLength: 12 }), (decisions) => {
        const last = new Map(decisions.map((one) => [one.decidedBy, one]));
        const confirmed = [...last.values()].filter((one) => one.verdict === 'confirmed');
        const rejected = [...last.values()].filter((one) => one.verdict === 'rejected');
        const may =
          confirmed.length >= 2 &&
          confirmed.some((one) => one.basis !== 'metadata') &&
          confirmed.length >= 2 * rejected.length;
        assert.equal(stateOf(decisions) === 'confirmed', may);
      }),
    );
  });

  it('does not close a conflict of one against one, and is open only where nobody decided', () => {
    fc.assert(
      fc.property(fc.array(anyDecision, { maxLength: 12 }), (decisions) => {
        assert.equal(stateOf(decisions) === 'open', decisions.length === 0);
      }),
    );
    const by = (decidedBy: string, verdict: Decision['verdict'], basis: Decision['basis'] = 'viewed') => ({
      decidedBy,
      verdict,
      basis,
    });
    assert.equal(stateOf([by('A', 'confirmed'), by('B', 'rejected')]), 'needsSecondOpinion');
    assert.equal(stateOf([by('A', 'confirmed'), by('B', 'rejected'), by('C', 'rejected')]), 'rejected');
    assert.equal(stateOf([by('A', 'confirmed'), by('A', 'rejected')]), 'rejected');
    assert.equal(stateOf([by('A', 'unsure'), by('B', 'unsure')]), 'unsure');
    assert.equal(stateOf([by('A', 'unsure'), by('B', 'needsSecondOpinion')]), 'needsSecondOpinion');
    assert.equal(stateOf([by('A', 'confirmed', 'metadata'), by('B', 'confirmed', 'metadata')]), 'needsSecondOpinion');
  });

  it('takes spellings of one name for one person', () => {
    assert.equal(personOf(' Ann\u00a0 MEIER'), personOf('ann meier'));
    assert.notEqual(personOf('Ann Meier'), personOf('Anna Meier'));
  });
});

describe("Wilson's bounds", () => {
  it('hold the share between them, inside 0 and 1, and close in with more cases', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), fc.double({ min: 0, max: 1, noNaN: true }), (cases, share) => {
        const hits = Math.round(share * cases);
        const { lower, upper } = wilsonBounds(hits, cases);
        assert.ok(lower >= 0 && upper <= 1 && lower <= hits / cases + 1e-12 && upper >= hits / cases - 1e-12);
        const closer = wilsonBounds(hits * 10, cases * 10);
        assert.ok(closer.upper - closer.lower < upper - lower);
      }),
    );
    assert.deepEqual(wilsonBounds(0, 0), { lower: 0, upper: 1 });
  });

  it('of 7 of 20 lie on both sides of the floor, of 8 of 20 above it', () => {
    assert.ok(wilsonBounds(7, 20).lower < 0.2 && wilsonBounds(8, 20).lower > 0.2);
    assert.ok(Math.abs(wilsonBounds(8, 20).lower - 0.2188) < 1e-4);
  });
});
