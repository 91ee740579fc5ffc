import type { Colour } from './colour.ts';

/** Size of every scene, in pixels. */
export const SCENE_WIDTH = 1200;
export const SCENE_HEIGHT = 900;

/** A drawn picture: rows from the top, three bytes a pixel. */
export interface Raster {
  readonly widthPixels: number;
  readonly heightPixels: number;
  readonly pixels: Uint8Array;
}

/** What colour a pixel has; x to the right and y down, 0 to 1. */
export type PixelPainter = (x: number, y: number) => Colour;

export function drawRaster(
  paint: PixelPainter,
  widthPixels: number = SCENE_WIDTH,
  heightPixels: number = SCENE_HEIGHT,
): Raster {
  const pixels = new Uint8Array(widthPixels * heightPixels * 3);
  let at = 0;
  for (let row = 0; row < heightPixels; row += 1) {
    for (let column = 0; column < widthPixels; column += 1) {
      const colour = paint((column + 0.5) / widthPixels, (row + 0.5) / heightPixels);
      pixels[at] = colour >> 16;
      pixels[at + 1] = (colour >> 8) & 255;
      pixels[at + 2] = colour & 255;
      at += 3;
    }
  }
  return { widthPixels, heightPixels, pixels };
}
