import type { FloatRaster } from './resample.ts';

/** Rec. 601 luma. */
const lumaAt = (values: Float32Array, at: number) =>
  0.299 * (values[at] ?? 0) + 0.587 * (values[at + 1] ?? 0) + 0.114 * (values[at + 2] ?? 0);

/**
 * Variance of the four-neighbour Laplacian of a chip's luma (J. Pech-Pacheco et al., ICPR 2000). Comparable only between chips of one size, so
 * a face is brought to one size before; a small face that was enlarged comes out as blurred as it is.
 */
export function sharpnessOf({ values, widthPixels: w, heightPixels: h }: FloatRaster): number {
  const luma = new Float32Array(w * h);
  for (let i = 0; i < luma.length; i++) luma[i] = lumaAt(values, i * 3);
  let sum = 0;
  let squares = 0;
  let count = 0;
  for (let y = 1; y < h - 1; y++)
    for (let x = 1; x < w - 1; x++) {
      const at = y * w + x;
      const laplacian =
        (luma[at - w] ?? 0) + (luma[at - 1] ?? 0) + (luma[at + 1] ?? 0) + (luma[at + w] ?? 0) - 4 * (luma[at] ?? 0);
      sum += laplacian;
      squares += laplacian * laplacian;
      count += 1;
    }
  if (count === 0) return 0;
  const mean = sum / count;
  return Math.min(1_000_000, Math.max(0, squares / count - mean * mean));
}
