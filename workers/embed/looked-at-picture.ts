import type { DecodedPicture, ReductionFactor } from '../decode/decoded-picture.ts';
import type { StoredFrame } from './face-record.ts';
import { Pyramid } from './pyramid.ts';
import { type ExifOrientation, uprightRaster } from './raster.ts';
import { resample } from './resample.ts';

/** What all models look at: the upright picture, no larger than they need, and the way back to the picture in the file. */
export interface LookedAtPicture {
  readonly pyramid: Pyramid;
  readonly frame: StoredFrame;
}

/**
 * The longer side of what the models look at is never made smaller than this. The embeddings see 224 pixels; it is the faces that need it: README.md has the
 * share found by face size.
 */
const LEAST_LONGER_SIDE_PIXELS = 1500;

/** How often a picture is halved, as long as its longer side stays above the least. */
function halvings(widthPixels: number, heightPixels: number): number {
  const longer = Math.max(widthPixels, heightPixels);
  return Math.max(0, Math.floor(Math.log2(longer / LEAST_LONGER_SIDE_PIXELS)));
}

/** By how much a decoder divides the sides, where it can do so for less than decoding all (JPEG by fewer coefficients, WebP by scaling). */
export function embedReduction(widthPixels: number, heightPixels: number, mediaType: string): ReductionFactor {
  if (mediaType !== 'image/jpeg' && mediaType !== 'image/webp') return 1;
  const times = halvings(widthPixels, heightPixels);
  return times >= 2 ? 4 : times === 1 ? 2 : 1;
}

/** @param orientation EXIF orientation of the stored picture; 1 where its decoder has turned it already (HEIF) */
export function lookedAtPicture(decoded: DecodedPicture, orientation: ExifOrientation): LookedAtPicture {
  const upright = new Pyramid(uprightRaster(decoded, orientation));
  const { factor, ...raster } = upright.level(halvings(decoded.decodedWidthPixels, decoded.decodedHeightPixels));
  const { widthPixels, heightPixels, decodedWidthPixels, decodedHeightPixels } = decoded;
  const frame = {
    orientation,
    widthPixels,
    heightPixels,
    pixelsAcross: (factor * widthPixels) / decodedWidthPixels,
    pixelsDown: (factor * heightPixels) / decodedHeightPixels,
  };
  return { pyramid: factor === 1 ? upright : new Pyramid(raster), frame };
}

export interface GreyPicture {
  readonly luma: Uint8Array;
  readonly widthPixels: number;
  readonly heightPixels: number;
}

/** Luma (Rec. 601) of the upright picture with its longer side at most `sidePixels`, 8 bits a pixel, rows without padding; never enlarged. */
export function greyPicture({ pyramid }: LookedAtPicture, sidePixels: number): GreyPicture {
  const { widthPixels: w, heightPixels: h } = pyramid.base;
  const scale = Math.min(1, sidePixels / Math.max(w, h));
  const [widthPixels, heightPixels] = [Math.max(1, Math.round(w * scale)), Math.max(1, Math.round(h * scale))];
  const { values } = resample(pyramid, { x: 0, y: 0, width: w, height: h }, widthPixels, heightPixels, 'area');
  const luma = new Uint8Array(widthPixels * heightPixels);
  for (let i = 0, at = 0; i < luma.length; i++, at += 3)
    luma[i] = Math.round(0.299 * (values[at] ?? 0) + 0.587 * (values[at + 1] ?? 0) + 0.114 * (values[at + 2] ?? 0));
  return { luma, widthPixels, heightPixels };
}
