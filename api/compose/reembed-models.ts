import { existsSync } from 'node:fs';
import { withAudit } from '../../engine/audit/with-audit.ts';
import { buildNeededVectorIndexes } from '../../engine/search/vector-open.ts';
import type { Db } from '../../engine/store/db.ts';
import { type BatchRecord, batchesLookedAt } from '../../engine/store/queries/batch.ts';
import { type EmbeddingSpace, listSpaces, spaceName } from '../../engine/store/queries/embedding-spaces.ts';
import { activateSpaces, dropSpace, reembedProgress } from '../../engine/store/queries/reembed.ts';
import type { Config } from '../../schemas/config.ts';
import { auditActOf } from './audit-act.ts';
import { ensureModels, type OpenPacks } from './models.ts';
import { type ModelsAsked, type ModelsStage, openStage } from './models-stage.ts';
import { withDatabase } from './open-database.ts';
import { openFleet } from './open-fleet.ts';
import type { ScanProgress } from './scan-progress.ts';

export interface ReembedRequest {
  readonly config: Config;
  /** Null: what faces gave stays as it is. */
  readonly faceSearch: ModelsAsked['faceSearch'];
  /** Put the new version into use though some of what is known has no vector in it. */
  readonly acceptMissing: boolean;
  /** Delete the vectors of versions that are out of use. */
  readonly dropOld: boolean;
  readonly signal: AbortSignal;
  readonly progress: ScanProgress;
}

/** How far the vectors of one output of a new version have come. */
export interface ReembeddedSpace {
  /** `dlib-128@2.0.0/embedding`. */
  readonly space: string;
  readonly media: number;
  readonly mediaDone: number;
  /** What is known to a series and has no vector here. */
  readonly galleryMissing: number;
}

export interface ReembedOutcome {
  readonly interrupted: boolean;
  /** Empty where no pack of the configuration has a version that is not searched yet. */
  readonly spaces: readonly ReembeddedSpace[];
  /** Whether these are searched from now on. */
  readonly activated: boolean;
  /** Where material lay that is not there now. */
  readonly missingRoots: readonly string[];
  /** Names of spaces whose vectors were deleted. */
  readonly dropped: readonly string[];
}

/**
 * Looks at everything again with the versions of packs that the configuration names, beside the vectors of the versions in use, and puts
 * the new ones into use when all of it is done: until then, and when it is interrupted, nothing that is searched changes. Done again, it
 * goes on where it stopped. Material is read where it lay when it was scanned.
 * @throws HomewardError HW_MODEL_... where a pack is refused
 */
export async function reembedModels(request: ReembedRequest): Promise<ReembedOutcome> {
  const { config, faceSearch } = request;
  return await withDatabase(config, async (db) => {
    const act = auditActOf(config, 'alteration', 'models reembed', {
      ...(faceSearch === null
        ? {}
        : { purpose: `faces under ${faceSearch.authority}`, justification: faceSearch.necessity }),
    });
    return await withAudit(db, act, async () => {
      const result = await reembed(db, request);
      return {
        result,
        objects: [...result.spaces.map(({ space }) => space), ...result.dropped.map((space) => `${space} deleted`)],
        outcome: result.interrupted ? 'interrupted' : 'done',
      };
    });
  });
}

async function reembed(db: Db, request: ReembedRequest): Promise<ReembedOutcome> {
  const { config, progress, signal } = request;
  const batches = await batchesLookedAt(db);
  let packs: OpenPacks | undefined;
  const missingRoots = [...new Set(batches.flatMap(({ roots }) => roots))].filter((root) => !existsSync(root));
  const everyBatch = async (act: (stage: ModelsStage, batch: Batch) => Promise<void>): Promise<void> => {
    for (const batch of batches) {
      for (const asked of whatToLookAt(request)) {
        if (signal.aborted) return;
        packs ??= await ensureModels(config, (made) => progress.preparing(made));
        await act(await openStage(db, packs, asked, batch), batch);
      }
    }
  };
  const building = new Map<string, EmbeddingSpace>();
  const profiles: Uint8Array[] = [];
  await everyBatch(async (stage, batch) => {
    profiles.push(stage.profile);
    for (const space of stage.building) building.set(spaceName(space), space);
    if (stage.building.length > 0) await lookAt(stage, batch, request);
  });
  const spaces: ReembeddedSpace[] = [];
  for (const [name, space] of building) spaces.push({ space: name, ...(await reembedProgress(db, space, profiles)) });
  const whole = spaces.every(({ media, mediaDone }) => media === mediaDone);
  let activated = false;
  if (spaces.length > 0 && !signal.aborted && (whole || request.acceptMissing)) {
    const swapped = await activateSpaces(db, [...building.values()], request);
    activated = swapped.activated;
    await buildNeededVectorIndexes(db);
    // What the new vectors tie to a series is said now, not when somebody scans again.
    if (activated) await everyBatch(async (stage, batch) => await lookAt(stage, batch, request));
  }
  return {
    interrupted: signal.aborted,
    spaces,
    activated,
    missingRoots,
    dropped: request.dropOld && !signal.aborted ? await dropRetired(db) : [],
  };
}

/** Faces are looked for again where they were looked for before, and nowhere else, whatever is allowed now. */
function whatToLookAt({ faceSearch }: ReembedRequest): ModelsAsked[] {
  if (faceSearch === null) return [{ faceSearch, skipKnown: false, lookedAt: 'any' }];
  return [
    { faceSearch, skipKnown: false, lookedAt: 'faces' },
    { faceSearch: null, skipKnown: false, lookedAt: 'noFaces' },
  ];
}

type Batch = BatchRecord & { readonly roots: readonly string[] };

async function lookAt(stage: ModelsStage, { roots }: Batch, { config, signal, progress }: ReembedRequest) {
  const there = roots.filter((root) => existsSync(root));
  await using open = await openFleet(config, there);
  await stage.run({ open, scan: { config, signal, progress }, roots: there.map((root) => Buffer.from(root)) });
}

async function dropRetired(db: Db): Promise<string[]> {
  const retired = (await listSpaces(db)).filter(({ state }) => state === 'retired');
  for (const space of retired) await dropSpace(db, space);
  return retired.map(spaceName);
}
