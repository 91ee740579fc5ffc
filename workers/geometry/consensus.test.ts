import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { findConsensus } from './consensus.ts';
import type { Correspondences } from './correspondences.ts';
import { cubicRoots, FUNDAMENTAL } from './fundamental.ts';
import { HOMOGRAPHY } from './homography.ts';
import { smallestEigenvector, solveInPlace } from './linear-algebra.ts';
import { XorShift } from './random.ts';

type Pair = readonly [ax: number, ay: number, bx: number, by: number];

function correspondences(pairs: readonly Pair[]): Correspondences {
  const column = (k: 0 | 1 | 2 | 3) => Float64Array.from(pairs, (pair) => pair[k]);
  return { count: pairs.length, ax: column(0), ay: column(1), bx: column(2), by: column(3) };
}

/** `count` true pairs, each off by up to half a unit, then `wrong` made up ones; shuffled in one fixed way. */
function mixture(count: number, wrong: number, seed: number, truth: (part: () => number) => Pair): Correspondences {
  const random = new XorShift(seed);
  const part = () => random.below(100_000) / 100_000;
  const off = () => part() - 0.5;
  const pairs: Pair[] = Array.from({ length: count }, () => {
    const [ax, ay, bx, by] = truth(part);
    return [ax, ay, bx + off(), by + off()];
  });
  for (let at = 0; at < wrong; at++) {
    pairs.splice(random.below(pairs.length), 0, [part() * 1000, part() * 750, part() * 1000, part() * 750]);
  }
  return correspondences(pairs);
}

/** A plane seen askew; known in both directions. */
const askew = (x: number, y: number) => {
  const w = 1 + 0.0003 * x - 0.0002 * y;
  return [(0.9 * x + 0.2 * y + 40) / w, (-0.15 * x + 1.05 * y + 60) / w] as const;
};

/** A place in space seen by two cameras, the second one to the side and turned by ten degrees. */
function seenTwice(part: () => number): Pair {
  const x = part() * 4 - 2;
  const y = part() * 3 - 1.5;
  const z = 4 + part() * 4;
  const cos = Math.cos(0.17);
  const sin = Math.sin(0.17);
  const depth = -sin * (x - 1) + cos * z;
  return [
    500 + (800 * x) / z,
    375 + (800 * y) / z,
    500 + (800 * (cos * (x - 1) + sin * z)) / depth,
    375 + (800 * y) / depth,
  ];
}

describe('consensus of correspondences', () => {
  it('recovers a known homography among as many wrong pairs: every corner within a unit', () => {
    const pairs = mixture(60, 60, 5, (part) => {
      const [x, y] = [part() * 1000, part() * 750];
      return [x, y, ...askew(x, y)];
    });
    const found = findConsensus(HOMOGRAPHY, pairs);
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0, i = 0] = found?.model ?? [];
    for (const [x, y] of [
      [0, 0],
      [1000, 0],
      [1000, 750],
      [0, 750],
    ] as const) {
      const w = g * x + h * y + i;
      const [u, v] = askew(x, y);
      const off = Math.hypot((a * x + b * y + c) / w - u, (d * x + e * y + f) / w - v);
      assert.ok(off < 1, `corner ${x}, ${y} is off by ${off}`);
    }
  });

  it('keeps all true pairs of a scene in space among two thirds as many wrong ones', () => {
    const found = findConsensus(FUNDAMENTAL, mixture(60, 40, 9, seenTwice));
    assert.ok((found?.inliers.length ?? 0) >= 60, `${found?.inliers.length}`);
  });

  it('finds a fundamental matrix of rank two', () => {
    const { model } = findConsensus(FUNDAMENTAL, mixture(60, 10, 9, seenTwice)) ?? { model: new Float64Array(9) };
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0, i = 0] = model;
    const size = Math.hypot(...model);
    assert.ok(size > 0);
    const determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
    assert.ok(Math.abs(determinant) < 1e-9 * size ** 3, `${determinant / size ** 3}`);
  });

  it('gives no model for too few pairs', () => {
    assert.equal(findConsensus(HOMOGRAPHY, mixture(4, 0, 1, seenTwice)), undefined);
    assert.equal(findConsensus(FUNDAMENTAL, mixture(7, 0, 1, seenTwice)), undefined);
  });

  it('ends with at most all pairs for whatever places', () => {
    const place = fc.integer({ min: 0, max: 1000 });
    fc.assert(
      fc.property(fc.array(fc.tuple(place, place, place, place), { maxLength: 60 }), (pairs) => {
        for (const kind of [HOMOGRAPHY, FUNDAMENTAL]) {
          assert.ok((findConsensus(kind, correspondences(pairs))?.inliers.length ?? 0) <= pairs.length);
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe('linear algebra', () => {
  const value = fc.double({ min: -5, max: 5, noNaN: true });

  it('finds every simple root of a cubic that has been built from it', () => {
    fc.assert(
      fc.property(value, value, value, (root, p, q) => {
        // Not a double one: rounding may part it into two that are not real.
        fc.pre(Math.abs(root * root + p * root + q) > 0.1);
        const roots = cubicRoots(1, p - root, q - p * root, -q * root);
        assert.ok(
          roots.some((found) => Math.abs(found - root) < 1e-3),
          `${roots} for ${root}`,
        );
      }),
    );
  });

  it('solves a system whose solution is known', () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 9, maxLength: 9 }), fc.tuple(value, value, value), (m, solution) => {
        const rows = new Float64Array(12);
        for (let row = 0; row < 3; row++) {
          for (let column = 0; column < 3; column++) {
            const element = (m[row * 3 + column] ?? 0) + (row === column ? 20 : 0);
            rows[row * 4 + column] = element;
            rows[row * 4 + 3] = (rows[row * 4 + 3] ?? 0) + element * (solution[column] ?? 0);
          }
        }
        assert.ok(solveInPlace(rows, 3));
        for (let row = 0; row < 3; row++) assert.ok(Math.abs((rows[row * 4 + 3] ?? 0) - (solution[row] ?? 0)) < 1e-9);
      }),
    );
  });

  it('says so where a system has no one solution', () => {
    assert.equal(solveInPlace(Float64Array.of(1, 2, 3, 2, 4, 6), 2), false);
  });

  it('finds a vector that a symmetric matrix makes smallest', () => {
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 20, maxLength: 20 }),
        fc.array(value, { minLength: 4, maxLength: 4 }),
        (m, other) => {
          const length = Math.hypot(...other);
          fc.pre(length > 0.1);
          const gram = new Float64Array(16);
          for (let i = 0; i < 4; i++) {
            for (let j = 0; j < 4; j++) {
              for (let k = 0; k < 5; k++)
                gram[i * 4 + j] = (gram[i * 4 + j] ?? 0) + (m[k * 4 + i] ?? 0) * (m[k * 4 + j] ?? 0);
            }
          }
          const energy = (v: ArrayLike<number>) => {
            let sum = 0;
            for (let i = 0; i < 4; i++)
              for (let j = 0; j < 4; j++) sum += (v[i] ?? 0) * (gram[i * 4 + j] ?? 0) * (v[j] ?? 0);
            return sum;
          };
          const smallest = smallestEigenvector(gram.slice(), 4);
          assert.ok(Math.abs(Math.hypot(...smallest) - 1) < 1e-9);
          assert.ok(energy(smallest) <= energy(other.map((element) => element / length)) + 1e-9);
        },
      ),
    );
  });
});
