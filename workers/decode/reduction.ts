import type { ReductionFactor } from './decoded-picture.ts';

/**
 * Fast mode never goes below this on the smaller side: PDQ looks at 64 x 64 averages, and at 8 decoded pixels an average its bits hardly move.
 */
export const FAST_MIN_SIDE_PIXELS = 512;

const FACTORS = [8, 4, 2] as const;

/**
 * By how much fast mode divides each side on decoding. Only JPEG (by fewer DCT coefficients) and WebP (by scaling while decoding) can be
 * decoded smaller for less; everything else is decoded whole.
 */
export function reductionFactorFor(widthPixels: number, heightPixels: number, mediaType: string): ReductionFactor {
  if (mediaType !== 'image/jpeg' && mediaType !== 'image/webp') return 1;
  const smaller = Math.min(widthPixels, heightPixels);
  return FACTORS.find((factor) => smaller / factor >= FAST_MIN_SIDE_PIXELS) ?? 1;
}
