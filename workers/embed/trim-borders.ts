import type { Pyramid } from './pyramid.ts';
import type { Raster } from './raster.ts';
import type { Region } from './resample.ts';

/** Borders are looked for at a level of the pyramid whose longer side is at most this: a border is broad, and noise is averaged away. */
const LOOKED_AT_SIDE_PIXELS = 640;
/** A channel may be this far from the border's colour: what JPEG does to a flat area stays below it, the noise and shades of a wall or sky do not for long. */
const TOLERANCE = 7;
/** This share of a row has to be of the border's colour: a caption's few letters do not make a border into picture. */
const LEAST_SHARE = 0.985;
/** A picture of which less than this would be left on one side is flat, or black with something in it: left as it is. */
const LEAST_LEFT = 0.2;
/** The averaging of the level mixes border and picture where they meet. */
const BLEED_PIXELS = 1;

interface Line {
  readonly start: number;
  readonly step: number;
  readonly count: number;
}

/**
 * The picture without uniform borders, in pixels of the base; the whole of it where there are none. Borders are what collages, phones and web pages put round a
 * copy, and they move everything in it for a hash or a vector. Each side has its own colour; rows and columns are taken off in turns until none is left.
 */
export function withoutBorders(pyramid: Pyramid): Region {
  const { base } = pyramid;
  const whole = { x: 0, y: 0, width: base.widthPixels, height: base.heightPixels };
  const longer = Math.max(base.widthPixels, base.heightPixels);
  const level = pyramid.level(Math.max(0, Math.ceil(Math.log2(longer / LOOKED_AT_SIDE_PIXELS))));
  const { widthPixels: w, heightPixels: h, factor } = level;
  const inner = { left: 0, top: 0, right: w, bottom: h };
  const row = (y: number): Line => ({ start: y * w + inner.left, step: 1, count: inner.right - inner.left });
  const column = (x: number): Line => ({ start: inner.top * w + x, step: w, count: inner.bottom - inner.top });
  for (let before = -1; before !== inner.right - inner.left + (inner.bottom - inner.top); ) {
    before = inner.right - inner.left + (inner.bottom - inner.top);
    inner.top += borderDepth(level, inner.bottom - inner.top, (i) => row(inner.top + i));
    inner.bottom -= borderDepth(level, inner.bottom - inner.top, (i) => row(inner.bottom - 1 - i));
    inner.left += borderDepth(level, inner.right - inner.left, (i) => column(inner.left + i));
    inner.right -= borderDepth(level, inner.right - inner.left, (i) => column(inner.right - 1 - i));
  }
  // Only where something was cut, and never beyond it.
  const left = inner.left > 0 ? inner.left + BLEED_PIXELS : 0;
  const top = inner.top > 0 ? inner.top + BLEED_PIXELS : 0;
  const right = inner.right < w ? inner.right - BLEED_PIXELS : w;
  const bottom = inner.bottom < h ? inner.bottom - BLEED_PIXELS : h;
  if (right - left < LEAST_LEFT * w || bottom - top < LEAST_LEFT * h) return whole;
  const [x, y] = [left * factor, top * factor];
  return {
    x,
    y,
    width: Math.min(right * factor, base.widthPixels) - x,
    height: Math.min(bottom * factor, base.heightPixels) - y,
  };
}

/** How many lines from the edge inwards are of the outermost one's colour; 0 where that one is not of one colour itself. */
function borderDepth(raster: Raster, most: number, line: (index: number) => Line): number {
  if (most < 2) return 0;
  const colour = meanColour(raster, line(0));
  let depth = 0;
  while (depth < most && shareOf(raster, line(depth), colour) >= LEAST_SHARE) depth++;
  return depth === most ? 0 : depth;
}

function meanColour({ pixels }: Raster, { start, step, count }: Line): readonly [number, number, number] {
  let [red, green, blue] = [0, 0, 0];
  for (let i = 0, at = start * 3; i < count; i++, at += step * 3) {
    red += pixels[at] ?? 0;
    green += pixels[at + 1] ?? 0;
    blue += pixels[at + 2] ?? 0;
  }
  return [red / count, green / count, blue / count];
}

function shareOf({ pixels }: Raster, { start, step, count }: Line, [red, green, blue]: readonly number[]): number {
  let near = 0;
  for (let i = 0, at = start * 3; i < count; i++, at += step * 3)
    if (
      Math.abs((pixels[at] ?? 0) - (red ?? 0)) <= TOLERANCE &&
      Math.abs((pixels[at + 1] ?? 0) - (green ?? 0)) <= TOLERANCE &&
      Math.abs((pixels[at + 2] ?? 0) - (blue ?? 0)) <= TOLERANCE
    )
      near += 1;
  return near / count;
}
