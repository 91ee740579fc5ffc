import type { DecodedPicture } from '../decode/decoded-picture.ts';

/** Mean luma of equal cells over a picture: enough to tell whether two show the same, far too little to show anything. */
export const GRID_SIDE = 16;
const SAMPLES_PER_CELL = 4;

type Pixels = Pick<DecodedPicture, 'pixels' | 'decodedWidthPixels' | 'decodedHeightPixels' | 'channels'>;
/** Rows and columns to look at; the black bars that cameras put around thumbnails lie outside. */
export interface Window {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export const wholeOf = (picture: Pixels): Window => ({
  left: 0,
  top: 0,
  width: picture.decodedWidthPixels,
  height: picture.decodedHeightPixels,
});

/** GRID_SIDE x GRID_SIDE values from 0 to 255, each the mean of 16 pixels spread over its cell. */
export function lumaGrid(picture: Pixels, window: Window): Float64Array {
  const { pixels, decodedWidthPixels, channels } = picture;
  const grid = new Float64Array(GRID_SIDE * GRID_SIDE);
  const steps = GRID_SIDE * SAMPLES_PER_CELL;
  for (let j = 0; j < steps; j++) {
    const y = window.top + Math.floor(((j + 0.5) * window.height) / steps);
    for (let i = 0; i < steps; i++) {
      const x = window.left + Math.floor(((i + 0.5) * window.width) / steps);
      const cell = GRID_SIDE * Math.floor(j / SAMPLES_PER_CELL) + Math.floor(i / SAMPLES_PER_CELL);
      const value = luma(pixels, channels * (y * decodedWidthPixels + x), channels);
      grid[cell] = (grid[cell] ?? 0) + value / (SAMPLES_PER_CELL * SAMPLES_PER_CELL);
    }
  }
  return grid;
}

/** Pearson's correlation of two grids, or null where one of them is too flat to say anything. */
export function correlation(a: Float64Array, b: Float64Array): number | null {
  const n = Math.min(a.length, b.length);
  let [sumA, sumB] = [0, 0];
  for (let i = 0; i < n; i++) {
    sumA += a[i] ?? 0;
    sumB += b[i] ?? 0;
  }
  let [both, varianceA, varianceB] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    const [x, y] = [(a[i] ?? 0) - sumA / n, (b[i] ?? 0) - sumB / n];
    both += x * y;
    varianceA += x * x;
    varianceB += y * y;
  }
  const flat = 4 * n;
  return varianceA < flat || varianceB < flat ? null : both / Math.sqrt(varianceA * varianceB);
}

/** Cuts rows and columns from the edges that are black all along. */
export function withoutBlackBars(picture: Pixels): Window {
  const { decodedWidthPixels: width, decodedHeightPixels: height, pixels, channels } = picture;
  const black = (x: number, y: number) => luma(pixels, channels * (y * width + x), channels) < 24;
  const every = (count: number, test: (i: number) => boolean) => {
    for (let i = 0; i < count; i++) if (!test(i)) return false;
    return true;
  };
  const rowIsBlack = (y: number) => every(width, (x) => black(x, y));
  const columnIsBlack = (x: number) => every(height, (y) => black(x, y));
  let [top, bottom, left, right] = [0, height, 0, width];
  while (top < height / 4 && rowIsBlack(top)) top += 1;
  while (bottom > (3 * height) / 4 && rowIsBlack(bottom - 1)) bottom -= 1;
  while (left < width / 4 && columnIsBlack(left)) left += 1;
  while (right > (3 * width) / 4 && columnIsBlack(right - 1)) right -= 1;
  return { left, top, width: right - left, height: bottom - top };
}

function luma(pixels: Uint8Array, at: number, channels: number): number {
  if (channels === 1) return pixels[at] ?? 0;
  return 0.299 * (pixels[at] ?? 0) + 0.587 * (pixels[at + 1] ?? 0) + 0.114 * (pixels[at + 2] ?? 0);
}
