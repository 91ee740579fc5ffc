import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type PlaceCandidate, rerankPlaces } from './place-rerank.ts';

const candidate = (name: string, similarity: number, inliers?: { fundamental: number; homography: number }) => ({
  name,
  similarity,
  geometry:
    inliers === undefined
      ? null
      : { tentative: 60, fundamentalInliers: inliers.fundamental, homographyInliers: inliers.homography },
});

const order = (...candidates: ReturnType<typeof candidate>[]) => rerankPlaces(candidates).map(({ name }) => name);

describe('re-ranking of places', () => {
  it('puts a candidate of 15 fundamental inliers before a more similar one of 14', () => {
    const passed = candidate('passed', 0.5, { fundamental: 15, homography: 0 });
    assert.deepEqual(order(candidate('similar', 0.9, { fundamental: 14, homography: 9 }), passed), [
      'passed',
      'similar',
    ]);
  });

  it('puts a candidate of 10 homography inliers before a more similar one that was not checked', () => {
    const passed = candidate('passed', 0.5, { fundamental: 0, homography: 10 });
    assert.deepEqual(order(candidate('unchecked', 0.9), passed), ['passed', 'unchecked']);
  });

  it('keeps the order of similarity among those that passed, however many inliers they have', () => {
    const many = candidate('many', 0.6, { fundamental: 300, homography: 300 });
    const few = candidate('few', 0.7, { fundamental: 15, homography: 0 });
    assert.deepEqual(order(many, few), ['few', 'many']);
  });

  const arbitrary: fc.Arbitrary<PlaceCandidate> = fc.record({
    similarity: fc.double({ min: -1, max: 1, noNaN: true }),
    geometry: fc.option(
      fc.record({
        tentative: fc.nat(400),
        fundamentalInliers: fc.nat(400),
        homographyInliers: fc.nat(400),
      }),
    ),
  });

  it('loses and invents no candidate', () => {
    fc.assert(
      fc.property(fc.array(arbitrary), (candidates) => {
        assert.deepEqual(new Set(rerankPlaces(candidates)), new Set(candidates));
        assert.equal(rerankPlaces(candidates).length, candidates.length);
      }),
    );
  });

  it('gives the same list whatever the order of candidates of different similarity', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(arbitrary, {
          selector: ({ similarity }) => similarity,
          // -0 and 0 are the same similarity.
          comparator: (a, b) => a === b,
        }),
        (candidates) => {
          assert.deepEqual(rerankPlaces(candidates.toReversed()), rerankPlaces(candidates));
        },
      ),
    );
  });
});
