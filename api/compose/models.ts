import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { buildNet, missingNets, removeLeftovers } from '../../models/registry/build.ts';
import {
  CARD_FILE,
  checkFiles,
  entryNamed,
  INSTALLED_FOLDER,
  listPacks,
  netDigest,
  type Pack,
  type PackEntry,
  packNamed,
} from '../../models/registry/packs.ts';
import type { Config } from '../../schemas/config.ts';
import type { ModelPackManifest, ModelProvider } from '../../schemas/model-pack.ts';
import { type ChosenPacks, choosePacks, packsOf } from './choose-packs.ts';
import { VerifiedPacks, withVerifier } from './verify-packs.ts';

const CHECKOUT = path.resolve(import.meta.dirname, '..', '..');
const PACKAGES_ROOT = path.join(CHECKOUT, 'node_modules');

/** Where packs lie: beside the database, or where it would be if it were embedded. */
export interface ModelFolders {
  readonly modelsFolder: string;
  readonly shippedFolder: string;
}

export function modelFolders(config: Config): ModelFolders {
  return {
    modelsFolder: path.join(config.dataFolder, 'models'),
    shippedFolder: path.join(CHECKOUT, 'models', 'packs'),
  };
}

/** How far the making ready has come; told before each piece of work and at the end. */
export interface ModelProgress {
  /** Null at the end. */
  readonly step: 'converting' | 'verifying' | null;
  readonly pack: string | null;
  readonly done: number;
  readonly total: number;
  /** Of the nets, each counted for every piece of work on it. */
  readonly doneBytes: number;
  readonly totalBytes: number;
}

/** The packs of the configuration, ready: every net is there, is what its manifest pins, and passed its self-test on this machine. */
export interface OpenPacks extends ChosenPacks {
  readonly all: readonly Pack[];
  readonly provider: ModelProvider;
}

/**
 * Makes ready what the configuration names: converts what is missing (2 s for all that is shipped), tries what was not tried on this machine
 * yet. When nothing is to be done it reads the nets once, to compare their digests. Opens no database.
 * @throws HomewardError HW_MODEL_... for a pack that is refused, HW_CONFIG_INVALID
 */
export async function ensureModels(
  config: Config,
  onProgress: (progress: ModelProgress) => void = () => undefined,
): Promise<OpenPacks> {
  const { modelsFolder, shippedFolder } = modelFolders(config);
  const chosen = choosePacks(config, await listPacks(modelsFolder, shippedFolder));
  const all = packsOf(chosen);
  await makeReady(config, await workOn(config, all), onProgress);
  return { ...chosen, all, provider: config.models.provider };
}

/** What is still to be done for some packs. */
export interface ModelWork {
  /** One pack for each net that has to be converted. */
  readonly toConvert: readonly Pack[];
  readonly toVerify: readonly Pack[];
}

export const nothingToDo = ({ toConvert, toVerify }: ModelWork): boolean => toConvert.length + toVerify.length === 0;

/** @throws HomewardError HW_MODEL_FILE where a file of an installed pack is missing or another one */
export async function workOn(config: Config, packs: readonly Pack[]): Promise<ModelWork> {
  const verified = await VerifiedPacks.open(modelFolders(config).modelsFolder);
  for (const pack of packs) if (pack.origin === 'installed') await checkFiles(pack);
  return {
    toConvert: await missingNets(packs),
    toVerify: packs.filter((pack) => !verified.has(pack, config.models.provider)),
  };
}

export async function makeReady(
  config: Config,
  work: ModelWork,
  onProgress: (progress: ModelProgress) => void,
): Promise<void> {
  if (nothingToDo(work)) return;
  const { modelsFolder } = modelFolders(config);
  await mkdir(modelsFolder, { recursive: true, mode: 0o700 });
  await removeLeftovers(modelsFolder);
  await removeLeftovers(path.join(modelsFolder, INSTALLED_FOLDER));
  const pieces = [...work.toConvert, ...work.toVerify];
  const totals = { total: pieces.length, totalBytes: pieces.reduce((sum, pack) => sum + netBytes(pack), 0) };
  let done = 0;
  let doneBytes = 0;
  const piece = async (step: 'converting' | 'verifying', pack: Pack, act: () => Promise<unknown>): Promise<void> => {
    onProgress({ step, pack: pack.manifest.id, done, doneBytes, ...totals });
    // Converting keeps this thread busy: what is to be shown is shown before.
    await nextTurn();
    await act();
    done += 1;
    doneBytes += netBytes(pack);
  };
  for (const pack of work.toConvert) await piece('converting', pack, async () => await buildNet(pack, PACKAGES_ROOT));
  if (work.toVerify.length > 0) {
    const { provider } = config.models;
    await withVerifier(config, async (verifier) => {
      for (const pack of work.toVerify)
        await piece('verifying', pack, async () => await verifier.verify(pack.manifest, pack.netPath, provider));
    });
    await (await VerifiedPacks.open(modelsFolder)).add(work.toVerify, provider);
  }
  onProgress({ step: null, pack: null, done, doneBytes, ...totals });
}

/**
 * Every pack there is, or the one named; nothing is run, and no net looked at.
 * @throws HomewardError HW_MODEL_NOT_FOUND
 */
export async function listModels(config: Config, id?: string): Promise<PackEntry[]> {
  const { modelsFolder, shippedFolder } = modelFolders(config);
  const entries = await listPacks(modelsFolder, shippedFolder);
  return id === undefined ? entries : [entryNamed(entries, id)];
}

/** A pack's manifest and the text of its card; null where it came without one. */
export async function modelCard(
  config: Config,
  id: string,
): Promise<{ readonly manifest: ModelPackManifest; readonly text: string | null }> {
  const { manifest, folder } = packNamed(await listModels(config), id);
  return { manifest, text: await readFile(path.join(folder, CARD_FILE), 'utf8').catch(() => null) };
}

function netBytes({ manifest }: Pack): number {
  return manifest.files.find(({ sha256 }) => sha256 === netDigest(manifest))?.sizeBytes ?? 0;
}
