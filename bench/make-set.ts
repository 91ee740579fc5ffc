/**
 * Makes the benchmark set: `npm run bench:set [-- --force | --small COUNT | --scale FRACTION]`.
 * The same seed gives the same files with the same sharp and libvips; the manifest says which ones made it.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import sharp, { type Exif } from 'sharp';
import { MANIFEST_FILE, SET_FOLDER, type SetManifest, type SetPicture, SIZE_CLASSES } from './picture-set.ts';
import { loadSources, type SourcePicture } from './picture-sources.ts';
import { type Random, seededRandom, seedFrom } from './random.ts';
import { makeSmallSet } from './small-set.ts';
import { composePicture } from './stitch.ts';

const SEED = 20_261_124;
const ASPECTS = [4 / 3, 3 / 4, 3 / 2, 2 / 3, 16 / 9, 1] as const;
/** A piece must be large beside the whole, or the picture becomes a sheet of stamps, which no camera takes. */
const LEAST_PIECE_SIDE_PIXELS: Readonly<Record<number, number>> = { 0.5: 100, 2: 240, 12: 500, 48: 640 };
const AT_ONCE = 2;

interface Plan {
  readonly mpx: number;
  readonly index: number;
}

async function makePicture(plan: Plan, sources: readonly SourcePicture[]): Promise<SetPicture> {
  const random = seededRandom(seedFrom(SEED, plan.mpx * 10, plan.index));
  const aspect = random.pick(ASPECTS);
  const pixels = plan.mpx * 1e6 * (0.94 + random.next() * 0.12);
  const widthPixels = Math.round(Math.sqrt(pixels * aspect));
  const heightPixels = Math.round(pixels / widthPixels);
  const quality = random.integer(75, 95);
  const chroma = random.next() < 0.8 ? '4:2:0' : '4:4:4';
  const progressive = random.next() < 0.1;
  const exif = random.next() < 0.5;
  const raw = { width: widthPixels, height: heightPixels, channels: 3 } as const;
  const encoder = sharp(await composePicture(sources, widthPixels, heightPixels, random), {
    raw,
    limitInputPixels: 100_000_000,
  }).jpeg({ quality, chromaSubsampling: chroma, progressive });
  const bytes = await (exif ? encoder.withExif(cameraTags(random)) : encoder).toBuffer();
  const name = path.join(`${plan.mpx}mpx`, `${String(plan.index).padStart(4, '0')}.jpg`);
  writeFileSync(path.join(SET_FOLDER, name), bytes);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const { mpx } = plan;
  return {
    path: name,
    mpx,
    widthPixels,
    heightPixels,
    quality,
    chroma,
    progressive,
    exif,
    sizeBytes: bytes.length,
    sha256,
  };
}

/** What a telephone writes, so that reading capture metadata costs what it costs on seized pictures. */
function cameraTags(random: Random): Exif {
  const two = (value: number) => String(value).padStart(2, '0');
  const taken = `2024:${two(random.integer(1, 12))}:${two(random.integer(1, 28))} ${two(random.integer(0, 23))}:30:00`;
  return {
    IFD0: { Make: 'Rendered', Model: `Bench ${random.integer(1, 9)}`, Software: 'bench-set', DateTime: taken },
    IFD2: {
      DateTimeOriginal: taken,
      OffsetTimeOriginal: '+01:00',
      LensModel: 'Bench 5.7 mm f/1.8',
      BodySerialNumber: String(random.integer(1e6, 9e6)),
      ExposureTime: '1/60',
      FNumber: '18/10',
    },
    IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '48/1 51/1 30/1', GPSLongitudeRef: 'E', GPSLongitude: '2/1 17/1 40/1' },
  };
}

async function makeSet(scale: number): Promise<void> {
  sharp.concurrency(1); // two pictures at once keep two cores busy; more threads only add waiting
  sharp.cache(false);
  const { origin, sources } = await loadSources(SEED);
  const started = performance.now();
  rmSync(MANIFEST_FILE, { force: true });
  const plans: Plan[] = [];
  for (const { mpx, count } of SIZE_CLASSES) {
    mkdirSync(path.join(SET_FOLDER, `${mpx}mpx`), { recursive: true });
    for (let index = 0; index < Math.max(1, Math.round(count * scale)); index++) plans.push({ mpx, index });
  }
  const pictures: SetPicture[] = new Array(plans.length);
  let next = 0;
  const work = async () => {
    for (let at = next++; at < plans.length; at = next++) {
      const plan = plans[at];
      if (plan === undefined) return;
      const leastSide = LEAST_PIECE_SIDE_PIXELS[plan.mpx] ?? 0;
      const eligible = sources.filter(
        (source) =>
          Math.min(source.widthPixels, source.heightPixels) >= leastSide &&
          // What decodes of the hostile folder is drawings and blank pages: cheaper to decode than any photograph.
          (plan.mpx < 1 || !source.name.startsWith('hostile/')),
      );
      pictures[at] = await makePicture(plan, eligible);
      if (at % 100 === 0) process.stderr.write(`bench:set: ${at} of ${plans.length}\n`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const encoder = `sharp ${sharp.versions.sharp} (libvips ${sharp.versions.vips})`;
  const manifest: SetManifest = { seed: SEED, origin, sources: sources.length, encoder, pictures };
  writeFileSync(MANIFEST_FILE, `${JSON.stringify(manifest, null, 1)}\n`);
  const megabytes = Math.round(pictures.reduce((sum, picture) => sum + picture.sizeBytes, 0) / 1e6);
  const seconds = Math.round((performance.now() - started) / 1000);
  process.stdout.write(
    `bench:set: ${pictures.length} pictures, ${megabytes} MB, from ${sources.length} ${origin} ones in ${seconds} s\n`,
  );
}

const { values } = parseArgs({
  options: { force: { type: 'boolean' }, small: { type: 'string' }, scale: { type: 'string' } },
});
if (values.small !== undefined) {
  const made = await makeSmallSet(Number(values.small), SEED);
  process.stdout.write(`bench:set: ${made} small pictures made\n`);
} else if (existsSync(MANIFEST_FILE) && values.force !== true) {
  process.stdout.write('bench:set: the set is there already; --force makes it anew\n');
} else {
  await makeSet(values.scale === undefined ? 1 : Number(values.scale));
}
