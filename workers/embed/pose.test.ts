import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { LANDMARK_COUNT } from './face-points.ts';
import { poseOf } from './pose.ts';
import type { Point } from './similarity.ts';

type HeadPoint = readonly [landmark: number, x: number, y: number, z: number];
/** Landmarks at both sides of the face, at the same place but for the side. */
const pair = (left: number, right: number, x: number, y: number, z: number): HeadPoint[] => [
  [left, -x, y, z],
  [right, x, y, z],
];
/** The points the pose is estimated from, as a head looks at the camera: x right, y down, z towards it. */
const HEAD: readonly HeadPoint[] = [
  [30, 0, 0, 0],
  [8, 0, 330, -65],
  ...pair(36, 45, 225, -170, -135),
  ...pair(48, 54, 150, 150, -125),
];

/** Turned up by pitch, then to the picture's right by yaw, then clockwise by roll, seen from far away. */
function landmarks(yaw: number, pitch: number, roll: number, scale = 0.2): Point[] {
  const points = Array.from({ length: LANDMARK_COUNT }, (): Point => [0, 0]);
  const [cy, sy, cp, sp, cr, sr] = [yaw, pitch, roll].flatMap((angle) => {
    const radians = (angle * Math.PI) / 180;
    return [Math.cos(radians), Math.sin(radians)];
  });
  assert.ok(cy !== undefined && sy !== undefined && cp !== undefined && sp !== undefined);
  assert.ok(cr !== undefined && sr !== undefined);
  for (const [landmark, x, y, z] of HEAD) {
    const [y1, z1] = [cp * y - sp * z, sp * y + cp * z];
    const x2 = cy * x + sy * z1;
    points[landmark] = [500 + scale * (cr * x2 - sr * y1), 400 + scale * (sr * x2 + cr * y1)];
  }
  return points;
}

describe('poseOf', () => {
  it('is straight for a head that looks at the camera', () => {
    assert.deepEqual(poseOf(landmarks(0, 0, 0)), { yawDegrees: 0, pitchDegrees: 0, rollDegrees: 0 });
  });

  it('finds the angles a head was turned by', () => {
    const angle = (most: number) => fc.double({ min: -most, max: most, noNaN: true });
    fc.assert(
      fc.property(
        angle(60),
        angle(40),
        angle(80),
        fc.double({ min: 0.05, max: 3, noNaN: true }),
        (yaw, pitch, roll, scale) => {
          const pose = poseOf(landmarks(yaw, pitch, roll, scale));
          assert.ok(pose !== null);
          assert.ok(Math.abs(pose.yawDegrees - yaw) < 0.2, `yaw ${pose.yawDegrees} for ${yaw}`);
          assert.ok(Math.abs(pose.pitchDegrees - pitch) < 0.2, `pitch ${pose.pitchDegrees} for ${pitch}`);
          assert.ok(Math.abs(pose.rollDegrees - roll) < 0.2, `roll ${pose.rollDegrees} for ${roll}`);
        },
      ),
    );
  });

  it('says nothing without landmarks, or of landmarks that coincide', () => {
    assert.equal(poseOf([]), null);
    assert.equal(poseOf(Array.from({ length: LANDMARK_COUNT }, (): Point => [3, 3])), null);
  });
});
