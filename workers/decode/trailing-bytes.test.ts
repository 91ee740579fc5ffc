import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import sharp from 'sharp';
import { trailingBytes } from './trailing-bytes.ts';

const scene = () =>
  sharp({
    create: {
      width: 40,
      height: 30,
      channels: 3,
      background: { r: 200, g: 80, b: 20 },
      noise: { type: 'gaussian', mean: 120, sigma: 40 },
    },
  });
const ENCODED: readonly (readonly [string, Buffer])[] = [
  ['image/jpeg', await scene().jpeg().toBuffer()],
  ['image/jpeg', await scene().jpeg({ progressive: true }).toBuffer()],
  ['image/png', await scene().png().toBuffer()],
  ['image/gif', await scene().gif().toBuffer()],
  ['image/webp', await scene().webp().toBuffer()],
];

describe('bytes behind the end of a picture', () => {
  for (const [mediaType, bytes] of ENCODED) {
    it(`${mediaType}: none behind a picture as it was written`, () => assert.equal(trailingBytes(bytes, mediaType), 0));

    it(`${mediaType}: as many as were appended, whatever they are`, () => {
      fc.assert(
        fc.property(fc.uint8Array({ minLength: 2, maxLength: 300 }), (appended) => {
          assert.equal(trailingBytes(Buffer.concat([bytes, appended]), mediaType), appended.length);
        }),
      );
    });

    it(`${mediaType}: not known of a picture that was cut`, () => {
      assert.equal(trailingBytes(bytes.subarray(0, bytes.length - 20), mediaType), null);
    });

    it(`${mediaType}: no bytes make it throw`, () => {
      fc.assert(
        fc.property(fc.nat(bytes.length - 1), fc.uint8Array({ maxLength: 200 }), (keep, rest) => {
          const end = trailingBytes(Buffer.concat([bytes.subarray(0, keep), rest]), mediaType);
          assert.ok(end === null || end >= 0);
        }),
      );
    });
  }

  it('an embedded thumbnail does not end the picture it is in', async () => {
    const [, thumbnail] = ENCODED[0] ?? ['', Buffer.alloc(0)];
    const outer = await scene().jpeg().toBuffer();
    const segment = Buffer.concat([
      Buffer.from([0xff, 0xe2, (thumbnail.length + 2) >> 8, (thumbnail.length + 2) & 255]),
      thumbnail,
    ]);
    const bytes = Buffer.concat([outer.subarray(0, 2), segment, outer.subarray(2), Buffer.alloc(7)]);
    assert.equal(trailingBytes(bytes, 'image/jpeg'), 7);
  });

  it('TIFF and HEIF have no end to find', () => {
    assert.equal(trailingBytes(Buffer.from('II*\0'), 'image/tiff'), null);
    assert.equal(trailingBytes(Buffer.alloc(100), 'image/heic'), null);
  });
});
