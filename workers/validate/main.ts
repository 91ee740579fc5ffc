/**
 * Draws the pictures of `homeward validate` into the folder named on the command line, and lists them with what the plain
 * reference says of their pixels in drawn.json there. A process of its own, since pixels exist only in this room. It opens
 * nothing but that folder.
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import type { DrawnPicture } from '../../schemas/validation.ts';
import { type RawPicture, referencePdq } from '../hash/pdq-reference.ts';
import { drawScene, greyOf } from './draw-scene.ts';
import { bmpOf, bombPng, pipelineOf } from './write-formats.ts';

/** Around every border of the algorithm: below 5, 64 unfiltered, 128 and 512 where windows and sampling change, odd, thin, large. */
const KERNEL_SIZES: readonly (readonly [number, number])[] = [
  [4, 4],
  [5, 5],
  [3, 600],
  [64, 64],
  [65, 63],
  [128, 129],
  [511, 300],
  [512, 512],
  [513, 100],
  [640, 480],
  [1200, 801],
];
const SCENES = 8;
/** Stays below the pixel limit and keeps a host busy for long enough to be killed at work. */
const HEAVY = { width: 6_000, height: 6_000 } as const;

const folder = process.argv[2];
if (folder === undefined) throw new Error('expected the folder to draw into as the first argument, received none');
const drawn: DrawnPicture[] = [];

const put = (name: string, bytes: Uint8Array, about: Omit<DrawnPicture, 'file'>): void => {
  writeFileSync(path.join(folder, name), bytes);
  drawn.push({ file: name, ...about });
};

for (const [index, [width, height]] of KERNEL_SIZES.entries()) {
  const picture = drawScene(500 + index, width, height);
  put(`kernel-${width}x${height}.png`, await pipelineOf(picture).png().toBuffer(), {
    role: 'kernel',
    scene: 500 + index,
    made: `${width} x ${height}`,
    turned: null,
    reference: referencePdq(picture),
  });
}
await drawFormats(drawScene(600, 700, 520));
for (let scene = 0; scene < SCENES; scene++) await drawVariants(scene);
await drawLimits();
writeFileSync(path.join(folder, 'drawn.json'), JSON.stringify(drawn));

async function drawFormats(picture: RawPicture): Promise<void> {
  const grey = greyOf(picture);
  const about = (made: string, of: RawPicture) =>
    ({ role: 'format', scene: 600, made, turned: null, reference: referencePdq(of) }) as const;
  put('format-png.png', await pipelineOf(picture).png().toBuffer(), about('PNG', picture));
  put(
    'format-interlaced.png',
    await pipelineOf(picture).png({ progressive: true }).toBuffer(),
    about('PNG, interlaced', picture),
  );
  put('format-grey.png', await pipelineOf(grey).png().toBuffer(), about('PNG, grey', grey));
  put(
    'format-webp.webp',
    await pipelineOf(picture).webp({ lossless: true }).toBuffer(),
    about('WebP, lossless', picture),
  );
  put(
    'format-lzw.tiff',
    await pipelineOf(picture).tiff({ compression: 'lzw' }).toBuffer(),
    about('TIFF, LZW', picture),
  );
  put(
    'format-plain.tiff',
    await pipelineOf(picture).tiff({ compression: 'none' }).toBuffer(),
    about('TIFF, uncompressed', picture),
  );
  put('format-bmp.bmp', bmpOf(picture), about('BMP', picture));
  put('format-gif.gif', await pipelineOf(grey).gif({ dither: 0, effort: 1 }).toBuffer(), about('GIF', grey));
  put(
    'format-avif.avif',
    await pipelineOf(picture).avif({ quality: 90, effort: 2 }).toBuffer(),
    about('AVIF', picture),
  );
  put(
    'format-lossy.webp',
    await pipelineOf(picture).webp({ quality: 90 }).toBuffer(),
    about('WebP, quality 90', picture),
  );
  put(
    'format-jpeg.jpg',
    await pipelineOf(picture).jpeg({ quality: 95 }).toBuffer(),
    about('JPEG, quality 95', picture),
  );
  put(
    'format-progressive.jpg',
    await pipelineOf(picture).jpeg({ quality: 95, progressive: true }).toBuffer(),
    about('JPEG, progressive', picture),
  );
}

async function drawVariants(scene: number): Promise<void> {
  const picture = drawScene(scene, 640, 480);
  const base = () => pipelineOf(picture);
  put(`scene-${scene}.png`, await base().png().toBuffer(), {
    role: 'scene',
    scene,
    made: 'PNG',
    turned: 'original',
    reference: null,
  });
  const variants = [
    {
      name: 'jpeg',
      made: 'JPEG, quality 60',
      turned: 'original',
      bytes: await base().jpeg({ quality: 60 }).toBuffer(),
    },
    {
      name: 'half',
      made: 'half size, JPEG',
      turned: 'original',
      bytes: await base().resize(320, 240).jpeg({ quality: 85 }).toBuffer(),
    },
    {
      name: 'double',
      made: 'double size, JPEG',
      turned: 'original',
      bytes: await base().resize(1280, 960).jpeg({ quality: 85 }).toBuffer(),
    },
    {
      name: 'mirrored',
      made: 'mirrored, JPEG',
      turned: 'flipY',
      bytes: await base().flop().jpeg({ quality: 85 }).toBuffer(),
    },
    {
      name: 'upended',
      made: 'top to bottom, JPEG',
      turned: 'flipX',
      bytes: await base().flip().jpeg({ quality: 85 }).toBuffer(),
    },
    // Named by what has to be done to the variant for it to lie as the scene does; PDQ counts quarter turns against the clock.
    {
      name: 'clockwise',
      made: 'turned by 90 degrees clockwise, JPEG',
      turned: 'rot90',
      bytes: await base().rotate(90).jpeg({ quality: 85 }).toBuffer(),
    },
    {
      name: 'half-turn',
      made: 'turned by 180 degrees, JPEG',
      turned: 'rot180',
      bytes: await base().rotate(180).jpeg({ quality: 85 }).toBuffer(),
    },
    {
      name: 'counter',
      made: 'turned by 90 degrees counter-clockwise, JPEG',
      turned: 'rot270',
      bytes: await base().rotate(270).jpeg({ quality: 85 }).toBuffer(),
    },
  ] as const;
  for (const { name, made, turned, bytes } of variants) {
    put(`variant-${scene}-${name}.jpg`, bytes, { role: 'variant', scene, made, turned, reference: null });
  }
}

async function drawLimits(): Promise<void> {
  const nothing = { scene: 0, turned: null, reference: null } as const;
  for (const [index, grey] of [0, 128, 255].entries()) {
    const background = { r: grey, g: grey, b: grey };
    const flat = await sharp({ create: { width: 400, height: 300, channels: 3, background } })
      .png()
      .toBuffer();
    put(`flat-${index}.png`, flat, { ...nothing, role: 'flat', made: `one grey of ${grey}` });
  }
  const heavy = pipelineOf(drawScene(700, 600, 600))
    .resize({ ...HEAVY, kernel: 'nearest' })
    .jpeg({ quality: 80 });
  put('heavy.jpg', await heavy.toBuffer(), { ...nothing, role: 'heavy', made: '36 Mpx JPEG' });
  put('bomb.png', bombPng(30_000, 30_000), {
    ...nothing,
    role: 'overPixels',
    made: '30000 x 30000 PNG of one bit a pixel',
  });
  put('long.png', bombPng(70_000, 8), { ...nothing, role: 'overSide', made: '70000 x 8 PNG of one bit a pixel' });
}
