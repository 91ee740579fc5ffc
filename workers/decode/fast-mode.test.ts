import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import { needsShared, requireShared } from '../../test/shared-data.ts';
import { PictureHasher } from '../hash/picture-hasher.ts';
import { decodePicture } from './decode.ts';
import { FAST_MIN_SIDE_PIXELS, reductionFactorFor } from './reduction.ts';

const BUDGET = { pixels: 100_000_000, sidePixels: 65_500 } as const;

function distanceBits(a: string, b: string): number {
  let difference = BigInt(`0x${a}`) ^ BigInt(`0x${b}`);
  let bits = 0;
  for (; difference > 0n; difference >>= 1n) bits += Number(difference & 1n);
  return bits;
}

describe('the reduction of fast mode', () => {
  it('never leaves fewer pixels on the smaller side than its bound', () => {
    for (const side of [100, 511, 1023, 1024, 2047, 2048, 9000])
      assert.ok(Math.min(side, FAST_MIN_SIDE_PIXELS) <= side / reductionFactorFor(side, side * 2, 'image/jpeg'));
  });
  it('reduces only what can be decoded smaller', () => {
    assert.equal(reductionFactorFor(4000, 3000, 'image/jpeg'), 4);
    assert.equal(reductionFactorFor(1600, 1204, 'image/webp'), 2);
    assert.equal(reductionFactorFor(4000, 3000, 'image/png'), 1);
  });
});

describe('fast mode on a photograph', needsShared, () => {
  const photograph = () => readFileSync(requireShared('data/pdq/reg-test-input__exif-rotn__exif-rotn-1.jpg'));
  const smaller = () => sharp(photograph()).resize(2400).webp({ quality: 85, effort: 0 }).toBuffer();

  for (const [mediaType, bytes, width, factor] of [
    ['image/jpeg', photograph, 4032, 4],
    ['image/webp', smaller, 2400, 2],
  ] as const) {
    it(`${mediaType} of ${width} pixels: records both sizes, and stays near the exact hash`, async () => {
      const hasher = await PictureHasher.load();
      const content = await bytes();
      const hashes = [];
      for (const mode of ['exact', 'fast'] as const) {
        const picture = await decodePicture(content, mediaType, 'sharp', { mode, budget: BUDGET });
        assert.ok(picture.kind === 'decoded');
        assert.equal(picture.widthPixels, width);
        assert.equal(picture.reductionFactor, mode === 'fast' ? factor : 1);
        assert.equal(picture.decodedWidthPixels, width / picture.reductionFactor);
        hashes.push(
          hasher.hash(picture.pixels, picture.decodedWidthPixels, picture.decodedHeightPixels, picture.channels),
        );
      }
      for (const flavour of [0, 1]) {
        const bits = distanceBits(hashes[0]?.pdq[flavour]?.hex ?? '', hashes[1]?.pdq[flavour]?.hex ?? '');
        assert.ok(bits <= 10, `flavour ${flavour}: ${bits} bits`);
      }
    });
  }
});
