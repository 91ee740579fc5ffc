import { readFileSync } from 'node:fs';
import sharp from 'sharp';
import type { EmbedPlan } from '../schemas/embedding.ts';
import { SHIPPED_PACKS } from '../workers/embed/test-packs.ts';
import type { BenchTable } from './harness.ts';
import { decodeBytes, type Models, readLabels, sharedFile } from './quality-kit.ts';

/** Widths of the detector's box, in pixels of the picture in the file. */
const WIDTHS = [96, 64, 48, 32, 24] as const;
const PICTURE = { widthPixels: 4000, heightPixels: 3000 } as const;
/** Every nth picture of a person's face, at a place of its own. */
const EVERY = 6;
const DETECTORS = [SHIPPED_PACKS.detector, SHIPPED_PACKS.thoroughDetector] as const;

/**
 * How small a face may be in a photograph of 12 megapixels: pictures of a face reduced and pasted into a grey one, which is then looked at as any other:
 * halved to 2,000 pixels, whole and in tiles. The box is the one that the detector gave in the original.
 */
export async function sizeTable(models: Models): Promise<BenchTable> {
  const files = readLabels().faces.filter((_, i) => i % EVERY === 0);
  const found = new Map<string, number>();
  for (const [i, { file }] of files.entries()) {
    const bytes = readFileSync(sharedFile(file));
    const original = await models.describe(await decodeBytes(bytes), plan(SHIPPED_PACKS.detector));
    const width = Math.max(...original.faces.map(({ box }) => box.width));
    for (const wanted of WIDTHS) {
      const small = await pasted(bytes, wanted / width, i);
      for (const detector of DETECTORS) {
        const { faces } = await models.describe(await decodeBytes(small.bytes), plan(detector));
        const isThere = faces.some(
          ({ box }) =>
            box.x + box.width / 2 > small.left &&
            box.x + box.width / 2 < small.left + small.widthPixels &&
            box.y + box.height / 2 > small.top &&
            box.y + box.height / 2 < small.top + small.heightPixels,
        );
        if (isThere) found.set(`${detector} ${wanted}`, (found.get(`${detector} ${wanted}`) ?? 0) + 1);
      }
    }
  }
  return {
    title: `Faces found by size in a picture of ${PICTURE.widthPixels} x ${PICTURE.heightPixels} pixels, of ${files.length}`,
    columns: ['width of the face, pixels', ...DETECTORS],
    rows: WIDTHS.map((wanted) => [wanted, ...DETECTORS.map((detector) => found.get(`${detector} ${wanted}`) ?? 0)]),
  };
}

const plan = (faceDetector: string): EmbedPlan => ({ faceDetector, packs: [], keypoints: false });

async function pasted(bytes: Buffer, scale: number, index: number) {
  const { data, info } = await sharp(bytes)
    .resize({ width: Math.max(1, Math.round((await sharp(bytes).metadata()).width * scale)) })
    .removeAlpha()
    .png()
    .toBuffer({ resolveWithObject: true });
  const left = (index * 977) % (PICTURE.widthPixels - info.width);
  const top = (index * 613) % (PICTURE.heightPixels - info.height);
  const canvas = sharp({
    create: { width: PICTURE.widthPixels, height: PICTURE.heightPixels, channels: 3, background: '#7a7a7a' },
  });
  const composed = await canvas
    .composite([{ input: data, left, top }])
    .jpeg({ quality: 92 })
    .toBuffer();
  return { bytes: composed, left, top, widthPixels: info.width, heightPixels: info.height };
}
