import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { sharedData } from '../test/shared-data.ts';
import { type Random, seededRandom } from './random.ts';

/** A picture in memory, 8-bit RGB, rows without padding. */
export interface SourcePicture {
  readonly name: string;
  readonly widthPixels: number;
  readonly heightPixels: number;
  readonly pixels: Buffer;
}

const LEAST_SIDE_PIXELS = 100;
/** The hostile folder holds small files that decode to hundreds of megapixels; they belong to the bombs bench, not here. */
const MOST_PIXELS = 16_000_000;
const RENDERED_COUNT = 48;

/** Every decodable picture of ../shared/data that is large enough to give detail; rendered ones where that folder is absent. */
export async function loadSources(seed: number): Promise<{ origin: 'shared' | 'rendered'; sources: SourcePicture[] }> {
  const folders = ['pdq', 'faces', 'places', 'hostile'].flatMap((name) => sharedData(`data/${name}`) ?? []);
  const sources: SourcePicture[] = [];
  for (const folder of folders) sources.push(...(await loadFolder(folder)));
  if (sources.length > 0) return { origin: 'shared', sources };
  for (let index = 0; index < RENDERED_COUNT; index++) sources.push(renderPicture(seededRandom(seed + index), index));
  return { origin: 'rendered', sources };
}

async function loadFolder(folder: string): Promise<SourcePicture[]> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(jpe?g|png|webp|tiff?|gif)$/i.test(name))
    .sort();
  const sources: SourcePicture[] = [];
  for (const name of names) {
    const source = await loadPicture(path.join(folder, name), `${path.basename(folder)}/${name}`);
    if (source !== undefined) sources.push(source);
  }
  return sources;
}

/** Undefined for what does not decode or is too small or too large to be of use. */
async function loadPicture(file: string, name: string): Promise<SourcePicture | undefined> {
  try {
    const bytes = readFileSync(file);
    const { width, height, format } = await sharp(bytes, { limitInputPixels: MOST_PIXELS }).metadata();
    if (Math.min(width, height) < LEAST_SIDE_PIXELS || width * height > MOST_PIXELS || format === 'svg')
      return undefined;
    const { data, info } = await sharp(bytes, { limitInputPixels: MOST_PIXELS, failOn: 'error' })
      .toColourspace('srgb')
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    if (info.channels !== 3) return undefined;
    return { name, widthPixels: info.width, heightPixels: info.height, pixels: data };
  } catch {
    return undefined; // the hostile folder is full of files that do not decode; the set is made of those that do
  }
}

/** Several octaves of noise for texture, and shapes for edges: detail at every scale, as a photograph has. */
export function renderPicture(random: Random, index: number): SourcePicture {
  const widthPixels = 1600;
  const heightPixels = 1200;
  const light = new Float32Array(widthPixels * heightPixels);
  for (let octave = 0, amplitude = 64; octave < 8; octave++, amplitude *= 0.62) {
    addNoise(light, widthPixels, heightPixels, 400 / 2 ** octave, amplitude, random);
  }
  for (let shape = 0; shape < 24; shape++) addDisc(light, widthPixels, heightPixels, random);
  const tint = [random.next() * 0.6 + 0.7, random.next() * 0.6 + 0.7, random.next() * 0.6 + 0.7] as const;
  const pixels = Buffer.alloc(widthPixels * heightPixels * 3);
  for (let i = 0; i < light.length; i++) {
    const value = 128 + (light[i] ?? 0);
    pixels[i * 3] = clampByte(value * tint[0]);
    pixels[i * 3 + 1] = clampByte(value * tint[1]);
    pixels[i * 3 + 2] = clampByte(value * tint[2]);
  }
  return { name: `rendered/${index}`, widthPixels, heightPixels, pixels };
}

const clampByte = (value: number) => Math.max(0, Math.min(255, Math.round(value)));

/** Bilinear value noise on a grid of `cellPixels`. */
function addNoise(
  light: Float32Array,
  width: number,
  height: number,
  cellPixels: number,
  amplitude: number,
  random: Random,
): void {
  const columns = Math.ceil(width / cellPixels) + 2;
  const rows = Math.ceil(height / cellPixels) + 2;
  const grid = Float32Array.from({ length: columns * rows }, () => (random.next() * 2 - 1) * amplitude);
  for (let y = 0; y < height; y++) {
    const gridY = y / cellPixels;
    const row = Math.floor(gridY);
    const downward = gridY - row;
    for (let x = 0; x < width; x++) {
      const gridX = x / cellPixels;
      const column = Math.floor(gridX);
      const rightward = gridX - column;
      const at = row * columns + column;
      const top = (grid[at] ?? 0) * (1 - rightward) + (grid[at + 1] ?? 0) * rightward;
      const bottom = (grid[at + columns] ?? 0) * (1 - rightward) + (grid[at + columns + 1] ?? 0) * rightward;
      const pixel = y * width + x;
      light[pixel] = (light[pixel] ?? 0) + top * (1 - downward) + bottom * downward;
    }
  }
}

function addDisc(light: Float32Array, width: number, height: number, random: Random): void {
  const radius = random.integer(20, 260);
  const centreX = random.integer(0, width - 1);
  const centreY = random.integer(0, height - 1);
  const change = random.integer(-70, 70);
  const squash = 0.4 + random.next();
  for (let y = Math.max(0, centreY - radius); y < Math.min(height, centreY + radius); y++) {
    for (let x = Math.max(0, centreX - radius); x < Math.min(width, centreX + radius); x++) {
      const inside = (x - centreX) ** 2 + ((y - centreY) * squash) ** 2 < radius ** 2;
      if (inside) light[y * width + x] = (light[y * width + x] ?? 0) + change;
    }
  }
}
