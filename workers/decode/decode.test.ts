import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import { needsShared, requireShared } from '../../test/shared-data.ts';
import { decodePicture, decoderNames } from './decode.ts';
import { reasonOfHeif } from './heif-decoder.ts';

const OPTIONS = { mode: 'exact', budget: { pixels: 1_000_000, sidePixels: 5000 } } as const;
const plain = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: '#c86432' } });
const sharpDecode = (bytes: Buffer, mediaType = 'image/png') => decodePicture(bytes, mediaType, 'sharp', OPTIONS);

describe('decoding with sharp', () => {
  it('drops alpha and does not blend it', async () => {
    const pixel = Buffer.from([200, 100, 50, 0]);
    const bytes = await sharp(pixel, { raw: { width: 1, height: 1, channels: 4 } })
      .png()
      .toBuffer();
    const picture = await sharpDecode(bytes);
    assert.ok(picture.kind === 'decoded');
    assert.deepEqual([...picture.pixels], [200, 100, 50]);
  });

  it('does not turn the picture by its EXIF orientation', async () => {
    const picture = await sharpDecode(
      await plain(30, 20).jpeg().withMetadata({ orientation: 6 }).toBuffer(),
      'image/jpeg',
    );
    assert.ok(picture.kind === 'decoded');
    assert.deepEqual([picture.decodedWidthPixels, picture.decodedHeightPixels], [30, 20]);
  });

  it('does not convert by an embedded profile', async () => {
    const raw = plain(8, 8);
    const tagged = await raw.clone().png().keepIccProfile().withIccProfile('p3', { attach: true }).toBuffer();
    const direct = await sharp(tagged, { ignoreIcc: true }).raw().toBuffer();
    const picture = await sharpDecode(tagged);
    assert.ok(picture.kind === 'decoded');
    assert.deepEqual(Buffer.from(picture.pixels), direct);
  });

  it('takes the first frame and counts the others', async () => {
    const frames = await Promise.all(
      ['#f00', '#0f0', '#00f'].map((background) =>
        sharp({ create: { width: 8, height: 8, channels: 3, background } })
          .png()
          .toBuffer(),
      ),
    );
    const bytes = await sharp(frames, { join: { animated: true } })
      .gif()
      .toBuffer();
    const picture = await sharpDecode(bytes, 'image/gif');
    assert.ok(picture.kind === 'decoded');
    assert.equal(picture.frames, 3);
    assert.deepEqual([...picture.pixels.subarray(0, 3)], [255, 0, 0]);
  });

  it('refuses what the header claims beyond the budget', async () => {
    const pixels = await sharpDecode(await plain(1001, 1000).png().toBuffer());
    const side = await sharpDecode(await plain(5001, 10).png().toBuffer());
    assert.deepEqual(
      [pixels, side].map((result) => (result.kind === 'refused' ? result.reason.code : result.kind)),
      ['pixelLimit', 'dimensionLimit'],
    );
  });

  it('marks a cut JPEG as truncated, and decodes what is there', async () => {
    const bytes = await plain(200, 200).jpeg({ quality: 90 }).toBuffer();
    const picture = await sharpDecode(bytes.subarray(0, bytes.length - 40), 'image/jpeg');
    assert.ok(picture.kind === 'decoded');
    assert.equal(picture.damage?.code, 'truncated');
  });

  it('opens no SVG, whatever it is called', async () => {
    const svg = Buffer.from(
      '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>',
    );
    const result = await sharpDecode(svg);
    assert.equal(result.kind, 'refused');
    await assert.rejects(sharp(svg).metadata());
  });
});

describe('decoding HEIC', needsShared, () => {
  const heic = () => readFileSync(requireShared('data/hostile/suites/exif-samples-heic/samplefilehub.heif'));
  const decode = (bytes: Buffer, budget = { pixels: 100_000_000, sidePixels: 65_500 }) =>
    decodePicture(bytes, 'image/heic', 'heif', { mode: 'exact', budget });

  it('gives the pixels of a HEVC picture, which show something', async () => {
    const picture = await decode(heic());
    assert.ok(picture.kind === 'decoded');
    assert.equal(picture.pixels.length, 3 * 640 * 426);
    const mean = picture.pixels.reduce((sum, value) => sum + value, 0) / picture.pixels.length;
    const deviation = Math.sqrt(
      picture.pixels.reduce((sum, value) => sum + (value - mean) ** 2, 0) / picture.pixels.length,
    );
    assert.ok(deviation > 20, `deviation ${deviation}`);
  });

  it('gives the same pixels twice', async () => {
    const [first, second] = [await decode(heic()), await decode(heic())];
    assert.ok(first.kind === 'decoded' && second.kind === 'decoded');
    assert.deepEqual(first.pixels, second.pixels);
  });

  it('refuses one beyond the budget', async () => {
    const result = await decode(heic(), { pixels: 640 * 426 - 1, sidePixels: 65_500 });
    assert.equal(result.kind === 'refused' ? result.reason.code : 'decoded', 'pixelLimit');
  });

  it('refuses cut and altered ones with a reason, and decodes the next one', async () => {
    const whole = heic();
    for (const keep of [12, 100, 440, 3000, 20_000])
      assert.equal((await decode(whole.subarray(0, keep))).kind, 'refused');
    for (let at = 24; at < 440; at += 7) {
      const altered = Buffer.from(whole);
      altered[at] = (altered[at] ?? 0) ^ 0xff;
      const result = await decode(altered);
      assert.ok(result.kind === 'decoded' || result.reason.detail !== '');
    }
    assert.equal((await decode(whole)).kind, 'decoded');
  });
});

describe('decoders', () => {
  it('name themselves with their versions', async () => {
    const names = await decoderNames();
    assert.match(
      names.join('; '),
      /^sharp \d+\.\d+\.\d+ \(libvips \d+\.\d+\.\d+\); libheif-js \d+\.\d+\.\d+; homeward bmp\/1$/,
    );
  });

  it('give each error of libheif a reason', () => {
    assert.equal(reasonOfHeif(2, 100, 'corruptHeader'), 'truncated');
    assert.equal(reasonOfHeif(6, 1000, 'corruptData'), 'pixelLimit');
    assert.equal(reasonOfHeif(6, 0, 'corruptData'), 'memoryLimit');
    assert.equal(reasonOfHeif(4, 3000, 'corruptData'), 'unsupportedVariant');
    assert.equal(reasonOfHeif(7, 0, 'corruptData'), 'corruptData');
  });
});
