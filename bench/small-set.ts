import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { SMALL_FOLDER } from './picture-set.ts';
import { loadSources } from './picture-sources.ts';
import { seededRandom, seedFrom } from './random.ts';
import { stitch } from './stitch.ts';

const WIDTH_PIXELS = 320;
const HEIGHT_PIXELS = 240;
const PER_FOLDER = 1000;
/** Past this many, further files are the same pictures with another JPEG comment: other content, the same pixels, made in no time. */
const DISTINCT_PICTURES = 10_000;

export const smallPicturePath = (index: number): string =>
  path.join(SMALL_FOLDER, String(Math.floor(index / PER_FOLDER)).padStart(3, '0'), `${index}.jpg`);

/** Folders of the small set that together hold exactly `count` files (a multiple of 1,000). */
export function smallSetFolders(count: number): string[] {
  return Array.from({ length: count / PER_FOLDER }, (_, folder) =>
    path.join(SMALL_FOLDER, String(folder).padStart(3, '0')),
  );
}

/** Makes what is missing of `count` small pictures (320 x 240, distinct contents). @returns how many files were written */
export async function makeSmallSet(count: number, seed: number): Promise<number> {
  const missing = Array.from({ length: count }, (_, index) => index).filter((i) => !existsSync(smallPicturePath(i)));
  if (missing.length === 0) return 0;
  sharp.concurrency(1);
  const { sources } = await loadSources(seed);
  const eligible = sources.filter((source) => Math.min(source.widthPixels, source.heightPixels) >= 240);
  const encode = async (index: number) => {
    const pixels = stitch(eligible, WIDTH_PIXELS, HEIGHT_PIXELS, seededRandom(seedFrom(seed, 1, index)));
    const raw = { width: WIDTH_PIXELS, height: HEIGHT_PIXELS, channels: 3 } as const;
    return await sharp(pixels, { raw }).jpeg({ quality: 80 }).toBuffer();
  };
  let next = 0;
  const work = async () => {
    for (let at = next++; at < missing.length; at = next++) {
      const index = missing[at];
      if (index === undefined) return;
      const file = smallPicturePath(index);
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, withComment(await encode(index % DISTINCT_PICTURES), `picture ${index}`));
    }
  };
  await Promise.all([work(), work()]);
  return missing.length;
}

/** The JPEG with a comment segment (COM, marker FFFE, ISO/IEC 10918-1) behind its start marker. */
function withComment(jpeg: Buffer, comment: string): Buffer {
  const text = Buffer.from(comment, 'latin1');
  const head = Buffer.from([0xff, 0xfe, 0, 0]);
  head.writeUInt16BE(text.length + 2, 2);
  return Buffer.concat([jpeg.subarray(0, 2), head, text, jpeg.subarray(2)]);
}
