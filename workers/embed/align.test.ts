import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PackAlignment } from '../../schemas/model-pack.ts';
import { alignment, type LocatedFace } from './align.ts';
import { fivePointsOf, LANDMARK_COUNT } from './face-points.ts';
import { type Point, transformed } from './similarity.ts';

const CHIP = { widthPixels: 100, heightPixels: 100 };
const near = (a: Point, b: Point) => assert.ok(Math.hypot(a[0] - b[0], a[1] - b[1]) < 1e-6, `${a} and ${b}`);

/** 68 points on an ellipse of 200 x 300 round (400, 500), eyes level, turned by `degrees` about its middle. */
function turnedFace(degrees: number): LocatedFace {
  const radians = (degrees * Math.PI) / 180;
  const turn = ([x, y]: Point): Point => [
    400 + Math.cos(radians) * x - Math.sin(radians) * y,
    500 + Math.sin(radians) * x + Math.cos(radians) * y,
  ];
  const landmarks = Array.from({ length: LANDMARK_COUNT }, (_, i): Point => {
    if (i >= 36 && i < 42) return turn([-50, -60]);
    if (i >= 42 && i < 48) return turn([50, -60]);
    const angle = (i * Math.PI) / 34;
    return turn([100 * Math.cos(angle), 150 * Math.sin(angle)]);
  });
  return { box: { x: 300, y: 350, width: 200, height: 300 }, points: [], landmarks };
}

const byLandmarks: PackAlignment = { method: 'landmarkBox', landmarks: '68', expand: 1.25, upright: true, points: [] };

describe('alignment', () => {
  for (const degrees of [0, 17, -80, 170])
    it(`puts a face turned by ${degrees} degrees upright into the middle of the chip`, () => {
      const toPicture = alignment(turnedFace(degrees), byLandmarks, CHIP);
      assert.ok(toPicture !== undefined);
      near(transformed(toPicture, [50, 50]), [400, 500]);
      // The longer side, 300, times 1.25 fills the chip.
      assert.ok(Math.abs(Math.hypot(toPicture.a, toPicture.b) - 3.75) < 0.02);
      const angle = (Math.atan2(toPicture.b, toPicture.a) * 180) / Math.PI;
      assert.ok(Math.abs(angle - degrees) < 0.01, `${angle}`);
    });

  it('brings five points onto a template', () => {
    const face = turnedFace(30);
    const five = fivePointsOf(face.landmarks);
    const points = five.map(([x, y]) => [(x - 400) / 4 + 50, (y - 500) / 4 + 50]);
    const template: PackAlignment = { method: 'similarity', landmarks: '5', expand: 1, upright: false, points };
    const toPicture = alignment(face, template, CHIP);
    assert.ok(toPicture !== undefined);
    for (const [i, [x = 0, y = 0]] of points.entries()) near(transformed(toPicture, [x, y]), five[i] ?? [0, 0]);
  });

  it("takes a detector's five points where there are no landmarks", () => {
    const { landmarks, ...face } = turnedFace(0);
    const points = fivePointsOf(landmarks);
    const template: PackAlignment = {
      method: 'similarity',
      landmarks: '5',
      expand: 1,
      upright: false,
      points: points.map(([x, y]) => [x / 10, y / 10]),
    };
    const toPicture = alignment({ ...face, points, landmarks: [] }, template, CHIP);
    assert.ok(Math.abs((toPicture?.a ?? 0) - 10) < 1e-9);
  });

  it('takes the box of the detector as it is, its longer side times expand', () => {
    const box: PackAlignment = { method: 'box', landmarks: 'none', expand: 2, upright: false, points: [] };
    const toPicture = alignment(turnedFace(40), box, CHIP);
    assert.deepEqual([toPicture?.a, toPicture?.b], [6, 0]);
  });

  it('has no answer for a face without the points it needs', () => {
    const face = { ...turnedFace(0), landmarks: [] };
    assert.equal(alignment(face, byLandmarks, CHIP), undefined);
    assert.equal(
      alignment(face, { ...byLandmarks, method: 'similarity', landmarks: '5', points: [[1, 1]] }, CHIP),
      undefined,
    );
  });
});
