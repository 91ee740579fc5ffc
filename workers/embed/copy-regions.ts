import type { Region } from './resample.ts';

/**
 * Parts of a picture that get copy vectors of their own, beside the whole, all of them after uniform borders were cut off. A vector's output is named for the
 * net's output and, behind a slash, its part: `penultimate`, `penultimate/left`. All parts of one output lie in one space and may be compared: the whole of
 * one picture with the left half of another finds the one inside a collage.
 */
export const COPY_PARTS = ['whole', 'left', 'right', 'top', 'bottom', 'centre'] as const;
export type CopyPart = (typeof COPY_PARTS)[number];

/** Share of each side that the centre keeps. */
const CENTRE_SHARE = 0.6;

export function copyRegion({ x, y, width, height }: Region, part: CopyPart): Region {
  switch (part) {
    case 'whole':
      return { x, y, width, height };
    case 'left':
      return { x, y, width: width / 2, height };
    case 'right':
      return { x: x + width / 2, y, width: width / 2, height };
    case 'top':
      return { x, y, width, height: height / 2 };
    case 'bottom':
      return { x, y: y + height / 2, width, height: height / 2 };
    case 'centre': {
      const margin = (1 - CENTRE_SHARE) / 2;
      return {
        x: x + margin * width,
        y: y + margin * height,
        width: CENTRE_SHARE * width,
        height: CENTRE_SHARE * height,
      };
    }
  }
}

export const partOutput = (output: string, part: CopyPart): string => (part === 'whole' ? output : `${output}/${part}`);
