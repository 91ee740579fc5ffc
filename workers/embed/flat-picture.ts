import type { Pyramid } from './pyramid.ts';
import { resample } from './resample.ts';

const SIDE_PIXELS = 32;
/** Standard deviation, of 255, of the liveliest colour channel of the picture brought to 32 x 32 pixels. */
const LEAST_DEVIATION = 2;

/**
 * Whether there is nothing to be seen: one colour, or as good as. All such pictures lie on one spot for every net, so their vectors would match each other, and
 * a vector is not stored.
 */
export function isFlat(pyramid: Pyramid): boolean {
  const { widthPixels, heightPixels } = pyramid.base;
  const region = { x: 0, y: 0, width: widthPixels, height: heightPixels };
  const { values } = resample(pyramid, region, SIDE_PIXELS, SIDE_PIXELS, 'area');
  let deviation = 0;
  for (let channel = 0; channel < 3; channel++) {
    let sum = 0;
    let squares = 0;
    for (let at = channel; at < values.length; at += 3) {
      const value = values[at] ?? 0;
      sum += value;
      squares += value * value;
    }
    const count = values.length / 3;
    deviation = Math.max(deviation, Math.sqrt(Math.max(0, squares / count - (sum / count) ** 2)));
  }
  return deviation < LEAST_DEVIATION;
}
