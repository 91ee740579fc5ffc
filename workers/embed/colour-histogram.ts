import type { Pyramid } from './pyramid.ts';
import { resample } from './resample.ts';

/** Colours are counted on the picture brought to this side: small details and noise are averaged away. */
const SIDE_PIXELS = 64;
const HUES = 12;
const SATURATIONS = 3;
const GREYS = 4;
/** Below this saturation or value a hue is chance. */
const LEAST_SATURATION = 0.15;
const LEAST_VALUE = 0.12;
export const COLOUR_DIMENSIONS = HUES * SATURATIONS + GREYS;

/**
 * Histogram of the picture's colours in HSV (A. R. Smith, 1978): 12 hues by 3 saturations, and 4 steps of grey for pixels with too little colour or light.
 * A pixel counts for the two hues next to it by nearness. The square root of each share, so that the cosine of two histograms is their Bhattacharyya
 * coefficient. Where it is spoken of as an output of a pack, its name is `colour`.
 */
export function colourHistogram(pyramid: Pyramid): Float32Array {
  const { widthPixels, heightPixels } = pyramid.base;
  const region = { x: 0, y: 0, width: widthPixels, height: heightPixels };
  const { values } = resample(pyramid, region, SIDE_PIXELS, SIDE_PIXELS, 'area');
  const counts = new Float32Array(COLOUR_DIMENSIONS);
  for (let at = 0; at < values.length; at += 3)
    count(counts, (values[at] ?? 0) / 255, (values[at + 1] ?? 0) / 255, (values[at + 2] ?? 0) / 255);
  const total = values.length / 3;
  return counts.map((value) => Math.sqrt(value / total));
}

function count(counts: Float32Array, red: number, green: number, blue: number): void {
  const value = Math.max(red, green, blue);
  const chroma = value - Math.min(red, green, blue);
  const saturation = value > 0 ? chroma / value : 0;
  if (saturation < LEAST_SATURATION || value < LEAST_VALUE) {
    const grey = HUES * SATURATIONS + Math.min(GREYS - 1, Math.floor(value * GREYS));
    counts[grey] = (counts[grey] ?? 0) + 1;
    return;
  }
  const sector =
    value === red ? (green - blue) / chroma : value === green ? 2 + (blue - red) / chroma : 4 + (red - green) / chroma;
  const hue = (((sector + 6) % 6) / 6) * HUES;
  const step = Math.min(
    SATURATIONS - 1,
    Math.floor(((saturation - LEAST_SATURATION) / (1 - LEAST_SATURATION)) * SATURATIONS),
  );
  const lower = Math.floor(hue) % HUES;
  const upper = (lower + 1) % HUES;
  const part = hue - Math.floor(hue);
  counts[step * HUES + lower] = (counts[step * HUES + lower] ?? 0) + 1 - part;
  counts[step * HUES + upper] = (counts[step * HUES + upper] ?? 0) + part;
}
