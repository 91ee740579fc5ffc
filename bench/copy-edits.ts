import sharp, { type Sharp } from 'sharp';
import type { Random } from './random.ts';

/** Encoded JPEG, PNG or WebP. */
type Encoded = Buffer;

/** What is done to a picture; `other` is another picture, for the collage. Edits whose end is not given are saved as JPEG of this quality, as sharing does. */
const SAVED_QUALITY = 85;
const saved = (image: Sharp): Promise<Encoded> => image.jpeg({ quality: SAVED_QUALITY }).toBuffer();

async function sides(bytes: Encoded): Promise<{ width: number; height: number }> {
  const { width, height } = await sharp(bytes).metadata();
  return { width, height };
}

async function cropped(bytes: Encoded, share: number, fromLeft: number, fromTop: number): Promise<Encoded> {
  const { width, height } = await sides(bytes);
  const region = {
    left: Math.round(width * fromLeft),
    top: Math.round(height * fromTop),
    width: Math.round(width * share),
    height: Math.round(height * share),
  };
  return saved(sharp(bytes).extract(region));
}

/** A red rectangle over the middle and a blue disc, as stickers and censor bars are. */
async function overlaid(bytes: Encoded): Promise<Encoded> {
  const { data, info } = await sharp(bytes)
    .toColourspace('srgb')
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  const radius = 0.12 * Math.min(width, height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const inBar = Math.abs(x - width / 2) < 0.3 * width && Math.abs(y - height / 2) < 0.15 * height;
      const inDisc = Math.hypot(x - 0.8 * width, y - 0.2 * height) < radius;
      if (!inBar && !inDisc) continue;
      const at = (y * width + x) * channels;
      data.fill(0, at, at + channels);
      data[at + (inDisc ? channels - 1 : 0)] = 255;
    }
  return saved(sharp(data, { raw: { width, height, channels } }));
}

async function besideOther(bytes: Encoded, other: Encoded, isRight: boolean): Promise<Encoded> {
  const { width, height } = await sides(bytes);
  const neighbour = await sharp(other).removeAlpha().resize(width, height, { fit: 'fill' }).toBuffer();
  const canvas = sharp({ create: { width: 2 * width, height, channels: 3, background: 'black' } });
  const own = await sharp(bytes).removeAlpha().toBuffer();
  return saved(
    canvas.composite([
      { input: own, left: isRight ? width : 0, top: 0 },
      { input: neighbour, left: isRight ? 0 : width, top: 0 },
    ]),
  );
}

const WHITE = { r: 255, g: 255, b: 255 };

/** The 13 edits by name. Numbers are those that the reference figures were taken with. */
export const COPY_EDITS: Readonly<
  Record<string, (bytes: Encoded, other: Encoded, random: Random) => Promise<Encoded>>
> = {
  jpeg20: (bytes) => sharp(bytes).jpeg({ quality: 20 }).toBuffer(),
  down25: async (bytes) => {
    const { width } = await sides(bytes);
    return sharp(bytes)
      .resize({ width: Math.max(1, Math.round(width / 4)) })
      .jpeg({ quality: 60 })
      .toBuffer();
  },
  crop70: (bytes) => cropped(bytes, 0.84, 0.08, 0.05),
  crop35: (bytes) => cropped(bytes, 0.59, 0.25, 0.2),
  flip: (bytes) => saved(sharp(bytes).flop()),
  rot90: (bytes) => saved(sharp(bytes).rotate(90)),
  rot10: (bytes) => saved(sharp(bytes).rotate(10, { background: 'black' })),
  gray: (bytes) => saved(sharp(bytes).grayscale()),
  bright: (bytes) => saved(sharp(bytes).modulate({ brightness: 1.5, saturation: 0.6 })),
  blur: (bytes) => saved(sharp(bytes).blur(4)),
  border: (bytes) => saved(sharp(bytes).extend({ top: 120, bottom: 120, left: 40, right: 40, background: WHITE })),
  overlay: (bytes) => overlaid(bytes),
  collage: (bytes, other, random) => besideOther(bytes, other, random.next() < 0.5),
};
