import { decodePicture } from '../decode/decode.ts';
import type { DecodedPicture } from '../decode/decoded-picture.ts';
import { correlation, GRID_SIDE, lumaGrid, wholeOf, withoutBlackBars } from './luma-grid.ts';

/** EXIF thumbnails are 160 x 120; anything much larger is none, and is not decoded. */
const THUMBNAIL_BUDGET = { pixels: 1_000_000, sidePixels: 4096 } as const;
/** Shapes may differ by rounding and by what is left of black bars. */
const MAX_ASPECT_RATIO = 1.1;
/** Below this the two do not show the same. Of 24 pairs in public samples that belong together, the least alike had 0.983. */
const MIN_CORRELATION = 0.93;

/**
 * Whether the thumbnail embedded in a picture shows something else than the picture: it was cropped, rotated or replaced after it was taken.
 * Null where there is no thumbnail that can be judged. Only the flag leaves this function.
 */
export async function thumbnailMismatch(thumbnail: Buffer | null, picture: DecodedPicture): Promise<boolean | null> {
  if (thumbnail === null || thumbnail.length < 4 || thumbnail[0] !== 0xff || thumbnail[1] !== 0xd8) return null;
  const small = await decodePicture(thumbnail, 'image/jpeg', 'sharp', { mode: 'exact', budget: THUMBNAIL_BUDGET });
  if (small.kind === 'refused' || small.damage?.code === 'truncated') return null;
  const similarity = compareShapes(small, picture);
  return (
    similarity.aspectRatio > MAX_ASPECT_RATIO ||
    (similarity.correlation !== null && similarity.correlation < MIN_CORRELATION)
  );
}

/** How far the shapes are apart (1 is equal), and how alike the contents are; exported for calibration. */
export function compareShapes(
  small: DecodedPicture,
  picture: DecodedPicture,
): { aspectRatio: number; correlation: number | null } {
  const judged = [wholeOf(small), withoutBlackBars(small)].map((window) => {
    const ratio = (window.width * picture.heightPixels) / (window.height * picture.widthPixels);
    return { window, aspectRatio: Math.max(ratio, 1 / ratio) };
  });
  // A dark picture looks as if it had bars: whichever reading fits the shape better is taken.
  const best = judged.reduce((a, b) => (b.aspectRatio < a.aspectRatio ? b : a));
  // With less than a pixel a cell, a grid shows the pixels and not the scene.
  const tooSmall = Math.min(best.window.width, best.window.height) < GRID_SIDE;
  return {
    aspectRatio: best.aspectRatio,
    correlation: tooSmall ? null : correlation(lumaGrid(small, best.window), lumaGrid(picture, wholeOf(picture))),
  };
}
