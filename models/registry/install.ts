import { createHash, randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, lstat, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { HomewardError } from '../../schemas/error.ts';
import type { ModelPackManifest } from '../../schemas/model-pack.ts';
import { MANIFEST_FILE, readManifest } from './manifest.ts';
import { CARD_FILE, checkFiles, entryNamed, INSTALLED_FOLDER, listPacks, netDigest, type Pack } from './packs.ts';

export interface Installation {
  /** Folder with manifest, files and, if there is one, card. */
  readonly from: string;
  readonly modelsFolder: string;
  readonly shippedFolder: string;
  readonly acceptLicence: boolean;
  /** Tries the net in a process of its own; throws what is to be refused. */
  readonly tryPack: (pack: Pack) => Promise<void>;
}

export interface Installed {
  readonly manifest: ModelPackManifest;
  /** new, another version of it was there, or this very one. */
  readonly state: 'new' | 'replaced' | 'unchanged';
}

/** What was ever installed: text by `id version`. */
const LEDGER_FILE = 'versions.json';
const MOST_CARD_BYTES = 256 * 1024;

/**
 * Copies an operator's pack into the models folder, after everything about it held: manifest, licence, files, net. Nothing is changed
 * where it is refused.
 * @throws HomewardError HW_MODEL_MANIFEST, HW_MODEL_LICENCE, HW_MODEL_FILE, and what `tryPack` throws
 */
export async function installPack(installation: Installation): Promise<Installed> {
  const { from, modelsFolder, shippedFolder, tryPack } = installation;
  const manifest = await readManifest(from);
  await checkRequest(installation, manifest);
  const folder = path.join(modelsFolder, INSTALLED_FOLDER);
  const target = path.join(folder, manifest.id);
  const before = (await listPacks(modelsFolder, shippedFolder)).find(({ id }) => id === manifest.id);
  const ledger = await readLedger(folder);
  const key = `${manifest.id} ${manifest.version}`;
  const known = ledger[key];
  if (known !== undefined && known !== vectorDigest(manifest)) {
    throw new HomewardError(
      'HW_MODEL_MANIFEST',
      `expected a new version for a pack that gives other vectors, received ${key} again with another net, input or output; stored vectors name pack and version, so raise the version`,
    );
  }
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const staging = path.join(folder, `.${randomUUID()}.tmp`);
  try {
    await copyPack(from, staging, manifest);
    const pack: Pack = { manifest, origin: 'installed', folder: staging, netPath: path.join(staging, manifest.net) };
    await checkFiles(pack);
    await tryPack(pack);
    const same = before?.pack !== undefined && before.pack !== null && sameText(before.pack.manifest, manifest);
    // Put in place even so: the files of the one that is there may be damaged.
    await rm(target, { recursive: true, force: true });
    await rename(staging, target);
    await writeLedger(folder, { ...ledger, [key]: vectorDigest(manifest) });
    return { manifest, state: before === undefined ? 'new' : same ? 'unchanged' : 'replaced' };
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/** @throws HomewardError HW_MODEL_NOT_FOUND, or HW_MODEL_MANIFEST for a shipped one */
export async function removePack(modelsFolder: string, shippedFolder: string, id: string): Promise<void> {
  const entries = await listPacks(modelsFolder, shippedFolder);
  if (entryNamed(entries, id).origin === 'shipped') {
    throw new HomewardError(
      'HW_MODEL_MANIFEST',
      `expected an installed pack to remove, received ${id}, which is shipped with the engine; choose another one of its kind in the configuration instead`,
    );
  }
  await rm(path.join(modelsFolder, INSTALLED_FOLDER, id), { recursive: true, force: true });
}

async function checkRequest(
  { modelsFolder, shippedFolder, acceptLicence }: Installation,
  manifest: ModelPackManifest,
): Promise<void> {
  const entries = await listPacks(modelsFolder, shippedFolder);
  if (entries.some(({ id, origin }) => id === manifest.id && origin === 'shipped')) {
    throw new HomewardError(
      'HW_MODEL_MANIFEST',
      `expected an id of its own for an installed pack, received ${manifest.id}, which is shipped; choose another id`,
    );
  }
  if (manifest.provenance.origin !== 'supplied') {
    throw new HomewardError(
      'HW_MODEL_MANIFEST',
      `expected provenance.origin supplied for an installed pack, received ${manifest.provenance.origin}; only shipped packs are converted here`,
    );
  }
  if (manifest.licence.acceptance === 'required' && !acceptLicence) {
    throw new HomewardError(
      'HW_MODEL_LICENCE',
      `expected the licence ${manifest.licence.id} of ${manifest.id} to be accepted, received no --accept-licence; its terms: ${manifest.licence.terms} (${manifest.licence.url})`,
    );
  }
}

/** Only what the manifest names, and the card. */
async function copyPack(from: string, to: string, manifest: ModelPackManifest): Promise<void> {
  await mkdir(to, { mode: 0o700 });
  const refused = (name: string, received: string): HomewardError =>
    new HomewardError(
      'HW_MODEL_FILE',
      `expected the file ${name} of the pack ${manifest.id}, received ${received}; get the pack again from where it came from`,
    );
  for (const { name, sizeBytes } of manifest.files) {
    const found = await lstat(path.join(from, name)).catch(() => null);
    if (found === null) throw refused(name, 'none');
    if (!found.isFile()) throw refused(name, 'what is no ordinary file');
    // Before it is copied: it may be larger than the disk.
    if (found.size !== sizeBytes) throw refused(name, `${found.size} bytes in place of ${sizeBytes}`);
    await copyFile(path.join(from, name), path.join(to, name), constants.COPYFILE_EXCL);
  }
  // As it was checked, whatever the file says by now.
  await writeFile(path.join(to, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600 });
  const card = await lstat(path.join(from, CARD_FILE)).catch(() => null);
  if (card === null) return;
  if (!card.isFile() || card.size > MOST_CARD_BYTES)
    throw refused(CARD_FILE, `what is no text of ${MOST_CARD_BYTES} bytes`);
  await copyFile(path.join(from, CARD_FILE), path.join(to, CARD_FILE), constants.COPYFILE_EXCL);
}

/** Over everything of a manifest that decides what its vectors are. */
function vectorDigest(manifest: ModelPackManifest): string {
  const { kind, input, alignment, outputs, detection, metric } = manifest;
  const decides = { net: netDigest(manifest), kind, input, alignment, outputs, detection, metric };
  return createHash('sha256')
    .update(JSON.stringify(sorted(decides)))
    .digest('hex');
}

/** With the keys of every object in order, so that their order in a file means nothing. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}

const sameText = (one: ModelPackManifest, other: ModelPackManifest): boolean =>
  JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));

async function readLedger(folder: string): Promise<Readonly<Record<string, string>>> {
  try {
    const parsed: unknown = JSON.parse(await readFile(path.join(folder, LEDGER_FILE), 'utf8'));
    return Object.fromEntries(
      Object.entries(parsed ?? {}).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
    );
  } catch {
    // None yet. One that cannot be read is written anew: the packs that are there matter more than what once was.
    return {};
  }
}

async function writeLedger(folder: string, ledger: Readonly<Record<string, string>>): Promise<void> {
  const temporary = path.join(folder, `.${randomUUID()}.tmp`);
  await writeFile(temporary, `${JSON.stringify(ledger, null, 2)}\n`, { mode: 0o600 });
  await rename(temporary, path.join(folder, LEDGER_FILE));
}
