import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { convertNet } from '../../models/convert/convert.ts';
import { readManifest } from '../../models/registry/manifest.ts';
import type { PackSource } from './media-embedder.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const PACKAGES = path.join(ROOT, 'node_modules');
const CONVERTER_FOLDER = path.join(ROOT, 'models/convert');

/** The shipped packs, in the order in which a plan would name them. */
export const SHIPPED_PACKS = {
  detector: 'blazeface',
  thoroughDetector: 'ssd-mobilenetv1',
  landmarks: 'face-landmarks-68',
  faces: ['dlib-128', 'faceres-1024'],
  copies: 'mobilenet-v2-copy',
  places: 'mobilenet-v2-place',
} as const;

const ALL_IDS = [
  SHIPPED_PACKS.detector,
  SHIPPED_PACKS.thoroughDetector,
  SHIPPED_PACKS.landmarks,
  ...SHIPPED_PACKS.faces,
  SHIPPED_PACKS.copies,
  SHIPPED_PACKS.places,
];

/** Shipped packs by id with nets converted from the installed npm packages: the real ones. Conversion takes seconds, so it is done once a checkout and version of the converter. */
export async function shippedPacks(ids: readonly string[] = ALL_IDS): Promise<PackSource[]> {
  const folder = cacheFolder();
  return await Promise.all(
    ids.map(async (id) => {
      const manifest = await readManifest(path.join(ROOT, 'models/packs', id));
      const { net } = manifest.provenance;
      if (net === null) throw new Error(`expected ${id} to be converted from an npm package`);
      return { manifest, bytes: await netBytes(folder, net) };
    }),
  );
}

async function netBytes(folder: string, net: string): Promise<Uint8Array> {
  const file = path.join(folder, `${net}.onnx`);
  try {
    return readFileSync(file);
  } catch {
    const { bytes } = await convertNet(net, PACKAGES);
    mkdirSync(folder, { recursive: true });
    // Several test processes may be at it: each writes a file of its own, and the last rename wins with the same bytes.
    const own = path.join(folder, `.${randomUUID()}`);
    writeFileSync(own, bytes);
    renameSync(own, file);
    return bytes;
  }
}

function cacheFolder(): string {
  const digest = createHash('sha256');
  const sources = readdirSync(CONVERTER_FOLDER).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'));
  for (const name of sources.toSorted()) digest.update(readFileSync(path.join(CONVERTER_FOLDER, name)));
  // Beside the packages, not among temporary files: those belong to one test, and conversion would be done for each.
  return path.join(PACKAGES, '.cache', `homeward-models-${digest.digest('hex').slice(0, 16)}`);
}
