import type { COPY_PARTS } from '../../schemas/constants.ts';
import { findSeams } from './find-seams.ts';
import type { Pyramid } from './pyramid.ts';
import type { Region } from './resample.ts';
import { withoutBorders } from './trim-borders.ts';

/**
 * Parts of a picture that get copy vectors of their own. A vector's output is named for the net's output and, behind a slash, its part: `penultimate`,
 * `penultimate/left`. All parts of one output lie in one space and may be compared: the whole of one picture with the left part of another finds the one in
 * a collage, with its centre the one that was cropped.
 */
export type CopyPart = (typeof COPY_PARTS)[number];

export interface CopyRegion {
  readonly part: CopyPart;
  readonly region: Region;
}

/** Share of each side that the centre keeps: what a deep crop leaves, and what is left of a tilted picture without its black corners. */
const CENTRE_SHARE = 0.6;
/** What JPEG and averaging mix along a seam, in parts of the picture's side. */
const SEAM_MARGIN = 0.01;

/** The picture without uniform borders, its centre, and where a seam shows that two pictures were put together, both of them. */
export function copyRegions(pyramid: Pyramid): CopyRegion[] {
  const whole = withoutBorders(pyramid);
  const { x, y, width, height } = whole;
  const { vertical, horizontal } = findSeams(pyramid, whole);
  const margin = (1 - CENTRE_SHARE) / 2;
  const part = (name: CopyPart, left: number, top: number, right: number, bottom: number): CopyRegion => ({
    part: name,
    region: {
      x: x + left * width,
      y: y + top * height,
      width: (right - left) * width,
      height: (bottom - top) * height,
    },
  });
  return [
    { part: 'whole', region: whole },
    part('centre', margin, margin, 1 - margin, 1 - margin),
    ...(vertical === null
      ? []
      : [part('left', 0, 0, vertical - SEAM_MARGIN, 1), part('right', vertical + SEAM_MARGIN, 0, 1, 1)]),
    ...(horizontal === null
      ? []
      : [part('top', 0, 0, 1, horizontal - SEAM_MARGIN), part('bottom', 0, horizontal + SEAM_MARGIN, 1, 1)]),
  ];
}
