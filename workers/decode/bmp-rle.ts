import type { BmpHeader } from './bmp-header.ts';
import type { BmpPixels } from './bmp-pixels.ts';

/**
 * Unpacks a run-length coded bitmap (RLE4, RLE8, and the RLE24 of OS/2) to RGB, from the top. Pixels that the data jumps over stay black.
 * Runs that leave the picture are cut at its edge and reported, as is a palette index that does not exist.
 */
export function unpackRuns(bytes: Buffer, header: BmpHeader): BmpPixels & { readonly end: number } {
  const { widthPixels, heightPixels, topDown, palette, coding } = header;
  const pixels = new Uint8Array(3 * widthPixels * heightPixels);
  const pixelBytes = coding === 'rle24' ? 3 : 1;
  let at = header.pixelOffset;
  let x = 0;
  let row = 0;
  let sound = true;
  let rowsPresent = 0;

  const put = (red: number, green: number, blue: number) => {
    if (x >= widthPixels || row >= heightPixels) {
      sound = false;
      return;
    }
    const to = 3 * (widthPixels * (topDown ? row : heightPixels - 1 - row) + x);
    pixels[to] = red;
    pixels[to + 1] = green;
    pixels[to + 2] = blue;
    x += 1;
    rowsPresent = row + 1;
  };
  const putIndex = (index: number) => {
    if (3 * index >= palette.length) sound = false;
    put(palette[3 * index] ?? 0, palette[3 * index + 1] ?? 0, palette[3 * index + 2] ?? 0);
  };
  const putFrom = (source: number, i: number) => {
    if (coding === 'rle24')
      put(bytes[source + 3 * i + 2] ?? 0, bytes[source + 3 * i + 1] ?? 0, bytes[source + 3 * i] ?? 0);
    else if (coding === 'rle8') putIndex(bytes[source + i] ?? 0);
    else {
      const pair = bytes[source + (i >> 1)] ?? 0;
      putIndex((i & 1) === 0 ? pair >> 4 : pair & 15);
    }
  };
  const done = (fault: BmpPixels['fault']) => ({
    pixels,
    rowsPresent,
    fault: fault ?? (sound ? null : 'corruptData'),
    end: at,
  });

  while (at + 2 <= bytes.length) {
    const count = bytes[at] ?? 0;
    const value = bytes[at + 1] ?? 0;
    if (count > 0) {
      // A run. The whole of it lies past the right edge at most 254 times a pair of bytes, so a lying file costs no time.
      if (at + 1 + pixelBytes > bytes.length) break;
      for (let i = 0; i < count; i++) putFrom(at + 1, coding === 'rle4' ? i & 1 : 0);
      at += 1 + pixelBytes;
    } else if (value === 0) {
      x = 0;
      row += 1;
      at += 2;
      // Data behind the last row is not part of the picture; the end mark itself may be missing there.
      if (row >= heightPixels)
        return done(null).fault === null && endsHere(bytes, at) ? { ...done(null), end: at + 2 } : done(null);
    } else if (value === 1) {
      at += 2;
      return done(null);
    } else if (value === 2) {
      if (at + 4 > bytes.length) break;
      x += bytes[at + 2] ?? 0;
      row += bytes[at + 3] ?? 0;
      at += 4;
    } else {
      const length = coding === 'rle4' ? (value + 1) >> 1 : value * pixelBytes;
      if (at + 2 + length > bytes.length) break;
      for (let i = 0; i < value; i++) putFrom(at + 2, i);
      // Literal stretches are padded to even length.
      at += 2 + length + (length & 1);
    }
  }
  return done('truncated');
}

const endsHere = (bytes: Buffer, at: number) => bytes[at] === 0 && bytes[at + 1] === 1;
