import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { withAudit } from '../../engine/audit/with-audit.ts';
import { type FindResult, findCandidates } from '../../engine/candidates/find.ts';
import type { PairSource } from '../../engine/candidates/pair-evidence.ts';
import { placePairs } from '../../engine/candidates/place-pairs.ts';
import { vectorPairs } from '../../engine/candidates/vector-pairs.ts';
import type { CompareKeypoints } from '../../engine/match/find-model-evidence.ts';
import type { FaceSearchGrounds } from '../../engine/match/model-faces.ts';
import { type ModelMethods, modelMethods } from '../../engine/match/model-methods.ts';
import { openVectorSearch } from '../../engine/search/vector-open.ts';
import type { Db } from '../../engine/store/db.ts';
import { listSpaces } from '../../engine/store/queries/embedding-spaces.ts';
import type { Scope } from '../../engine/unseen/unmatched.ts';
import { readFusions } from '../../models/registry/fusions.ts';
import { listPacks } from '../../models/registry/packs.ts';
import type { Config } from '../../schemas/config.ts';
import { auditActOf } from './audit-act.ts';
import { modelFolders } from './models.ts';
import { withDatabase } from './open-database.ts';
import { type OpenFleet, openFleet } from './open-fleet.ts';

/**
 * Looks for candidate series by everything that is stored of unmatched media: hashes, cameras and, of the packs there are, vectors.
 * Recorded as a combination, for which faces need grounds.
 * @param grounds null: faces are not compared
 */
export async function findCandidateSeries(
  config: Config,
  scope: Scope,
  grounds: FaceSearchGrounds | null,
): Promise<FindResult> {
  const act = auditActOf(config, 'combination', 'candidates find', {
    ...(scope.caseRef === undefined ? {} : { case: scope.caseRef }),
    ...(grounds === null
      ? {}
      : { purpose: `search for faces under ${grounds.authority}`.slice(0, 200), justification: grounds.necessity }),
  });
  return await withDatabase(
    config,
    async (db) =>
      await withAudit(db, act, async () => {
        const result = await findIn(db, config, scope, grounds);
        // An entry names a thousand objects at most.
        return { result, objects: result.added.slice(0, 900).map((candidateId) => `proposal ${candidateId}`) };
      }),
  );
}

async function findIn(db: Db, config: Config, scope: Scope, grounds: FaceSearchGrounds | null): Promise<FindResult> {
  const methods = await storedMethods(db, config);
  const places = methods.place.filter(({ method }) => method.geometryCalibration !== null);
  const search = openVectorSearch(db);
  await using fleet = places.length > 0 && (await hasKeypoints(db)) ? await openComparers(config) : null;
  try {
    const sources: PairSource[] = [
      ...(grounds === null ? [] : methods.face).map((searched) => vectorPairs({ db, search, kind: 'face', searched })),
      ...methods.copy.map((searched) => vectorPairs({ db, search, kind: 'copy', searched })),
    ];
    if (fleet !== null) {
      const compare: CompareKeypoints = async (own, others) => await fleet.fleet.compare(own, others);
      sources.push(...places.map((searched) => placePairs({ db, search, searched, compare })));
    }
    return await findCandidates(db, scope, sources);
  } finally {
    await search.close();
  }
}

/** Manifests alone are read here: which spaces a method compares, and what its scores are worth. No net is opened. */
async function storedMethods(db: Db, config: Config): Promise<ModelMethods> {
  const { modelsFolder, shippedFolder } = modelFolders(config);
  const manifests = (await listPacks(modelsFolder, shippedFolder)).flatMap(({ pack }) =>
    pack === null ? [] : [pack.manifest],
  );
  return modelMethods({ manifests, spaces: await listSpaces(db), fusions: await readFusions() });
}

async function hasKeypoints(db: Db): Promise<boolean> {
  return (await db.query('select 1 as one from picture_keypoints limit 1')).length > 0;
}

/** Hosts for the geometric check, which needs no net. */
async function openComparers(config: Config): Promise<OpenFleet> {
  const open = await openFleet(config, []);
  try {
    const list = path.join(await open.scratch.folderForHosts('models'), 'packs.json');
    await writeFile(list, JSON.stringify({ provider: 'cpu', packs: [] }), { mode: 0o600 });
    await open.fleet.startModels(list);
    return open;
  } catch (error) {
    await open[Symbol.asyncDispose]();
    throw error;
  }
}
