import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import path from 'node:path';
import { HomewardError } from '../../schemas/error.ts';
import type { ModelPackManifest } from '../../schemas/model-pack.ts';
import { readManifest } from './manifest.ts';

export const CARD_FILE = 'card.md';
/** Below the models folder: packs that operators installed. */
export const INSTALLED_FOLDER = 'packs';

/** A pack whose manifest is good, and where its parts lie or will lie. */
export interface Pack {
  readonly manifest: ModelPackManifest;
  /** shipped: its net is converted from npm packages into the models folder. installed: all of it is the operator's. */
  readonly origin: 'shipped' | 'installed';
  /** Of manifest and card. */
  readonly folder: string;
  /** Absolute; of a shipped pack it exists once it was built. */
  readonly netPath: string;
}

/** One entry of a folder of packs: a pack, or why it is none. */
export type PackEntry =
  | { readonly id: string; readonly origin: Pack['origin']; readonly pack: Pack; readonly fault: null }
  | { readonly id: string; readonly origin: Pack['origin']; readonly pack: null; readonly fault: HomewardError };

/**
 * Every pack by id, shipped ones first. Files are not looked at: `openPack` does that.
 * @param modelsFolder absolute; holds converted nets as `<sha256>.onnx`, and installed packs below `packs/`; may not exist yet
 * @param shippedFolder absolute; models/packs of the checkout
 */
export async function listPacks(modelsFolder: string, shippedFolder: string): Promise<PackEntry[]> {
  const shipped = await entriesOf(shippedFolder, 'shipped', modelsFolder);
  const taken = new Set(shipped.map(({ id }) => id));
  const installed = await entriesOf(path.join(modelsFolder, INSTALLED_FOLDER), 'installed', modelsFolder);
  return [...shipped, ...installed.filter(({ id }) => !taken.has(id))];
}

/**
 * One pack, with every file of it compared in size and SHA-256 with its manifest.
 * @throws HomewardError HW_MODEL_NOT_FOUND, HW_MODEL_MANIFEST or HW_MODEL_FILE
 */
export async function openPack(modelsFolder: string, shippedFolder: string, id: string): Promise<Pack> {
  const pack = packNamed(await listPacks(modelsFolder, shippedFolder), id);
  await checkFiles(pack);
  return pack;
}

/** @throws HomewardError HW_MODEL_NOT_FOUND */
export function entryNamed(entries: readonly PackEntry[], id: string): PackEntry {
  const entry = entries.find((one) => one.id === id);
  if (entry !== undefined) return entry;
  throw new HomewardError(
    'HW_MODEL_NOT_FOUND',
    `expected the id of a model pack, received ${JSON.stringify(id)}; there are ${entries.map((one) => one.id).join(', ')}`,
  );
}

/** @throws HomewardError HW_MODEL_NOT_FOUND, or HW_MODEL_MANIFEST where its manifest is no good */
export function packNamed(entries: readonly PackEntry[], id: string): Pack {
  const { pack, fault } = entryNamed(entries, id);
  if (pack === null) throw fault;
  return pack;
}

/** @throws HomewardError HW_MODEL_FILE naming the file that is missing or is another one */
export async function checkFiles({ manifest, origin, folder, netPath }: Pack): Promise<void> {
  for (const { name, sha256, sizeBytes } of manifest.files) {
    await checkFile(origin === 'shipped' ? netPath : path.join(folder, name), { name, sha256, sizeBytes, origin });
  }
}

async function checkFile(
  file: string,
  wanted: { name: string; sha256: string; sizeBytes: number; origin: Pack['origin'] },
): Promise<void> {
  const todo = wanted.origin === 'shipped' ? 'run homeward models build' : 'install the pack again';
  const refused = (received: string): HomewardError =>
    new HomewardError(
      'HW_MODEL_FILE',
      `expected ${wanted.sizeBytes} bytes with SHA-256 ${wanted.sha256} for ${wanted.name}, received ${received}; ${todo}`,
    );
  const found = await lstat(file).catch(() => null);
  if (found === null) throw refused(wanted.origin === 'shipped' ? 'no file, it was not built yet' : 'no file');
  // A link could point at another file tomorrow.
  if (!found.isFile()) throw refused('what is no ordinary file');
  if (found.size !== wanted.sizeBytes) throw refused(`${found.size} bytes`);
  const sha256 = await digestOf(file);
  if (sha256 !== wanted.sha256) throw refused(`SHA-256 ${sha256}`);
}

/** SHA-256 of a file in lower-case hexadecimal. */
async function digestOf(file: string): Promise<string> {
  const digest = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: 1024 * 1024 })) digest.update(chunk);
  return digest.digest('hex');
}

async function entriesOf(folder: string, origin: Pack['origin'], modelsFolder: string): Promise<PackEntry[]> {
  const found = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const ids = found.filter((one) => one.isDirectory() && !one.name.startsWith('.')).map(({ name }) => name);
  return await Promise.all(
    ids.toSorted().map(async (id): Promise<PackEntry> => {
      const own = path.join(folder, id);
      try {
        const manifest = await readManifest(own);
        if (manifest.id !== id) {
          throw new HomewardError(
            'HW_MODEL_MANIFEST',
            `expected the id ${id} in the manifest of the folder ${id}, received ${manifest.id}; name the folder after the pack`,
          );
        }
        const netPath =
          origin === 'shipped' ? path.join(modelsFolder, `${netDigest(manifest)}.onnx`) : path.join(own, manifest.net);
        return { id, origin, pack: { manifest, origin, folder: own, netPath }, fault: null };
      } catch (error) {
        if (error instanceof HomewardError) return { id, origin, pack: null, fault: error };
        throw error;
      }
    }),
  );
}

/** SHA-256 of the net's file, which the rules of a manifest say is among its files. */
export function netDigest({ files, net }: ModelPackManifest): string {
  return files.find(({ name }) => name === net)?.sha256 ?? '';
}
