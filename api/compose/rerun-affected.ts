import { existsSync } from 'node:fs';
import { type AffectedBatch, affectedBatches } from '../../engine/affected/list.ts';
import { countToRemake, markForRemaking, matchSetAnew } from '../../engine/affected/rerun.ts';
import { type AffectedVersion, findVersion } from '../../engine/affected/version.ts';
import { withAudit } from '../../engine/audit/with-audit.ts';
import { type RematchRequest, type RematchResult, rematch } from '../../engine/rematch/rematch.ts';
import type { ReportBuilder } from '../../engine/report/build.ts';
import type { Config } from '../../schemas/config.ts';
import { HomewardError } from '../../schemas/error.ts';
import type { ReportHead } from '../../schemas/report.ts';
import { auditActOf } from './audit-act.ts';
import { withDatabase } from './open-database.ts';
import type { ScanProgress } from './scan-progress.ts';
import { scanSeizure } from './scan-seizure.ts';

export interface AffectedList {
  readonly version: AffectedVersion;
  readonly batches: readonly AffectedBatch[];
}

/** What a version had a part in, as one recorded act. */
export async function listAffected(config: Config, version: string): Promise<AffectedList> {
  return await withDatabase(
    config,
    async (db) =>
      await withAudit(db, auditActOf(config, 'consultation', 'affected'), async () => {
        const found = await findVersion(db, version);
        const batches = await affectedBatches(db, found);
        return {
          result: { version: found, batches },
          objects: [`version ${version.slice(0, 200)}`, ...batches.slice(0, 500).map((one) => `batch ${one.batchId}`)],
        };
      }),
  );
}

/** What became of a batch that was to be run again. */
export interface RerunBatch {
  readonly batchId: string;
  /**
   * done: all of it was made anew. left: some could not be, since it is not there any more or failed. materialMissing: none of its roots
   * is there; nothing was touched. interrupted: the same command goes on.
   */
  readonly state: 'done' | 'left' | 'materialMissing' | 'interrupted';
  /** Contents that are not made anew. */
  readonly mediaLeft: number;
  /** Roots that are not there. */
  readonly missingRoots: readonly string[];
}

export interface Rerun {
  /** Of a hash set; null where fingerprints were made anew. */
  readonly rematched: RematchResult | null;
  readonly batches: readonly RerunBatch[];
}

export interface RerunRequest {
  readonly config: Config;
  readonly affected: AffectedList;
  readonly signal: AbortSignal;
  readonly progress: ScanProgress;
  readonly onRematch?: RematchRequest['onProgress'];
}

/**
 * Runs again what a version had a part in: records of a hash set are compared anew with stored media; fingerprints are made anew out
 * of the material, where it lies as it was recorded.
 * @throws HomewardError HW_USAGE for a version that has to be run again by other means
 */
export async function rerunAffected(request: RerunRequest): Promise<Rerun> {
  const { config, affected } = request;
  const { version } = affected;
  const act = auditActOf(config, 'alteration', 'affected rerun');
  const objects = [`version ${version.version.slice(0, 200)}`];
  const rematched = await withDatabase(
    config,
    async (db) =>
      await withAudit(db, { ...act, objects }, async () => {
        if (version.setId === null) {
          if ((await markForRemaking(db, version)) === null) throw byOtherMeans(version);
          return { result: null };
        }
        await matchSetAnew(db, version.setId);
        const done = await rematch(db, {
          signal: request.signal,
          suspendAfterCases: request.config.suspendAfterCases,
          ...(request.onRematch === undefined ? {} : { onProgress: request.onRematch }),
        });
        return { result: done, outcome: done.state === 'interrupted' ? 'interrupted' : 'done' };
      }),
  );
  if (rematched !== null) return { rematched, batches: [] };
  const batches: RerunBatch[] = [];
  for (const batch of affected.batches) batches.push(await rerunBatch(request, batch));
  return { rematched: null, batches };
}

async function rerunBatch({ config, signal, progress }: RerunRequest, batch: AffectedBatch): Promise<RerunBatch> {
  const { batchId, roots } = batch;
  const mediaLeft = async () => await withDatabase(config, async (db) => await countToRemake(db, batchId));
  const missingRoots = roots.filter((root) => !existsSync(root));
  if (signal.aborted) return { batchId, state: 'interrupted', mediaLeft: await mediaLeft(), missingRoots };
  // The walk fails at a root that is not there; a batch is found again by all of its roots, so that it is all of them or none.
  if (missingRoots.length > 0) return { batchId, state: 'materialMissing', mediaLeft: await mediaLeft(), missingRoots };
  const { interrupted } = await scanSeizure({
    config: { ...config, organisation: batch.organisation },
    roots,
    caseRef: batch.caseRef,
    exhibitRef: batch.exhibitRef,
    mode: batch.mode,
    known: [],
    resume: true,
    models: null,
    reveal: false,
    signal,
    progress,
    report: headOf,
  });
  const left = await mediaLeft();
  return { batchId, state: interrupted ? 'interrupted' : left > 0 ? 'left' : 'done', mediaLeft: left, missingRoots };
}

/** The figures of a report whose items nobody asked for. */
async function headOf(builder: ReportBuilder): Promise<ReportHead> {
  for await (const _ of builder.items());
  return await builder.head();
}

function byOtherMeans({ kind, version }: AffectedVersion): HomewardError {
  return new HomewardError(
    'HW_USAGE',
    `expected a hash set, decoder, pipeline or hash algorithm for --rerun, received ${JSON.stringify(version)} (${kind}), whose vectors homeward models reembed makes anew; leave --rerun out to list what it touched`,
  );
}
