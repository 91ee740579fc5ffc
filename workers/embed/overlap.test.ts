import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Detection } from './detection.ts';
import { blend, containment, overlapOf, suppress } from './overlap.ts';

const whole = (min: number, max: number) => fc.integer({ min, max });
const box = fc.record({ x: whole(-50, 300), y: whole(-50, 300), width: whole(1, 200), height: whole(1, 200) });
const detections: fc.Arbitrary<Detection[]> = fc.array(
  fc.record({ box, score: whole(1, 1000).map((n) => n / 1000), points: fc.constant([]) }),
  { maxLength: 30 },
);

test('overlap is symmetric, 1 with itself, and never above containment, which is at most 1', () => {
  fc.assert(
    fc.property(box, box, (a, b) => {
      assert.equal(overlapOf(a, b), overlapOf(b, a));
      assert.equal(overlapOf(a, a), 1);
      assert.ok(overlapOf(a, b) >= 0 && overlapOf(a, b) <= containment(a, b) && containment(a, b) <= 1);
    }),
  );
});

test('suppression keeps candidates that do not overlap, and leaves out only what a better one overlaps', () => {
  const isSame = (a: Detection['box'], b: Detection['box']) => overlapOf(a, b) >= 0.4;
  fc.assert(
    fc.property(detections, (candidates) => {
      const kept = suppress(candidates, isSame);
      for (const [i, one] of kept.entries())
        for (const other of kept.slice(i + 1)) assert.ok(one.score >= other.score && !isSame(one.box, other.box));
      for (const candidate of candidates)
        assert.ok(
          kept.includes(candidate) || kept.some((k) => k.score >= candidate.score && isSame(k.box, candidate.box)),
        );
    }),
  );
});

test('blending gives as many faces as suppression, of the same scores', () => {
  fc.assert(
    fc.property(detections, (candidates) => {
      const kept = suppress(candidates, (a, b) => overlapOf(a, b) >= 0.3);
      assert.deepEqual(
        blend(candidates, 0.3).map(({ score }) => score),
        kept.map(({ score }) => score),
      );
    }),
  );
});
