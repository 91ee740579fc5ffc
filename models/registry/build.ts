import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { HomewardError } from '../../schemas/error.ts';
import { convertNet } from '../convert/convert.ts';
import { checkFiles, netDigest, type Pack } from './packs.ts';

const TEMPORARY = '.tmp';
/** What a process left that was killed while it wrote. */
const STALE_MS = 3_600_000;

/** The nets of shipped packs that are not in the models folder as pinned, each once. */
export async function missingNets(packs: readonly Pack[]): Promise<Pack[]> {
  const byNet = new Map(packs.filter(({ origin }) => origin === 'shipped').map((pack) => [pack.netPath, pack]));
  const missing: Pack[] = [];
  for (const pack of byNet.values()) {
    try {
      await checkFiles(pack);
    } catch (error) {
      if (!(error instanceof HomewardError)) throw error;
      missing.push(pack);
    }
  }
  return missing;
}

/**
 * Converts one net into the models folder: whole or not at all, and only as its manifest pins it.
 * @param packagesRoot the node_modules folder with the packages that ship the weights
 * @throws HomewardError HW_MODEL_BUILD where the weights are missing or give another net
 */
export async function buildNet({ manifest, netPath }: Pack, packagesRoot: string): Promise<void> {
  const { net } = manifest.provenance;
  const wanted = netDigest(manifest);
  const { bytes } = await convertNet(net ?? '', packagesRoot);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (sha256 !== wanted) {
    throw new HomewardError(
      'HW_MODEL_BUILD',
      `expected the pinned SHA-256 ${wanted} for the converted net of ${manifest.id}, received ${sha256}; run npm ci, so that ${manifest.provenance.source} is what is installed`,
    );
  }
  await writeWhole(netPath, bytes);
}

/** Written beside, made durable, then renamed: nobody ever sees half of it, and two builds at once do no harm. */
async function writeWhole(file: string, bytes: Uint8Array): Promise<void> {
  const folder = path.dirname(file);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const temporary = path.join(folder, `.${randomUUID()}${TEMPORARY}`);
  try {
    const handle = await open(temporary, 'wx', 0o600);
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Takes away what builds and installations left that were killed. */
export async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    if (!name.startsWith('.') || !name.endsWith(TEMPORARY)) continue;
    const place = path.join(folder, name);
    const found = await stat(place).catch(() => null);
    if (found !== null && Date.now() - found.mtimeMs > STALE_MS) await rm(place, { recursive: true, force: true });
  }
}
