import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { needsShared, requireShared } from '../../test/shared-data.ts';
import { decodeBmp } from './bmp-decoder.ts';
import type { DecodedPicture } from './decoded-picture.ts';
import { decodeWithSharp } from './sharp-decoder.ts';

const OPTIONS = { mode: 'exact', budget: { pixels: 100_000_000, sidePixels: 65_500 } } as const;

function decoded(bytes: Buffer): DecodedPicture {
  const result = decodeBmp(bytes, OPTIONS);
  assert.ok(result.kind === 'decoded', `expected pixels, received ${JSON.stringify(result)}`);
  return result;
}

interface Written {
  readonly width: number;
  readonly height: number;
  readonly topDown: boolean;
  readonly bits: number;
  readonly compression?: number;
  /** RGB triples. */
  readonly palette?: readonly number[];
  /** Rows from the top as they stand in the file, without padding; or, with a compression, the whole data as one. */
  readonly rows: readonly (readonly number[])[];
}

/** Writes the file that the documentation describes, header version 3. */
function write({ width, height, topDown, bits, compression = 0, palette = [], rows }: Written): Buffer {
  const colours = Buffer.from(
    Array.from({ length: palette.length / 3 }, (_, i) => [
      palette[3 * i + 2] ?? 0,
      palette[3 * i + 1] ?? 0,
      palette[3 * i] ?? 0,
      0,
    ]).flat(),
  );
  const ordered = topDown || compression !== 0 ? rows : [...rows].reverse();
  const data = Buffer.concat(
    ordered.map((row) =>
      Buffer.concat([Buffer.from(row), Buffer.alloc(compression === 0 ? (4 - (row.length % 4)) % 4 : 0)]),
    ),
  );
  const head = Buffer.alloc(54);
  head.write('BM');
  head.writeUInt32LE(54 + colours.length + data.length, 2);
  head.writeUInt32LE(54 + colours.length, 10);
  head.writeUInt32LE(40, 14);
  head.writeInt32LE(width, 18);
  head.writeInt32LE(topDown ? -height : height, 22);
  head.writeUInt16LE(1, 26);
  head.writeUInt16LE(bits, 28);
  head.writeUInt32LE(compression, 30);
  head.writeUInt32LE(palette.length / 3, 46);
  return Buffer.concat([head, colours, data]);
}

const size = { width: fc.integer({ min: 1, max: 19 }), height: fc.integer({ min: 1, max: 9 }), topDown: fc.boolean() };

describe('bitmaps of every depth', () => {
  it('24 bits: any pixels come back as they were', () => {
    fc.assert(
      fc.property(fc.record(size), fc.infiniteStream(fc.nat(255)), ({ width, height, topDown }, noise) => {
        const pixels = Uint8Array.from({ length: 3 * width * height }, () => noise.next().value);
        const rows = Array.from({ length: height }, (_, y) =>
          Array.from({ length: width }, (_, x) => {
            const [r = 0, g = 0, b = 0] = pixels.subarray(3 * (y * width + x));
            return [b, g, r];
          }).flat(),
        );
        const result = decoded(write({ width, height, topDown, bits: 24, rows }));
        assert.deepEqual(Buffer.from(result.pixels), Buffer.from(pixels));
        assert.equal(result.damage, null);
      }),
    );
  });

  for (const bits of [1, 2, 4, 8] as const) {
    it(`${bits} bits with a palette: any indices come back as their colours`, () => {
      const palette = Array.from({ length: 3 * 2 ** bits }, (_, i) => (i * 89 + 7) % 256);
      fc.assert(
        fc.property(fc.record(size), fc.infiniteStream(fc.nat(2 ** bits - 1)), ({ width, height, topDown }, noise) => {
          const indices = Array.from({ length: width * height }, () => noise.next().value);
          const perByte = 8 / bits;
          const rows = Array.from({ length: height }, (_, y) =>
            Array.from({ length: Math.ceil(width / perByte) }, (_, at) => {
              let byte = 0;
              for (let k = 0; k < perByte; k++) {
                const x = at * perByte + k;
                byte = (byte << bits) | (x < width ? (indices[y * width + x] ?? 0) : 0);
              }
              return byte;
            }),
          );
          const expected = indices.flatMap((index) => palette.slice(3 * index, 3 * index + 3));
          const result = decoded(write({ width, height, topDown, bits, palette, rows }));
          assert.deepEqual(Buffer.from(result.pixels), Buffer.from(expected));
        }),
      );
    });
  }

  it('16 bits without masks: five bits a channel, stretched to the full range', () => {
    const white = 0x7fff;
    const red = 0x7c00;
    const rows = [[white & 255, white >> 8, red & 255, red >> 8]];
    const result = decoded(write({ width: 2, height: 1, topDown: false, bits: 16, rows }));
    assert.deepEqual([...result.pixels], [255, 255, 255, 255, 0, 0]);
  });

  it('RLE8: runs, literals, jumps and line ends', () => {
    const palette = [0, 0, 0, 10, 11, 12, 20, 21, 22];
    // Bottom row: three times colour 1, then a jump of one. Row above it: literals 2 1 2, padded.
    const data = [3, 1, 0, 2, 1, 0, 0, 0, 0, 3, 2, 1, 2, 0, 0, 1];
    const bytes = write({ width: 4, height: 2, topDown: false, bits: 8, compression: 1, palette, rows: [data] });
    const result = decoded(bytes);
    const one = [10, 11, 12];
    const two = [20, 21, 22];
    const none = [0, 0, 0];
    assert.deepEqual([...result.pixels], [...two, ...one, ...two, ...none, ...one, ...one, ...one, ...none]);
    assert.equal(result.damage, null);
  });

  it('RLE4: two colours take turns in a run', () => {
    const palette = [0, 0, 0, 10, 11, 12, 20, 21, 22];
    const bytes = write({
      width: 3,
      height: 1,
      topDown: false,
      bits: 4,
      compression: 2,
      palette,
      rows: [[3, 0x12, 0, 1]],
    });
    assert.deepEqual([...decoded(bytes).pixels], [10, 11, 12, 20, 21, 22, 10, 11, 12]);
  });
});

describe('bitmaps that lie', () => {
  const sound = write({
    width: 5,
    height: 4,
    topDown: false,
    bits: 24,
    rows: Array.from({ length: 4 }, () => new Array<number>(15).fill(99)),
  });
  const withHeader = (change: (bytes: Buffer) => void) => {
    const bytes = Buffer.from(sound);
    change(bytes);
    return decodeBmp(bytes, OPTIONS);
  };
  const reasonOf = (result: ReturnType<typeof decodeBmp>) =>
    result.kind === 'refused' ? result.reason.code : result.damage?.code;

  it('a size beyond the budget is refused before anything is allocated', () => {
    assert.equal(reasonOf(withHeader((bytes) => bytes.writeInt32LE(2_000_000_000, 18))), 'dimensionLimit');
    assert.equal(reasonOf(decodeBmp(sound, { budget: { pixels: 19, sidePixels: 100 } })), 'pixelLimit');
  });
  it('no size is a corrupt header', () =>
    assert.equal(reasonOf(withHeader((bytes) => bytes.writeInt32LE(0, 22))), 'corruptHeader'));
  it('a depth that does not exist is an unsupported variant', () =>
    assert.equal(reasonOf(withHeader((bytes) => bytes.writeUInt16LE(30, 28))), 'unsupportedVariant'));
  it('an embedded JPEG is an unsupported variant, not wrong pixels', () =>
    assert.equal(reasonOf(withHeader((bytes) => bytes.writeUInt32LE(4, 30))), 'unsupportedVariant'));
  it('missing rows make it partial, and are black', () => {
    const result = decoded(sound.subarray(0, sound.length - 20));
    assert.equal(result.damage?.code, 'truncated');
    assert.deepEqual([...result.pixels.subarray(0, 3), ...result.pixels.subarray(45, 48)], [0, 0, 0, 99, 99, 99]);
  });
  it('without a single row it is rejected', () =>
    assert.equal(reasonOf(decodeBmp(sound.subarray(0, 60), OPTIONS)), 'truncated'));

  it('no bytes make it throw', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 2, max: 80 }), fc.nat(255)), { maxLength: 8 }),
        fc.nat(120),
        (changes, keep) => {
          const bytes = Buffer.from(sound.subarray(0, keep));
          for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
          const result = decodeBmp(bytes, { budget: { pixels: 100_000, sidePixels: 10_000 } });
          assert.ok(result.kind === 'refused' || result.pixels.length === 3 * result.widthPixels * result.heightPixels);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('bitmaps that other tools made', needsShared, () => {
  const suites = () => requireShared('data/hostile/suites');

  it('R2: every BMP twin of a PNG decodes to the same picture', async () => {
    const folder = path.join(suites(), 'pngsuite-bmp');
    let twins = 0;
    for (const name of readdirSync(folder)) {
      const png = path.join(suites(), 'pngsuite', name.replace(/bmp$/, 'png'));
      let pngBytes: Buffer;
      try {
        pngBytes = readFileSync(png);
      } catch {
        continue;
      }
      const bytes = readFileSync(path.join(folder, name));
      const bmp = decoded(bytes);
      const twin = await decodeWithSharp(pngBytes, 'image/png', OPTIONS);
      assert.ok(twin.kind === 'decoded', name);
      assert.equal(bmp.pixels.length, twin.pixels.length, name);
      // Sixteen bits were rounded to eight by one tool and cut by the other; where nothing is opaque, colour is anybody's choice.
      const tolerance = name.endsWith('16.bmp') ? 1 : 0;
      const alphaAt = bytes.readUInt32LE(10) + 3;
      for (let i = 0; i < bmp.pixels.length; i++) {
        const pixel = Math.floor(i / 3);
        const row = bmp.heightPixels - 1 - Math.floor(pixel / bmp.widthPixels);
        const alpha = bytes[alphaAt + 4 * (row * bmp.widthPixels + (pixel % bmp.widthPixels))];
        if (alpha === 0) continue;
        assert.ok(Math.abs((bmp.pixels[i] ?? 0) - (twin.pixels[i] ?? 0)) <= tolerance, `${name}, byte ${i}`);
      }
      twins += 1;
    }
    assert.ok(twins >= 71, `expected at least 71 twins, found ${twins}`);
  });

  it('one scene in many codings of the BMP suite is one scene', () => {
    const read = (name: string) =>
      decoded(readFileSync(path.join(suites(), `image-rs/images__bmp__images__${name}.bmp`))).pixels;
    const same: readonly (readonly [string, readonly string[]])[] = [
      ['rgb24', ['rgb32bf']],
      // The scene dithered to 252 colours.
      ['pal8v4', ['pal8rle', 'pal8os2sp', 'pal8os2-hs', 'pal8os2-sz', 'lenient__rletopdown', 'rgb24rle24']],
    ];
    for (const [reference, others] of same)
      for (const name of others) assert.deepEqual(read(name), read(reference), `${name} against ${reference}`);
    const [full, five] = [read('rgb24'), read('rgb16-565')];
    assert.ok(full.every((value, i) => Math.abs(value - (five[i] ?? 0)) <= 5));
  });
});
