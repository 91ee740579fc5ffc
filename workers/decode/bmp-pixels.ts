import type { BmpHeader } from './bmp-header.ts';

/** What became of the pixel data: whole, cut, or with values that cannot be. Pixels that are not there stay black. */
export interface BmpPixels {
  readonly pixels: Uint8Array;
  readonly rowsPresent: number;
  readonly fault: 'truncated' | 'corruptData' | null;
}

/** Unpacks the rows of a bitmap that is not run-length coded to RGB, from the top. */
export function unpackRows(bytes: Buffer, header: BmpHeader): BmpPixels {
  const { widthPixels, heightPixels, topDown, pixelOffset, rowBytes, bitsPerPixel } = header;
  const pixels = new Uint8Array(3 * widthPixels * heightPixels);
  const unpack = bitsPerPixel <= 8 ? indexedRow(header) : bitsPerPixel === 24 ? plainRow : maskedRow(header);
  // The padding of the last row is often left out.
  const lastRowBytes = Math.ceil((widthPixels * bitsPerPixel) / 8);
  let rowsPresent = 0;
  let sound = true;
  for (let row = 0; row < heightPixels; row++) {
    const from = pixelOffset + row * rowBytes;
    if (from + lastRowBytes > bytes.length) break;
    const to = 3 * widthPixels * (topDown ? row : heightPixels - 1 - row);
    sound = unpack(bytes, from, pixels, to, widthPixels) && sound;
    rowsPresent += 1;
  }
  return { pixels, rowsPresent, fault: rowsPresent < heightPixels ? 'truncated' : sound ? null : 'corruptData' };
}

type RowUnpacker = (bytes: Buffer, from: number, out: Uint8Array, to: number, widthPixels: number) => boolean;

const plainRow: RowUnpacker = (bytes, from, out, to, widthPixels) => {
  for (let x = 0; x < 3 * widthPixels; x += 3) {
    out[to + x] = bytes[from + x + 2] ?? 0;
    out[to + x + 1] = bytes[from + x + 1] ?? 0;
    out[to + x + 2] = bytes[from + x] ?? 0;
  }
  return true;
};

function indexedRow({ bitsPerPixel, palette }: BmpHeader): RowUnpacker {
  const perByte = 8 / bitsPerPixel;
  const mask = 2 ** bitsPerPixel - 1;
  return (bytes, from, out, to, widthPixels) => {
    let sound = true;
    for (let x = 0; x < widthPixels; x++) {
      const byte = bytes[from + Math.floor(x / perByte)] ?? 0;
      const index = 3 * ((byte >> (8 - bitsPerPixel * ((x % perByte) + 1))) & mask);
      if (index >= palette.length) sound = false;
      out[to + 3 * x] = palette[index] ?? 0;
      out[to + 3 * x + 1] = palette[index + 1] ?? 0;
      out[to + 3 * x + 2] = palette[index + 2] ?? 0;
    }
    return sound;
  };
}

function maskedRow({ bitsPerPixel, masks }: BmpHeader): RowUnpacker {
  const [red, green, blue] = [channel(masks[0]), channel(masks[1]), channel(masks[2])];
  const pixelBytes = bitsPerPixel / 8;
  return (bytes, from, out, to, widthPixels) => {
    for (let x = 0; x < widthPixels; x++) {
      const value = pixelBytes === 4 ? bytes.readUInt32LE(from + 4 * x) : bytes.readUInt16LE(from + 2 * x);
      out[to + 3 * x] = red(value);
      out[to + 3 * x + 1] = green(value);
      out[to + 3 * x + 2] = blue(value);
    }
    return true;
  };
}

/** Takes one channel out of a pixel and stretches it to 0 to 255, rounded to nearest. Masks may have any width, and overlap. */
function channel(mask: number): (pixel: number) => number {
  if (mask === 0) return () => 0;
  const shift = 31 - Math.clz32(mask & -mask);
  const largest = mask >>> shift;
  return (pixel) => Math.round((((pixel & mask) >>> shift) * 255) / largest);
}
