import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { classifyLibvipsError, damageOf } from './libvips-errors.ts';

describe('what libvips says, as a reason', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['Input image exceeds pixel limit', 'pixelLimit'],
    ['vips_image_write_to_memory: out of memory -- size == 145MB', 'memoryLimit'],
    ['Input buffer has corrupt header: vips_tracked: out of memory -- size == 183MB', 'memoryLimit'],
    ['source: bad seek to 15369\nheif: Invalid input: Unspecified: Memory allocation error (2.0)', 'memoryLimit'],
    ['VipsJpeg: Insufficient memory (case 4)', 'memoryLimit'],
    ['Input file has corrupt header: VipsJpeg: Maximum supported image dimension is 65500 pixels', 'dimensionLimit'],
    ['VipsJpeg: premature end of JPEG image', 'truncated'],
    ['VipsJpeg: Corrupt JPEG data: premature end of data segment', 'truncated'],
    ['Input file has corrupt header: gifload: Unexpected end of GIF source data', 'truncated'],
    ['tiff2vips: Not enough data at scanline 0 (short 26 bytes)', 'truncated'],
    ['source: bad seek to 1024', 'truncated'],
    ['Input file has corrupt header: ', 'corruptHeader'],
    ['Input file contains unsupported image format', 'corruptHeader'],
    ['Input file has corrupt header: webp: unable to parse image', 'corruptHeader'],
    ['VipsJpeg: Unsupported JPEG data precision 12', 'unsupportedVariant'],
    ['tiff2vips: Old-style JPEG compression support is not configured', 'unsupportedVariant'],
    ['Warning treated as error due to failOn setting', 'decoderWarning'],
    ['vipspng: libpng read error', 'corruptData'],
    ['VipsJpeg: Corrupt JPEG data: bad Huffman code', 'corruptData'],
    ['gifload: Invalid frame data', 'corruptData'],
    ['something that was never heard before', 'corruptData'],
  ];
  for (const [message, code] of cases) {
    it(`${code}: ${message}`, () => assert.equal(classifyLibvipsError(message).code, code));
  }

  it('keeps the words, printable and bounded', () => {
    const { detail } = classifyLibvipsError(`VipsJpeg:\n\u001b[31m${'x'.repeat(1000)}`);
    assert.match(detail, /^VipsJpeg: \[31mx+$/);
    assert.equal(detail.length, 300);
  });

  it('names the damage of a picture that was decoded leniently by one of three codes', () => {
    const codes = cases.map(([message]) => damageOf(classifyLibvipsError(message)).code);
    assert.deepEqual([...new Set(codes)].sort(), ['corruptData', 'decoderWarning', 'truncated']);
  });
});
