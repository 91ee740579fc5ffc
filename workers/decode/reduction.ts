import type { ReductionFactor } from './decoded-picture.ts';

/**
 * Fast mode never goes below this on the smaller side, nor beyond a quarter: with both, the median distance to exact mode stayed within 4 bits
 * in either flavour over the benchmark set (2 Mpx at a half: 2 and 4; 12 Mpx at a quarter: 4 and 4; 48 Mpx at a quarter: 4 and 2). What lies
 * beyond did not: 0.5 Mpx at a half 8 and 6, 2 Mpx at a quarter 8 and 6, 48 Mpx at an eighth 6 and 4, for a decode only a quarter cheaper.
 */
export const FAST_MIN_SIDE_PIXELS = 512;

/** sharp leaves a factor of two to its own resampling (pipeline.cc lowers the shrink on load by one step), so a quarter is read at a half. */
const FACTORS = [4, 2] as const;

/**
 * By how much fast mode divides each side on decoding. Only JPEG (by fewer DCT coefficients) and WebP (by scaling while decoding) can be
 * decoded smaller for less; everything else is decoded whole.
 */
export function reductionFactorFor(widthPixels: number, heightPixels: number, mediaType: string): ReductionFactor {
  if (mediaType !== 'image/jpeg' && mediaType !== 'image/webp') return 1;
  const smaller = Math.min(widthPixels, heightPixels);
  return FACTORS.find((factor) => smaller / factor >= FAST_MIN_SIDE_PIXELS) ?? 1;
}
