import sharp, { type Sharp } from 'sharp';
import { DEMO_SCENES, type DemoScene, type DemoVariant } from '../../schemas/demo.ts';
import { captioned } from './lettering.ts';
import type { Raster } from './raster.ts';

const ORIGINAL_QUALITY = 92;
const REENCODED_QUALITY = 60;
/** Share of each side that is cut away, in all. */
const CROPPED_SHARE = 0.3;
/** Share of the bytes that is left of a truncated file. */
const TRUNCATED_SHARE = 0.6;

/** The JPEG file of one variant of a drawn scene. Originals carry capture metadata, as camera files do; the others have lost it. */
export async function encodeVariant(scene: DemoScene, picture: Raster, variant: DemoVariant): Promise<Buffer> {
  const { widthPixels, heightPixels } = picture;
  switch (variant) {
    case 'original':
      return await original(scene, picture);
    case 'reencoded':
      return await open(picture).jpeg({ quality: REENCODED_QUALITY }).toBuffer();
    case 'resized':
      return await open(picture)
        .resize(widthPixels / 2, heightPixels / 2)
        .jpeg({ quality: 85 })
        .toBuffer();
    case 'mirrored':
      return await open(picture).flop().jpeg({ quality: 85 }).toBuffer();
    case 'rotated':
      return await open(picture).rotate(90).jpeg({ quality: 85 }).toBuffer();
    case 'captioned':
      return await open(captioned(picture, 'SEEN ON THE WEB', 5))
        .jpeg({ quality: 85 })
        .toBuffer();
    case 'cropped': {
      const left = Math.round((widthPixels * CROPPED_SHARE) / 2);
      const top = Math.round((heightPixels * CROPPED_SHARE) / 2);
      return await open(picture)
        .extract({ left, top, width: widthPixels - left * 2, height: heightPixels - top * 2 })
        .jpeg({ quality: 85 })
        .toBuffer();
    }
    case 'truncated': {
      const whole = await original(scene, picture);
      return whole.subarray(0, Math.floor(whole.length * TRUNCATED_SHARE));
    }
  }
}

function open({ pixels, widthPixels, heightPixels }: Raster): Sharp {
  return sharp(pixels, { raw: { width: widthPixels, height: heightPixels, channels: 3 } });
}

/** Invented cameras and dates, a few days apart, so that the report's charts have something to show. */
async function original(scene: DemoScene, picture: Raster): Promise<Buffer> {
  const index = DEMO_SCENES.indexOf(scene);
  const month = String(1 + ((index * 5) % 12)).padStart(2, '0');
  const exif = {
    IFD0: { Make: 'Homeward', Model: index % 3 === 0 ? 'Demo camera 2' : 'Demo camera 1' },
    IFD2: { DateTimeOriginal: `2025:${month}:${String(10 + index)} 14:30:00` },
  };
  return await open(picture).withExif(exif).jpeg({ quality: ORIGINAL_QUALITY }).toBuffer();
}
