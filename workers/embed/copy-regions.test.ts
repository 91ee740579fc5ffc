import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import sharp, { type Sharp } from 'sharp';
import { drawScene } from '../validate/draw-scene.ts';
import { copyRegions } from './copy-regions.ts';
import { Pyramid } from './pyramid.ts';
import type { Raster } from './raster.ts';
import { withoutBorders } from './trim-borders.ts';

async function rasterOf(image: Sharp): Promise<Raster> {
  const { data, info } = await image.removeAlpha().toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });
  return { pixels: data, widthPixels: info.width, heightPixels: info.height };
}
const open = ({ pixels, widthPixels, heightPixels }: Raster) =>
  sharp(pixels, { raw: { width: widthPixels, height: heightPixels, channels: 3 } });
const parts = (raster: Raster) => copyRegions(new Pyramid(raster)).map(({ part }) => part);
const SIZE = { widthPixels: 800, heightPixels: 600 };
const scene = drawScene(1, SIZE.widthPixels, SIZE.heightPixels);
const another = drawScene(2, SIZE.widthPixels, SIZE.heightPixels);

describe('withoutBorders', () => {
  it('leaves a picture without borders whole', () => {
    assert.deepEqual(withoutBorders(new Pyramid(scene)), { x: 0, y: 0, width: 800, height: 600 });
  });

  for (const background of ['white', 'black', '#3366aa'])
    for (const quality of [20, 95])
      it(`finds the picture inside a ${background} border after JPEG quality ${quality}`, async () => {
        const framed = open(scene).extend({ top: 120, bottom: 80, left: 40, right: 60, background });
        const pyramid = new Pyramid(await rasterOf(sharp(await framed.jpeg({ quality }).toBuffer())));
        const { x, y, width, height } = withoutBorders(pyramid);
        for (const [got, wanted] of [
          [x, 40],
          [y, 120],
          [x + width, 840],
          [y + height, 720],
        ] as const)
          assert.ok(Math.abs(got - wanted) <= 12, `${got} and ${wanted}`);
      });

  it('leaves a picture of one colour whole', () => {
    const flat = { ...SIZE, pixels: new Uint8Array(800 * 600 * 3).fill(255) };
    assert.deepEqual(withoutBorders(new Pyramid(flat)), { x: 0, y: 0, width: 800, height: 600 });
  });

  it('takes pictures of a pixel and of a strip', () => {
    for (const [widthPixels, heightPixels] of [
      [1, 1],
      [1, 8000],
      [8000, 1],
    ] as const) {
      const pixels = new Uint8Array(widthPixels * heightPixels * 3);
      const { width, height } = withoutBorders(new Pyramid({ pixels, widthPixels, heightPixels }));
      assert.deepEqual([width, height], [widthPixels, heightPixels]);
    }
  });
});

describe('copyRegions', () => {
  it('is the whole and its centre for one picture', () => {
    assert.deepEqual(parts(scene), ['whole', 'centre']);
  });

  it('has both pictures of a collage, parted at the seam', async () => {
    const other = await open(another).png().toBuffer();
    const collage = await open(scene)
      .extend({ right: 800 })
      .composite([{ input: other, left: 800, top: 0 }])
      .jpeg()
      .toBuffer();
    const regions = copyRegions(new Pyramid(await rasterOf(sharp(collage))));
    const left = regions.find(({ part }) => part === 'left')?.region;
    const right = regions.find(({ part }) => part === 'right')?.region;
    assert.ok(Math.abs((left?.width ?? 0) - 800) < 40, `${left?.width}`);
    assert.ok(Math.abs((right?.x ?? 0) - 800) < 40, `${right?.x}`);
  });

  it('parts pictures that stand above each other, too', async () => {
    const other = await open(another).png().toBuffer();
    const collage = open(scene)
      .extend({ bottom: 600 })
      .composite([{ input: other, left: 0, top: 600 }]);
    const found = parts(await rasterOf(sharp(await collage.png().toBuffer())));
    assert.ok(found.includes('top') && found.includes('bottom'), found.join());
  });
});
