import type { Raster } from './raster.ts';

/** A raster and how many pixels of the base one of its pixels stands for, on each side. */
export interface PyramidLevel extends Raster {
  readonly factor: number;
}

/** What is left for the filter after a level was chosen: below this its own averaging would be too coarse, above it costs time. */
const LEAST_REMAINING_REDUCTION = 1;

/**
 * A picture at its size, at a half, a quarter and so on, each made from the one before by averaging 2 x 2 pixels and only when it is asked for:
 * everything that wants the picture smaller (detector, tensors, histogram, borders) shares these, so the full size is gone through once.
 */
export class Pyramid {
  readonly #levels: PyramidLevel[];

  constructor(base: Raster) {
    this.#levels = [{ ...base, factor: 1 }];
  }

  get base(): PyramidLevel {
    return this.level(0);
  }

  /** The smallest level that still has to be reduced by `leastRemaining` to come to one pixel for `reduction` of the base. */
  forReduction(reduction: number, leastRemaining: number = LEAST_REMAINING_REDUCTION): PyramidLevel {
    let index = 0;
    while (reduction / 2 ** (index + 1) >= leastRemaining) index++;
    return this.level(index);
  }

  /** Level `index` is reduced by 2 to its power; never below one pixel. */
  level(index: number): PyramidLevel {
    for (let made = this.#levels.length; made <= index; made++) {
      const above = this.#levels[made - 1];
      if (above !== undefined) this.#levels.push(halve(above));
    }
    const level = this.#levels[index];
    if (level === undefined) throw new RangeError(`no level ${index}`);
    return level;
  }
}

/** An odd last row or column is averaged with itself, so that a place in the half is exactly half the place in the whole. */
function halve(above: PyramidLevel): PyramidLevel {
  const { pixels, widthPixels: w, heightPixels: h } = above;
  const widthPixels = Math.ceil(w / 2);
  const heightPixels = Math.ceil(h / 2);
  const half = new Uint8Array(widthPixels * heightPixels * 3);
  for (let y = 0, to = 0; y < heightPixels; y++) {
    let upper = 2 * y * w * 3;
    let lower = Math.min(2 * y + 1, h - 1) * w * 3;
    for (let x = 0; x < widthPixels; x++, upper += 6, lower += 6) {
      const right = 2 * x + 1 < w ? 3 : 0;
      for (let c = 0; c < 3; c++, to++) {
        const a = upper + c;
        const b = lower + c;
        half[to] = ((pixels[a] ?? 0) + (pixels[a + right] ?? 0) + (pixels[b] ?? 0) + (pixels[b + right] ?? 0) + 2) >> 2;
      }
    }
  }
  return { pixels: half, widthPixels, heightPixels, factor: above.factor * 2 };
}
