import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { before, describe, it } from 'node:test';
import { bmvbhash } from 'blockhash-core';
import sharp from 'sharp';
import { needsShared, requireShared } from '../../test/shared-data.ts';
import { nearest512, type RawPicture } from './pdq-reference.ts';
import { PictureHasher } from './picture-hasher.ts';
import { renderPicture } from './rendered-pictures.ts';

let hasher: PictureHasher;
before(async () => {
  hasher = await PictureHasher.load();
});

const blockhash = (picture: RawPicture) =>
  hasher.hash(picture.pixels, picture.widthPixels, picture.heightPixels, picture.channels).blockhash?.hex;

function withAlpha({ pixels, widthPixels, heightPixels, channels }: RawPicture, alpha: number): RawPicture {
  const out = new Uint8Array(widthPixels * heightPixels * 4).fill(alpha);
  for (let from = 0, to = 0; from < pixels.length; from += channels, to += 4) {
    out.set(pixels.subarray(from, from + 3), to);
  }
  return { pixels: out, widthPixels, heightPixels, channels: 4 };
}

const blockhashCore = ({ pixels, widthPixels, heightPixels }: RawPicture) =>
  bmvbhash({ data: pixels, width: widthPixels, height: heightPixels }, 16);

function distanceBits(a: string, b: string): number {
  const different = (BigInt(`0x${a}`) ^ BigInt(`0x${b}`)).toString(2);
  return different.replaceAll('0', '').length;
}

describe('blockhash-256-r512', () => {
  /** Darkened: above half brightness blockhash-core decides ties by a tolerance that depends on the size of the sums. */
  const darkScene = (width: number, height: number): RawPicture => {
    const scene = renderPicture('scene', width, height, 3, width);
    return { ...scene, pixels: scene.pixels.map((value) => value >> 1) };
  };

  for (const [width, height] of [
    [1600, 1004],
    [513, 900],
    [512, 512],
    [2048, 600],
  ] as const) {
    it(`is blockhash-core over the 512 x 512 samples of ${width} x ${height}`, () => {
      const dark = darkScene(width, height);
      assert.equal(blockhash(dark), blockhashCore(withAlpha(nearest512(dark), 255)));
    });
  }

  it('is blockhash-core over the picture itself where its sides divide 512 and are multiples of 16', () => {
    const dark = darkScene(256, 128);
    assert.equal(blockhash(dark), blockhashCore(withAlpha(dark, 255)));
  });

  it('drops alpha: a transparent picture hashes as the same one without transparency', () => {
    const scene = renderPicture('scene', 700, 300, 3, 4);
    assert.equal(blockhash(withAlpha(scene, 0)), blockhash(scene));
  });

  it('is null for a side below 16 pixels', () => {
    assert.equal(blockhash(renderPicture('noise', 15, 400, 3, 1)), undefined);
    assert.notEqual(blockhash(renderPicture('noise', 16, 400, 3, 1)), undefined);
  });

  it(
    'lies within 2 bits (median) and 8 bits (most) of the full-size blockhash on public pictures',
    needsShared,
    async () => {
      const distances: number[] = [];
      for (const folder of ['data/faces', 'data/places']) {
        const files = readdirSync(requireShared(folder)).filter((name) => /\.(jpe?g|png)$/.test(name));
        for (const file of files) {
          const { data, info } = await sharp(readFileSync(requireShared(`${folder}/${file}`)), { ignoreIcc: true })
            .toColourspace('srgb')
            .removeAlpha()
            .raw()
            .toBuffer({ resolveWithObject: true });
          if (info.width * info.height > 600_000) continue;
          const full: RawPicture = { pixels: data, widthPixels: info.width, heightPixels: info.height, channels: 3 };
          distances.push(distanceBits(blockhash(full) ?? '0', blockhashCore(withAlpha(full, 255))));
        }
      }
      distances.sort((a, b) => a - b);
      const median = distances[Math.floor(distances.length / 2)] ?? Number.POSITIVE_INFINITY;
      assert.ok(distances.length > 100, `${distances.length} pictures`);
      assert.ok(median <= 2 && Math.max(...distances) <= 8, `median ${median}, most ${distances.at(-1)}`);
    },
  );
});
