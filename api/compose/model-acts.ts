import { withAudit } from '../../engine/audit/with-audit.ts';
import { buildNeededVectorIndexes } from '../../engine/search/vector-open.ts';
import { type Installed, installPack, removePack } from '../../models/registry/install.ts';
import type { Pack } from '../../models/registry/packs.ts';
import type { Config } from '../../schemas/config.ts';
import { auditActOf } from './audit-act.ts';
import {
  listModels,
  type ModelProgress,
  type ModelWork,
  makeReady,
  modelFolders,
  nothingToDo,
  workOn,
} from './models.ts';
import { withDatabase } from './open-database.ts';
import { withVerifier } from './verify-packs.ts';

/** Acts of `homeward models` that change what the engine finds with, each recorded in the audit trail. */

const objectOf = ({ manifest }: Pick<Pack, 'manifest'>): string => `model pack ${manifest.id} ${manifest.version}`;

/** Converts and tries every shipped pack; what was to be done. Nothing is recorded where nothing was. */
export async function buildModels(config: Config, onProgress: (progress: ModelProgress) => void): Promise<ModelWork> {
  const packs = (await listModels(config)).flatMap(({ origin, pack, fault }) => {
    if (origin === 'installed') return [];
    if (fault !== null) throw fault;
    return [pack];
  });
  const work = await workOn(config, packs);
  if (nothingToDo(work)) return work;
  return await withDatabase(
    config,
    async (db) =>
      await withAudit(db, auditActOf(config, 'alteration', 'models build'), async () => {
        await makeReady(config, work, onProgress);
        return { result: work, objects: [...new Set([...work.toConvert, ...work.toVerify])].map(objectOf) };
      }),
  );
}

/** @throws HomewardError with the reason why the pack in this folder is refused; that too is recorded */
export async function installModel(config: Config, folder: string, acceptLicence: boolean): Promise<Installed> {
  const { provider } = config.models;
  return await withDatabase(
    config,
    async (db) =>
      await withAudit(db, auditActOf(config, 'alteration', 'models install'), async () => {
        const { modelsFolder, shippedFolder } = modelFolders(config);
        const installed = await installPack({
          from: folder,
          modelsFolder,
          shippedFolder,
          acceptLicence,
          tryPack: async ({ manifest, netPath }) => {
            await withVerifier(config, async (verifier) => await verifier.verify(manifest, netPath, provider));
          },
        });
        const { licence } = installed.manifest;
        const accepted = licence.acceptance === 'required' ? [`licence ${licence.id} accepted`] : [];
        return { result: installed, objects: [objectOf(installed), ...accepted] };
      }),
  );
}

/** Builds the indexes of vectors that are too many to be searched in memory; how many were built. */
export async function indexVectors(config: Config): Promise<number> {
  return await withDatabase(
    config,
    async (db) =>
      await withAudit(db, auditActOf(config, 'alteration', 'models index'), async () => ({
        result: await buildNeededVectorIndexes(db),
      })),
  );
}

export async function removeModel(config: Config, id: string): Promise<void> {
  await withDatabase(
    config,
    async (db) =>
      await withAudit(db, auditActOf(config, 'alteration', 'models remove'), async () => {
        const { modelsFolder, shippedFolder } = modelFolders(config);
        await removePack(modelsFolder, shippedFolder, id);
        return { result: undefined, objects: [`model pack ${id}`] };
      }),
  );
}
