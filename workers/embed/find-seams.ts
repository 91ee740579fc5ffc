import type { Pyramid } from './pyramid.ts';
import { type Region, resample } from './resample.ts';

/** Seams are looked for on the picture at this size, whatever its shape: a seam is as long as the picture, so little of it is enough. */
const SIDE_PIXELS = 256;
/** A place on the line counts when the step across it is this much of 255, and this many times the steps beside it. */
const LEAST_STEP = 8;
const TIMES_NEIGHBOURS = 2;
/** Share of the line's length that has to be a step: reached by all of 56 collages, and by a tenth of ordinary pictures (doors, walls), which costs two vectors more and nothing else. */
const LEAST_SHARE = 0.45;
/** A part narrower than this share of the picture is a margin, not a picture. */
const LEAST_PART = 0.2;

export interface Seams {
  /** In parts of the region's width, between its left and right picture; null where there is no such seam. */
  readonly vertical: number | null;
  /** In parts of its height, between its upper and lower picture. */
  readonly horizontal: number | null;
}

/**
 * Where two pictures were put side by side: the straight line from edge to edge along which most pixels differ from those beyond it, and by far more than
 * from those on their own side.
 */
export function findSeams(pyramid: Pyramid, region: Region): Seams {
  const { values } = resample(pyramid, region, SIDE_PIXELS, SIDE_PIXELS, 'area');
  const luma = new Float32Array(SIDE_PIXELS * SIDE_PIXELS);
  for (let i = 0, at = 0; i < luma.length; i++, at += 3)
    luma[i] = 0.299 * (values[at] ?? 0) + 0.587 * (values[at + 1] ?? 0) + 0.114 * (values[at + 2] ?? 0);
  return { vertical: seamOf(luma, 1, SIDE_PIXELS), horizontal: seamOf(luma, SIDE_PIXELS, 1) };
}

/** @param across how far apart two pixels on both sides of the line are in `luma`, `along` two on the line */
function seamOf(luma: Float32Array, across: number, along: number): number | null {
  let best = LEAST_SHARE;
  let found: number | null = null;
  const first = Math.round(LEAST_PART * SIDE_PIXELS);
  for (let line = first; line <= SIDE_PIXELS - first; line++) {
    const share = stepShare(luma, line, across, along);
    if (share >= best) {
      best = share;
      found = line / SIDE_PIXELS;
    }
  }
  return found;
}

function stepShare(luma: Float32Array, line: number, across: number, along: number): number {
  let steps = 0;
  for (let i = 0; i < SIDE_PIXELS; i++) {
    const at = line * across + i * along;
    const value = (offset: number) => luma[at + offset * across] ?? 0;
    // The line may run through a pixel, which then is a mixture: a step is measured over two.
    const step = Math.abs(value(1) - value(-1));
    const beside = Math.max(Math.abs(value(-2) - value(-3)), Math.abs(value(3) - value(2)));
    if (step >= LEAST_STEP && step >= TIMES_NEIGHBOURS * beside) steps += 1;
  }
  return steps / SIDE_PIXELS;
}
