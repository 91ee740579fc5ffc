/** Pictures made by calculation, for tests: the same seed gives the same bytes. */
import type { RawPicture } from './pdq-reference.ts';

export const RENDERED_KINDS = ['noise', 'scene', 'flat', 'stripes'] as const;
export type RenderedKind = (typeof RENDERED_KINDS)[number];

/** xorshift32 (Marsaglia 2003): small, and good enough to draw pictures with. */
function randomBytes(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 255;
  };
}

/**
 * noise: every byte by chance. scene: soft waves with a little noise, as a photograph. flat: one colour.
 * stripes: black and white, which takes the running sums through their extremes.
 */
export function renderPicture(
  kind: RenderedKind,
  widthPixels: number,
  heightPixels: number,
  channels: 1 | 3 | 4,
  seed: number,
): RawPicture {
  const next = randomBytes(seed * 2654435761 + 1);
  const pixels = new Uint8Array(widthPixels * heightPixels * channels);
  const phase = next();
  const level = next();
  let at = 0;
  for (let y = 0; y < heightPixels; y++) {
    for (let x = 0; x < widthPixels; x++) {
      for (let c = 0; c < channels; c++) {
        if (kind === 'noise') pixels[at] = next();
        else if (kind === 'flat') pixels[at] = level;
        else if (kind === 'stripes') pixels[at] = ((x >> 3) + (y >> 4)) & 1 ? 255 : 0;
        else pixels[at] = wave((x + phase) / widthPixels, (y * (c + 1)) / heightPixels) + (next() & 15);
        at++;
      }
    }
  }
  return { pixels, widthPixels, heightPixels, channels };
}

/** 0 to 240, with a few periods over the picture. */
const wave = (x: number, y: number) => Math.floor(120 + 70 * Math.sin(7 * x + 3 * y) + 50 * Math.cos(11 * y - 5 * x));
