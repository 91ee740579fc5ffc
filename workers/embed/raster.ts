import { HomewardError } from '../../schemas/error.ts';
import type { DecodedPicture } from '../decode/decoded-picture.ts';

/** A picture in memory: RGB, 8 bits a channel, rows from the top without padding. Never leaves the host. */
export interface Raster {
  readonly pixels: Uint8Array;
  readonly widthPixels: number;
  readonly heightPixels: number;
}

/** EXIF orientation: 1 as stored, 2 mirrored, 3 upside down, 4 flipped, 5 transposed, 6 to be turned right, 7 transversed, 8 to be turned left. */
export type ExifOrientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

export function isExifOrientation(value: unknown): value is ExifOrientation {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 8;
}

/** Whether the upright picture has the stored one's width as its height. */
export const swapsSides = (orientation: ExifOrientation): boolean => orientation >= 5;

/**
 * Where a point of the upright picture lies in the stored one. Both in pixels with the origin at the outer corner, so that an edge is mapped
 * onto an edge. `stored` is the size of the stored picture.
 */
export function storedPoint(
  [x, y]: readonly [number, number],
  orientation: ExifOrientation,
  stored: { readonly widthPixels: number; readonly heightPixels: number },
): [number, number] {
  const { widthPixels: w, heightPixels: h } = stored;
  switch (orientation) {
    case 1:
      return [x, y];
    case 2:
      return [w - x, y];
    case 3:
      return [w - x, h - y];
    case 4:
      return [x, h - y];
    case 5:
      return [y, x];
    case 6:
      return [y, h - x];
    case 7:
      return [w - y, h - x];
    case 8:
      return [w - y, x];
  }
}

/** The decoded picture as RGB, turned upright. A copy only where the pixels are not RGB already, or have to be turned. */
export function uprightRaster(decoded: DecodedPicture, orientation: ExifOrientation): Raster {
  const { pixels, decodedWidthPixels: w, decodedHeightPixels: h, channels } = decoded;
  if (pixels.length !== w * h * channels)
    throw new HomewardError(
      'HW_INTERNAL',
      `expected ${w * h * channels} bytes for ${w} x ${h} pixels of ${channels} channels, received ${pixels.length}`,
    );
  if (orientation === 1 && channels === 3) return { pixels, widthPixels: w, heightPixels: h };
  const [widthPixels, heightPixels] = swapsSides(orientation) ? [h, w] : [w, h];
  // Of the stored picture: where the upright one begins, and how far apart its columns and rows are, in pixels.
  const at = (x: number, y: number) => {
    const [storedX, storedY] = storedPoint([x + 0.5, y + 0.5], orientation, { widthPixels: w, heightPixels: h });
    return Math.floor(storedY) * w + Math.floor(storedX);
  };
  const origin = at(0, 0);
  const column = widthPixels > 1 ? at(1, 0) - origin : 0;
  const row = heightPixels > 1 ? at(0, 1) - origin : 0;
  const green = channels === 1 ? 0 : 1;
  const blue = channels === 1 ? 0 : 2;
  const turned = new Uint8Array(w * h * 3);
  for (let y = 0, to = 0; y < heightPixels; y++) {
    let from = (origin + y * row) * channels;
    for (let x = 0; x < widthPixels; x++, to += 3, from += column * channels) {
      turned[to] = pixels[from] ?? 0;
      turned[to + 1] = pixels[from + green] ?? 0;
      turned[to + 2] = pixels[from + blue] ?? 0;
    }
  }
  return { pixels: turned, widthPixels, heightPixels };
}
