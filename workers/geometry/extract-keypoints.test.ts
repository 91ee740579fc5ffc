import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Compile } from 'typebox/compile';
import { Keypoints, MOST_KEYPOINTS } from '../../schemas/embedding.ts';
import { HomewardError } from '../../schemas/error.ts';
import { extractKeypoints } from './extract-keypoints.ts';
import { unpackKeypoints } from './keypoint-records.ts';
import { asItIs, drawLayer, type LumaPicture, placedIn, renderLayers, turned, type View } from './test-scenes.ts';

const isKeypoints = Compile(Keypoints);
const keypointsOf = ({ luma, widthPixels, heightPixels }: LumaPicture) =>
  extractKeypoints(luma, widthPixels, heightPixels);

const scene = drawLayer(7, 400);
const seen = (view: View, widthPixels?: number, heightPixels?: number) =>
  renderLayers([{ layer: scene, view }], widthPixels, heightPixels);
const straight = seen(asItIs);
const straightPoints = keypointsOf(straight);
const noise = (length: number) =>
  Uint8Array.from({ length }, (_, at) => (Math.imul(at ^ (at >>> 7), 0x9e3779b1) >>> 13) & 255);

/** Part of the straight picture's keypoints that have one within two pixels of their place in the other picture. */
function repeatedPart(other: Keypoints, place: View): number {
  const from = unpackKeypoints(straightPoints);
  const to = unpackKeypoints(other);
  let inside = 0;
  let repeated = 0;
  for (let i = 0; i < from.count; i++) {
    const [x, y] = place(from.x[i] ?? 0, from.y[i] ?? 0);
    if (x < 0.03 || x > 0.97 || y < 0.03 || y > 0.72) continue;
    inside++;
    if (to.x.some((otherX, j) => Math.hypot(otherX - x, (to.y[j] ?? 0) - y) * straight.widthPixels < 2)) repeated++;
  }
  assert.ok(inside > 80, `${inside} keypoints inside both pictures`);
  return repeated / inside;
}

describe('keypoints of a picture', () => {
  for (const [what, degrees, scale, least] of [
    ['turned by 90 degrees', 90, 1, 0.85],
    ['turned by 30 degrees', 30, 1, 0.6],
    ['seen from further off', 0, 0.7, 0.4],
    ['seen from nearer', 0, 1.5, 0.55],
    ['turned and seen from further off', 45, 0.8, 0.5],
  ] as const) {
    it(`are found again where it is ${what}`, () => {
      const part = repeatedPart(keypointsOf(seen(turned(degrees, scale))), placedIn(degrees, scale));
      assert.ok(part >= least, `${part}`);
    });
  }

  it('are found again where it is half as bright', () => {
    const part = repeatedPart(keypointsOf({ ...straight, luma: straight.luma.map((value) => value / 2 + 30) }), asItIs);
    assert.ok(part >= 0.85, `${part}`);
  });

  it('are the same bytes 100 of 100 times, other pictures in between', () => {
    const picture = seen(asItIs, 160, 120);
    const digests = new Set<string>();
    for (let round = 0; round < 100; round++) {
      digests.add(createHash('sha256').update(keypointsOf(picture).data).digest('hex'));
      if (round % 20 === 0) keypointsOf(straight);
    }
    assert.equal(digests.size, 1);
  });

  it('are the same on every machine: the digest of those of a drawn scene', () => {
    // Corners by integers alone, so that no library of mathematics has a part in the picture.
    const luma = Uint8Array.from({ length: 320 * 240 }, (_, at) => {
      const x = at % 320;
      const y = Math.floor(at / 320);
      return (Math.imul(((x / 23) | 0) * 31 + ((y / 17) | 0) * 57 + 1, 0x9e3779b1) >>> 24) & 255;
    });
    const { count, data } = extractKeypoints(luma, 320, 240);
    assert.deepEqual(
      { count, sha256: createHash('sha256').update(data).digest('hex') },
      { count: 192, sha256: '602016e0d0170b7105a0372ddba5e07a3f6cd481a1de15dc3785d8416f91c124' },
    );
  });

  it('are at most 400, and what the schema says, even of noise', () => {
    const found = extractKeypoints(noise(1024 * 768), 1024, 768);
    assert.ok(isKeypoints.Check(found));
    assert.ok(found.count > 0 && found.count <= MOST_KEYPOINTS, `${found.count}`);
  });

  it('are none of a flat picture', () => {
    assert.equal(extractKeypoints(new Uint8Array(300 * 200).fill(90), 300, 200).count, 0);
  });

  it('are what the schema says whatever the size and the bytes', () => {
    const picture = fc
      .tuple(fc.integer({ min: 1, max: 120 }), fc.integer({ min: 1, max: 120 }))
      .chain(([width, height]) =>
        fc.tuple(
          fc.constant(width),
          fc.constant(height),
          fc.uint8Array({ minLength: width * height, maxLength: width * height }),
        ),
      );
    fc.assert(
      fc.property(picture, ([width, height, luma]) => isKeypoints.Check(extractKeypoints(luma, width, height))),
      { numRuns: 60 },
    );
  });

  for (const [width, height] of [
    [1, 1],
    [1, 1024],
    [1024, 2],
  ] as const) {
    it(`are none of a strip of ${width} x ${height}`, () => {
      assert.equal(extractKeypoints(noise(width * height), width, height).count, 0);
    });
  }

  for (const [what, bytes, width, height] of [
    ['a byte too few', 99, 10, 10],
    ['a side of 0', 0, 0, 10],
    ['a side of 1025', 1025, 1025, 1],
    ['half a pixel', 15, 1.5, 10],
  ] as const) {
    it(`are refused of a picture with ${what}`, () => {
      assert.throws(() => extractKeypoints(new Uint8Array(bytes), width, height), HomewardError);
    });
  }
});
