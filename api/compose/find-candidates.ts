import { withAudit } from '../../engine/audit/with-audit.ts';
import { type FindResult, findCandidates } from '../../engine/candidates/find.ts';
import type { PairSource } from '../../engine/candidates/pair-evidence.ts';
import { vectorPairs } from '../../engine/candidates/vector-pairs.ts';
import type { FaceSearchGrounds } from '../../engine/match/model-faces.ts';
import { modelMethods, type SearchedMethod } from '../../engine/match/model-methods.ts';
import { openVectorSearch } from '../../engine/search/vector-open.ts';
import type { VectorSearch } from '../../engine/search/vector-search.ts';
import type { Db } from '../../engine/store/db.ts';
import { listSpaces } from '../../engine/store/queries/embedding-spaces.ts';
import type { Scope } from '../../engine/unseen/unmatched.ts';
import { readFusions } from '../../models/registry/fusions.ts';
import { listPacks } from '../../models/registry/packs.ts';
import type { Config } from '../../schemas/config.ts';
import { auditActOf } from './audit-act.ts';
import { modelFolders } from './models.ts';
import { withDatabase } from './open-database.ts';

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
        const search = openVectorSearch(db);
        try {
          const result = await findCandidates(db, scope, await sourcesOf(db, search, config, grounds));
          return { result, objects: result.added.slice(0, 900).map((candidateId) => `proposal ${candidateId}`) };
        } finally {
          await search.close();
        }
      }),
  );
}

/** Manifests alone are read here: which spaces a method compares, and what its scores are worth. No net is opened. */
async function sourcesOf(
  db: Db,
  search: VectorSearch,
  config: Config,
  grounds: FaceSearchGrounds | null,
): Promise<PairSource[]> {
  const { modelsFolder, shippedFolder } = modelFolders(config);
  const manifests = (await listPacks(modelsFolder, shippedFolder)).flatMap(({ pack }) =>
    pack === null ? [] : [pack.manifest],
  );
  const methods = modelMethods({ manifests, spaces: await listSpaces(db), fusions: await readFusions() });
  const of = (kind: 'face' | 'copy' | 'place'): PairSource[] => {
    const searched: readonly SearchedMethod[] = methods[kind];
    return searched.map((one) => vectorPairs({ db, search, kind, searched: one }));
  };
  return [...(grounds === null ? [] : of('face')), ...of('copy'), ...of('place')];
}
