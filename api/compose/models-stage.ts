import { createHash } from 'node:crypto';
import { constants, copyFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { embedBatch } from '../../engine/ingest/embed-batch.ts';
import { ModelRecorder } from '../../engine/ingest/model-recorder.ts';
import type { FaceSearchGrounds } from '../../engine/match/model-faces.ts';
import { modelMethods } from '../../engine/match/model-methods.ts';
import type { ReportRequest } from '../../engine/report/build.ts';
import { openVectorSearch } from '../../engine/search/vector-open.ts';
import type { Db } from '../../engine/store/db.ts';
import type { BatchRecord } from '../../engine/store/queries/batch.ts';
import { type EmbeddingSpace, openSpaces, spacesOfManifest } from '../../engine/store/queries/embedding-spaces.ts';
import {
  countPending,
  mediaLookedAt,
  type PendingQuery,
  pendingArchives,
  pendingAt,
  pendingInArchive,
} from '../../engine/store/queries/pending-media.ts';
import { seriesRevision } from '../../engine/store/queries/series-turn.ts';
import { readFusions } from '../../models/registry/fusions.ts';
import { netDigest, type Pack } from '../../models/registry/packs.ts';
import type { Config } from '../../schemas/config.ts';
import { PIPELINE_VERSION } from '../../schemas/constants.ts';
import type { EmbedPlan } from '../../schemas/embedding.ts';
import { StepClock } from '../../workers/embed/step-clock.ts';
import { ensureModels, type OpenPacks } from './models.ts';
import type { OpenFleet } from './open-fleet.ts';
import { ScanCounter } from './scan-counter.ts';
import type { ScanProgress } from './scan-progress.ts';

/** What the models are asked for in a scan. */
export interface ModelsAsked {
  /** Null: faces are not looked for. */
  readonly faceSearch: FaceSearchGrounds | null;
  /** Whether what is known by its digest is passed over. */
  readonly skipKnown: boolean;
  /** See PendingQuery. */
  readonly lookedAt: PendingQuery['lookedAt'];
}

/** What of a scan the stage needs. */
interface ScanParts {
  readonly config: Config;
  readonly signal: AbortSignal;
  readonly progress: ScanProgress;
}

export interface ModelsStage {
  /** Looks at what is left; false when it was stopped before the end. */
  run(parts: {
    readonly open: Pick<OpenFleet, 'fleet' | 'scratch'>;
    readonly scan: ScanParts;
    readonly roots: readonly Buffer[];
  }): Promise<boolean>;
  /** Of what is asked of which packs; see embedding_run. 32 bytes. */
  readonly profile: Uint8Array;
  /** Spaces of later versions of a pack, filled beside those of the version in use and not searched yet. */
  readonly building: readonly EmbeddingSpace[];
  /** For the report; asked after `run`. */
  facts(): Promise<NonNullable<ReportRequest['models']>>;
}

/**
 * The second stage of a scan. The packs are made ready here, which takes some seconds the first time, and hosts are started only where
 * something is left to look at.
 * @throws HomewardError HW_MODEL_... where a pack is refused: the first stage is recorded by then
 */
export async function prepareModels(
  db: Db,
  { config, progress }: Pick<ScanParts, 'config' | 'progress'>,
  asked: ModelsAsked,
  batch: BatchRecord,
): Promise<ModelsStage> {
  return await openStage(db, await ensureModels(config, (made) => progress.preparing(made)), asked, batch);
}

/** The same with packs that are ready. */
export async function openStage(
  db: Db,
  packs: OpenPacks,
  asked: ModelsAsked,
  batch: BatchRecord,
): Promise<ModelsStage> {
  const used = usedPacks(packs, asked);
  const plan = planOf(packs, used, asked);
  const manifests = used.map(({ manifest }) => manifest);
  const spaces = await openSpaces(db, manifests.flatMap(spacesOfManifest));
  const query: PendingQuery = {
    batchId: batch.batchId,
    mode: batch.mode,
    pipelineVersion: PIPELINE_VERSION,
    profile: profileOf(used, plan, packs.provider),
    skipKnown: asked.skipKnown,
    lookedAt: asked.lookedAt,
  };
  const steps = new StepClock();
  return {
    profile: query.profile,
    building: spaces.filter(({ state }) => state === 'building'),
    run: async ({ open: { fleet, scratch }, scan, roots }) => {
      const search = openVectorSearch(db);
      try {
        const recorder = new ModelRecorder(
          {
            db,
            search,
            methods: modelMethods({ manifests, spaces, fusions: await readFusions() }),
            compare: async (own, others) => await fleet.compare(own, others),
            grounds: asked.faceSearch,
          },
          query.profile,
        );
        const pending = await countPending(db, query);
        const earlier = await mediaLookedAt(db, query);
        if (pending > 0 || earlier.length > 0) await fleet.startModels(await packList(scratch, used, packs.provider));
        const match = async (media: readonly number[]): Promise<void> => {
          for (let at = 0; at < media.length && !scan.signal.aborted; at += MATCHED_AT_ONCE)
            await recorder.match(media.slice(at, at + MATCHED_AT_ONCE));
        };
        const revision = await seriesRevision(db);
        // What was looked at before is matched with the series as they are now; it need not be read again.
        await match(earlier);
        if (pending > 0) await embed(db, query, plan, recorder, { fleet, scratch, scan, roots, pending, steps });
        // Somebody may have added to a series in the meantime, after the turn of most groups.
        if ((await seriesRevision(db)) !== revision) await match(await mediaLookedAt(db, query));
        return !scan.signal.aborted;
      } finally {
        await search.close();
      }
    },
    facts: async () => ({
      packs: used.map(({ manifest }) => ({
        id: manifest.id,
        version: manifest.version,
        kind: manifest.kind,
        netSha256: netDigest(manifest),
      })),
      provider: packs.provider,
      faceSearch: asked.faceSearch,
      left: await countPending(db, query),
      profile: query.profile,
      stepMs: steps.stepMs,
    }),
  };
}

const MATCHED_AT_ONCE = 200;

async function embed(
  db: Db,
  query: PendingQuery,
  plan: EmbedPlan,
  recorder: ModelRecorder,
  run: Pick<OpenFleet, 'fleet' | 'scratch'> & {
    readonly scan: ScanParts;
    readonly roots: readonly Buffer[];
    readonly pending: number;
    readonly steps: StepClock;
  },
): Promise<void> {
  const { fleet, scratch, scan, roots, steps } = run;
  const counter = new ScanCounter();
  scan.progress.begin({
    stage: 'models',
    totals: { files: run.pending, bytes: 0, complete: true },
    counts: counter.counts,
  });
  await embedBatch(
    {
      embedder: fleet,
      scratch,
      pending: {
        archives: await pendingArchives(db, query),
        at: async (pathKeys) => await pendingAt(db, query, pathKeys),
        inArchive: async (pathKey) => await pendingInArchive(db, query, pathKey),
      },
      record: async (media) => await recorder.record(media),
    },
    { roots, plan, archiveBudget: scan.config.archiveBudget, signal: scan.signal },
    ({ embedding }) => {
      counter.embedded(embedding);
      for (const { step, durationMs } of embedding.stepMs) steps.add(step, durationMs);
      scan.progress.changed();
    },
  );
}

function usedPacks(packs: OpenPacks, { faceSearch }: ModelsAsked): Pack[] {
  const faces = faceSearch === null ? [] : [packs.detector, packs.landmarks, ...packs.faceEmbeddings];
  return [...faces, ...packs.copyEmbeddings, ...packs.placeEmbeddings, ...packs.classifiers];
}

function planOf(packs: OpenPacks, used: readonly Pack[], { faceSearch }: ModelsAsked): EmbedPlan {
  const faceDetector = faceSearch === null ? null : packs.detector.manifest.id;
  return {
    faceDetector,
    packs: used.map(({ manifest }) => manifest.id).filter((id) => id !== faceDetector),
    keypoints: packs.placeEmbeddings.length > 0,
  };
}

/** The same packs, versions, files and settings give the same 32 bytes: what was done under them need not be done again. */
function profileOf(used: readonly Pack[], plan: EmbedPlan, provider: string): Buffer {
  const packs = used.map(({ manifest }) => [manifest.id, manifest.version, netDigest(manifest)]);
  return createHash('sha256')
    .update(JSON.stringify([packs, plan, provider]))
    .digest();
}

/** Puts the nets where hosts may read them (the data folder is hidden from them) and lists them for `startModels`. */
async function packList(scratch: OpenFleet['scratch'], used: readonly Pack[], provider: string): Promise<string> {
  const folder = await scratch.folderForHosts('models');
  const listed = new Map<string, string>();
  for (const { manifest, netPath } of used) {
    const sha256 = netDigest(manifest);
    if (listed.has(sha256)) continue;
    const file = path.join(folder, `${sha256}.onnx`);
    // Never a second name for the same file: an unpack host may write here, and would write into the data folder.
    await copyFile(netPath, file, constants.COPYFILE_FICLONE);
    listed.set(sha256, file);
  }
  const list = path.join(folder, 'packs.json');
  const packs = used.map(({ manifest }) => ({ manifest, file: listed.get(netDigest(manifest)) ?? '' }));
  await writeFile(list, JSON.stringify({ provider, packs }), { mode: 0o600 });
  return list;
}
