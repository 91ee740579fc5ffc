import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Pyramid } from './pyramid.ts';
import { fitSimilarity, type Point, transformed, warp } from './similarity.ts';

const coordinate = fc.double({ min: -500, max: 500, noNaN: true });
const point = fc.tuple(coordinate, coordinate);

describe('fitSimilarity', () => {
  it('finds the similarity that moved the points', () => {
    const angle = fc.double({ min: -3, max: 3, noNaN: true });
    const scale = fc.double({ min: 0.1, max: 10, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(point, { minLength: 3, maxLength: 8 }),
        angle,
        scale,
        point,
        (points, turn, size, [tx, ty]) => {
          fc.pre(Math.max(...points.map(([x]) => x)) - Math.min(...points.map(([x]) => x)) > 1);
          const moved = { a: size * Math.cos(turn), b: size * Math.sin(turn), tx, ty };
          const found = fitSimilarity(
            points,
            points.map((one) => transformed(moved, one)),
          );
          assert.ok(found !== undefined);
          for (const key of ['a', 'b'] as const) assert.ok(Math.abs(found[key] - moved[key]) < 1e-6);
          for (const key of ['tx', 'ty'] as const) assert.ok(Math.abs(found[key] - moved[key]) < 1e-3);
        },
      ),
    );
  });

  it('never does worse than the identity between two sets of points', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(point, point), { minLength: 2, maxLength: 8 }), (pairs) => {
        const [from, to]: [Point[], Point[]] = [pairs.map(([p]) => p), pairs.map(([, q]) => q)];
        const found = fitSimilarity(from, to);
        fc.pre(found !== undefined);
        const error = (map: (p: Point) => Point) =>
          from.reduce(
            (sum, p, i) => sum + Math.hypot(map(p)[0] - (to[i]?.[0] ?? 0), map(p)[1] - (to[i]?.[1] ?? 0)) ** 2,
            0,
          );
        assert.ok(
          error((p) => (found === undefined ? p : transformed(found, p))) <= error((p) => p) * (1 + 1e-9) + 1e-6,
        );
      }),
    );
  });

  it('has no answer for points that coincide', () => {
    const same: Point[] = [
      [3, 3],
      [3, 3],
    ];
    assert.equal(fitSimilarity(same, same), undefined);
  });
});

describe('warp', () => {
  const pixels = Uint8Array.from({ length: 40 * 30 * 3 }, (_, i) => (i * 13) % 256);
  const pyramid = new Pyramid({ pixels, widthPixels: 40, heightPixels: 30 });

  it('gives the picture back under the identity', () => {
    const { values } = warp(pyramid, { a: 1, b: 0, tx: 0, ty: 0 }, 40, 30);
    for (const [i, value] of values.entries()) assert.ok(Math.abs(value - (pixels[i] ?? -1)) < 0.01);
  });

  it('is black beyond the picture', () => {
    const { values } = warp(pyramid, { a: 1, b: 0, tx: 100, ty: 0 }, 8, 8);
    assert.ok(values.every((value) => value === 0));
  });

  it('turns by a right angle without interpolating', () => {
    // Chip (x, y) shows picture (40 - y, x).
    const { values } = warp(pyramid, { a: 0, b: 1, tx: 40, ty: 0 }, 30, 40);
    assert.ok(Math.abs((values[0] ?? 0) - (pixels[39 * 3] ?? -1)) < 0.01);
  });
});
