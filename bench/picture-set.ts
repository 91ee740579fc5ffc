import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { NotAvailable } from './harness.ts';

export const SET_FOLDER = path.join(import.meta.dirname, 'set');
export const SMALL_FOLDER = path.join(SET_FOLDER, 'small');
export const MANIFEST_FILE = path.join(SET_FOLDER, 'manifest.json');

/** Megapixels of a size class, and how many pictures of it the whole set holds: 1,010 in all. */
export const SIZE_CLASSES = [
  { mpx: 0.5, count: 600 },
  { mpx: 2, count: 300 },
  { mpx: 12, count: 90 },
  { mpx: 48, count: 20 },
] as const;

const SetPicture = Type.Object({
  /** Relative to the set's folder. */
  path: Type.String(),
  mpx: Type.Number(),
  widthPixels: Type.Integer(),
  heightPixels: Type.Integer(),
  quality: Type.Integer(),
  chroma: Type.String(),
  progressive: Type.Boolean(),
  exif: Type.Boolean(),
  sizeBytes: Type.Integer(),
  sha256: Type.String(),
});
export type SetPicture = Static<typeof SetPicture>;

export const SetManifest = Type.Object({
  seed: Type.Integer(),
  origin: Type.Union([Type.Literal('shared'), Type.Literal('rendered')]),
  sources: Type.Integer(),
  encoder: Type.String(),
  pictures: Type.Array(SetPicture),
});
export type SetManifest = Static<typeof SetManifest>;

const manifestValidator = Compile(SetManifest);

/** The set's manifest. @throws NotAvailable when the set was not made yet */
export function readManifest(): SetManifest {
  if (!existsSync(MANIFEST_FILE)) {
    throw new NotAvailable('the benchmark set', 'make it with: npm run bench:set');
  }
  const manifest: unknown = JSON.parse(readFileSync(MANIFEST_FILE, 'utf8'));
  if (!manifestValidator.Check(manifest)) {
    throw new NotAvailable('a benchmark set of this version', 'make it anew with: npm run bench:set -- --force');
  }
  return manifest;
}

/** The first `most` pictures of a size class (they are in random order as made), as absolute paths. */
export function picturesOf(manifest: SetManifest, mpx: number, most: number): string[] {
  return manifest.pictures
    .filter((picture) => picture.mpx === mpx)
    .slice(0, most)
    .map((picture) => path.join(SET_FOLDER, picture.path));
}

/** `most` pictures with the whole set's mix of sizes, evenly spread over it, as absolute paths. */
export function mixOf(manifest: SetManifest, most: number): string[] {
  const fraction = Math.min(1, most / manifest.pictures.length);
  return SIZE_CLASSES.flatMap(({ mpx, count }) => picturesOf(manifest, mpx, Math.max(1, Math.round(count * fraction))));
}
