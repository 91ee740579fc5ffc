import sharp, { type Sharp } from 'sharp';
import { renderPicture } from '../hash/rendered-pictures.ts';

/** Encoded pictures made by calculation, for tests that need files: the same seed gives the same bytes on one machine. */

interface Size {
  readonly widthPixels?: number;
  readonly heightPixels?: number;
}

/** A drawing of a few soft shapes whose places follow from the seed: far apart in PDQ from those of other seeds, and of good quality. */
export function drawing(seed: number, { widthPixels = 192, heightPixels = 144 }: Size = {}): Sharp {
  const scene = renderPicture('scene', widthPixels, heightPixels, 3, seed);
  const next = randomUnits(seed);
  for (let shape = 0; shape < 24; shape++) {
    const left = Math.floor(next() * widthPixels);
    const top = Math.floor(next() * heightPixels);
    const radius = Math.floor((0.06 + 0.2 * next()) * heightPixels);
    const colour = [next() * 255, next() * 255, next() * 255];
    for (let y = Math.max(0, top - radius); y < Math.min(heightPixels, top + radius); y++) {
      for (let x = Math.max(0, left - radius); x < Math.min(widthPixels, left + radius); x++) {
        if ((x - left) ** 2 + (y - top) ** 2 > radius * radius) continue;
        for (const [channel, value] of colour.entries()) scene.pixels[(y * widthPixels + x) * 3 + channel] = value;
      }
    }
  }
  return sharp(Buffer.from(scene.pixels.buffer, scene.pixels.byteOffset, scene.pixels.byteLength), {
    raw: { width: widthPixels, height: heightPixels, channels: 3 },
  });
}

export async function drawnJpeg(seed: number, size: Size = {}, quality = 85): Promise<Buffer> {
  return await drawing(seed, size).jpeg({ quality }).toBuffer();
}

/** The same drawing looked at in a mirror, encoded anew. */
export async function mirroredJpeg(seed: number, size: Size = {}): Promise<Buffer> {
  return await drawing(seed, size).flop().jpeg({ quality: 70 }).toBuffer();
}

/** A JPEG whose camera fields hold these texts. */
export async function jpegWithCameraText(seed: number, text: Readonly<Record<string, string>>): Promise<Buffer> {
  return await drawing(seed)
    .withExif({ IFD0: { ...text } })
    .jpeg({ quality: 85 })
    .toBuffer();
}

/** The same drawing as other kinds of file, for mutation. */
export async function drawnInEveryFormat(seed: number, size: Size = {}): Promise<ReadonlyMap<string, Buffer>> {
  const formats = ['jpeg', 'png', 'webp', 'gif', 'tiff', 'avif'] as const;
  const encoded = await Promise.all(
    formats.map(async (format) => [format, await drawing(seed, size).toFormat(format).toBuffer()] as const),
  );
  return new Map(encoded);
}

/** mulberry32 (Tommy Ettinger, public domain), 0 to 1: even enough for small seeds that differ in one bit. */
export function randomUnits(seed: number): () => number {
  let state = (seed * 0x9e3779b1) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
