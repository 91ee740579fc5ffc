import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DecodedPicture } from '../decode/decoded-picture.ts';
import { isExifOrientation, storedPoint, uprightRaster } from './raster.ts';

/** Each pixel has a colour of its own. */
function picture(widthPixels: number, heightPixels: number, channels: 1 | 3 | 4): DecodedPicture {
  const pixels = Uint8Array.from({ length: widthPixels * heightPixels * channels }, (_, i) => (i * 7) % 251);
  return {
    kind: 'decoded',
    pixels,
    decodedWidthPixels: widthPixels,
    decodedHeightPixels: heightPixels,
    channels,
    widthPixels,
    heightPixels,
    reductionFactor: 1,
    frames: 1,
    decoder: 'test',
    damage: null,
  };
}

describe('uprightRaster', () => {
  for (const orientation of [1, 2, 3, 4, 5, 6, 7, 8].filter(isExifOrientation))
    for (const [width, height] of [
      [5, 3],
      [1, 4],
      [4, 1],
    ] as const)
      it(`has each pixel of orientation ${orientation}, ${width} x ${height}, where storedPoint says it was`, () => {
        const stored = picture(width, height, 3);
        const upright = uprightRaster(stored, orientation);
        for (let y = 0; y < upright.heightPixels; y++)
          for (let x = 0; x < upright.widthPixels; x++) {
            const [storedX, storedY] = storedPoint([x + 0.5, y + 0.5], orientation, stored);
            const from = (Math.floor(storedY) * width + Math.floor(storedX)) * 3;
            const at = (y * upright.widthPixels + x) * 3;
            assert.deepEqual(upright.pixels.subarray(at, at + 3), stored.pixels.subarray(from, from + 3));
          }
      });

  it('turns orientation 6 to the right, as cameras mean it', () => {
    const upright = uprightRaster(picture(3, 2, 3), 6);
    // The lower left pixel of the stored picture becomes the upper left one.
    assert.deepEqual([upright.widthPixels, upright.heightPixels], [2, 3]);
    assert.deepEqual([...upright.pixels.subarray(0, 3)], [(9 * 7) % 251, (10 * 7) % 251, (11 * 7) % 251]);
  });

  it('repeats grey three times and drops alpha', () => {
    assert.deepEqual([...uprightRaster(picture(2, 1, 1), 1).pixels], [0, 0, 0, 7, 7, 7]);
    assert.deepEqual([...uprightRaster(picture(2, 1, 4), 1).pixels], [0, 7, 14, 28, 35, 42]);
  });

  it('refuses pixels that do not fill the picture', () => {
    assert.throws(() => uprightRaster({ ...picture(2, 2, 3), pixels: new Uint8Array(5) }, 1), /expected 12 bytes/);
  });
});
