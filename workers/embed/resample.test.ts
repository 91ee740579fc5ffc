import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import sharp from 'sharp';
import { Pyramid } from './pyramid.ts';
import type { Raster } from './raster.ts';
import { type Filter, resample, resampleFloatRows } from './resample.ts';

const FILTERS: readonly Filter[] = ['area', 'bilinear', 'bicubic', 'lanczos3'];
const raster = (
  widthPixels: number,
  heightPixels: number,
  at: (x: number, y: number, c: number) => number,
): Raster => ({
  widthPixels,
  heightPixels,
  pixels: Uint8Array.from({ length: widthPixels * heightPixels * 3 }, (_, i) =>
    at(Math.floor(i / 3) % widthPixels, Math.floor(i / 3 / widthPixels), i % 3),
  ),
});
const whole = ({ widthPixels, heightPixels }: Raster) => ({ x: 0, y: 0, width: widthPixels, height: heightPixels });

describe('resample', () => {
  it('keeps one colour at every size, region and filter', () => {
    const side = fc.integer({ min: 1, max: 70 });
    fc.assert(
      fc.property(side, side, side, side, fc.constantFrom(...FILTERS), (w, h, toWidth, toHeight, filter) => {
        const source = raster(w, h, (_x, _y, c) => 40 + c * 50);
        const { values } = resample(
          new Pyramid(source),
          { x: -1, y: 0.5, width: w + 1, height: h },
          toWidth,
          toHeight,
          filter,
        );
        for (const [i, value] of values.entries()) assert.ok(Math.abs(value - (40 + (i % 3) * 50)) < 0.01);
      }),
    );
  });

  for (const filter of FILTERS)
    it(`gives a picture back at its own size with ${filter}`, () => {
      const source = raster(9, 7, (x, y, c) => (x * 31 + y * 17 + c * 5) % 256);
      const { values } = resample(new Pyramid(source), whole(source), 9, 7, filter);
      for (const [i, value] of values.entries()) assert.ok(Math.abs(value - (source.pixels[i] ?? -1)) < 0.01);
    });

  it('averages what it reduces: no aliases of a fine grid', () => {
    const source = raster(512, 512, (x, y) => ((x + y) % 2) * 255);
    const { values } = resample(new Pyramid(source), whole(source), 37, 37, 'bilinear');
    for (const value of values) assert.ok(Math.abs(value - 127.5) < 2, `${value}`);
  });

  it('is near to what libvips makes of a photograph-like picture', async () => {
    const source = raster(600, 450, (x, y, c) => 128 + 60 * Math.sin(x / 23 + c) + 60 * Math.cos(y / 17 - c));
    const { values } = resample(new Pyramid(source), whole(source), 88, 88, 'lanczos3');
    const theirs = await sharp(source.pixels, { raw: { width: 600, height: 450, channels: 3 } })
      .resize(88, 88, { fit: 'fill', kernel: 'lanczos3' })
      .raw()
      .toBuffer();
    const difference = values.reduce((sum, value, i) => sum + Math.abs(value - (theirs[i] ?? 0)), 0) / values.length;
    assert.ok(difference < 1.5, `${difference}`);
  });

  it('cuts a region out of its place', () => {
    const source = raster(64, 64, (x) => (x < 32 ? 10 : 200));
    const { values } = resample(new Pyramid(source), { x: 32, y: 0, width: 32, height: 64 }, 8, 8, 'area');
    for (const value of values) assert.ok(Math.abs(value - 200) < 0.01);
  });

  it('takes strips of one pixel', () => {
    const source = raster(1, 8000, (_x, y) => y % 256);
    assert.ok(resample(new Pyramid(source), whole(source), 224, 224, 'bilinear').values.every(Number.isFinite));
  });
});

describe('resampleFloatRows', () => {
  it('enlarges without leaving the range of a bilinear filter', () => {
    const values = Float32Array.from({ length: 8 * 8 * 3 }, (_, i) => (i * 37) % 256);
    let rows = 0;
    resampleFloatRows({ values, widthPixels: 8, heightPixels: 8 }, 50, 40, 'bilinear', (row) => {
      rows += 1;
      assert.equal(row.length, 150);
      assert.ok(row.every((value) => value >= 0 && value <= 255.001));
    });
    assert.equal(rows, 40);
  });
});

describe('Pyramid', () => {
  it('halves by averaging and keeps an odd last row', () => {
    const { widthPixels, heightPixels, pixels, factor } = new Pyramid(raster(3, 1, (x) => [10, 20, 40][x] ?? 0)).level(
      1,
    );
    assert.deepEqual([widthPixels, heightPixels, factor], [2, 1, 2]);
    assert.deepEqual([pixels[0], pixels[3]], [15, 40]);
  });
});
