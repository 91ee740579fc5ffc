import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chooseCandidates } from './choose-candidates.ts';
import type { Candidate } from './geometry-kernel.ts';

const PICTURE = { widthPixels: 640, heightPixels: 480 };
const candidate = (index: number, x: number, y: number, response: number): Candidate => ({
  index,
  x,
  y,
  sigmaPixels: 2,
  response,
});
/** Strong ones in one cell of the corner, weak ones all over the rest. */
const corner = Array.from({ length: 1000 }, (_, at) => candidate(at, at % 80, (at * 7) % 80, 1 + at));
const elsewhere = Array.from({ length: 300 }, (_, at) =>
  candidate(1000 + at, 80 + ((at * 0.618034) % 1) * 559, 80 + (at / 300) * 399, 0.1),
);

describe('choice of keypoints', () => {
  it('does not let one textured corner take all of them', () => {
    const chosen = chooseCandidates([...corner, ...elsewhere], PICTURE, 400);
    assert.equal(chosen.filter(({ index }) => index >= 1000).length, 300);
  });

  it('takes the strongest of a cell first', () => {
    const chosen = chooseCandidates([...corner, ...elsewhere], PICTURE, 400);
    assert.deepEqual(
      chosen.filter(({ index }) => index < 1000).map(({ index }) => index),
      Array.from({ length: 100 }, (_, at) => 999 - at),
    );
  });

  it('fills up from the corner where there is nothing else', () => {
    assert.equal(chooseCandidates(corner, PICTURE, 400).length, 400);
  });
});
