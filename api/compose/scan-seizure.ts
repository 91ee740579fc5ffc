import { mkdir } from 'node:fs/promises';
import os from 'node:os';
import { withAudit } from '../../engine/audit/with-audit.ts';
import { databaseTime, recordTakingOver, type SourceDigest } from '../../engine/custody/take-over.ts';
import type { ImportRequest } from '../../engine/hashset/import.ts';
import type { SuspendedRecord } from '../../engine/hashset/suspend.ts';
import { batchIdentity } from '../../engine/ingest/batch-identity.ts';
import { countSources } from '../../engine/ingest/count-sources.ts';
import { placeOfFile } from '../../engine/ingest/place.ts';
import { Recorder } from '../../engine/ingest/recorder.ts';
import type { ItemRow } from '../../engine/ingest/row-writer.ts';
import { scanBatch } from '../../engine/ingest/scan.ts';
import type { WalkEntry } from '../../engine/ingest/walk.ts';
import type { ReportBuilder } from '../../engine/report/build.ts';
import type { BitSearch } from '../../engine/search/bit-search.ts';
import type { DigestSearch } from '../../engine/search/digests/digest-search.ts';
import { openDigestSearch } from '../../engine/search/digests/open-digest-search.ts';
import type { Db } from '../../engine/store/db.ts';
import {
  archivesToRemake,
  type BatchRecord,
  findBatch,
  finishHashesStage,
  openBatch,
  recordedPlaces,
  seePlacesAgain,
  setStage,
} from '../../engine/store/queries/batch.ts';
import { type PendingRematch, pendingRematch } from '../../engine/store/queries/rematch-pass.ts';
import type { Config } from '../../schemas/config.ts';
import { PIPELINE_VERSION } from '../../schemas/constants.ts';
import type { ReportCustody } from '../../schemas/custody.ts';
import { HomewardError } from '../../schemas/error.ts';
import type { DecodeMode } from '../../schemas/fingerprint.ts';
import type { ReportHead } from '../../schemas/report.ts';
import { ENGINE_VERSION } from '../version.ts';
import { auditActOf } from './audit-act.ts';
import type { ModelsAsked } from './models-stage.ts';
import { openDatabase } from './open-database.ts';
import { type OpenFleet, openFleet } from './open-fleet.ts';
import { openSearch } from './open-search.ts';
import { runFacts } from './run-facts.ts';
import { ScanCounter } from './scan-counter.ts';
import type { ScanProgress } from './scan-progress.ts';

/** An entry of the audit trail holds 1,000 objects. */
const MOST_SUSPENDED_NAMED = 500;

const suspendedObject = ({ recordId, setName, setVersion }: SuspendedRecord): string =>
  `suspended record ${recordId} of ${setName} version ${setVersion}`;

/** A hash set file and whose it is. */
export type KnownSource = Pick<ImportRequest, 'file' | 'source' | 'name' | 'asReceived' | 'purpose'>;

/** Uploads: what opens them (see UnpackTask), and the digest of what they hold. */
export interface SealedSource {
  readonly unsealingKey: string;
  readonly digest: SourceDigest;
}

export interface SeizureScan {
  readonly config: Config;
  /** Absolute paths that exist. */
  readonly roots: readonly string[];
  readonly caseRef: string;
  readonly exhibitRef: string;
  readonly mode: DecodeMode;
  /** Hash sets to import first. */
  readonly known: readonly KnownSource[];
  readonly resume: boolean;
  /** The roots hold sealed uploads, not material as it is. */
  readonly sealed?: SealedSource;
  /** Null: digests and perceptual hashes only. */
  readonly models: ModelsAsked | null;
  /** Whether masked words are shown; recorded in the audit trail. */
  readonly reveal: boolean;
  readonly signal: AbortSignal;
  readonly progress: ScanProgress;
  readonly report: (builder: ReportBuilder) => Promise<ReportHead>;
  /** Told of the batch before anything of it is recorded. */
  readonly opened?: (batch: BatchRecord) => Promise<void>;
}

/** What a process that scans again and again has open already. It stays open. */
export interface OpenStore {
  readonly db: Db;
  readonly bits: BitSearch;
  readonly digests: DigestSearch;
}

export interface ScanOutcome {
  readonly interrupted: boolean;
  readonly failedItems: number;
  /** Packs, as `dlib-128 2.0.0`, whose vectors are recorded and searched only after re-embedding. */
  readonly notSearched: readonly string[];
  /** Known records that material recorded before this scan was not compared with yet; null where there are none. */
  readonly rematchPending: PendingRematch | null;
  /** Known records that hit one case too many, and are out of the search until a person resumes them. */
  readonly suspended: readonly SuspendedRecord[];
}

/** The main job: everything from opening the database to the written report, as one recorded act. */
export async function scanSeizure(scan: SeizureScan, shared: OpenStore | null = null): Promise<ScanOutcome> {
  const roots = scan.roots.map((root) => Buffer.from(root));
  // A folder that is not there when the hosts start cannot be hidden from them.
  await mkdir(scan.config.dataFolder, { recursive: true, mode: 0o700 });
  // The two slowest parts of starting up do not depend on each other.
  const fleet = openFleet(scan.config, scan.roots, scan.sealed?.unsealingKey ?? null);
  // Heard of when the fleet is needed; until then a failure must not end the process.
  fleet.catch(() => undefined);
  let db: Db | null = null;
  try {
    db = shared?.db ?? (await openDatabase(scan.config));
    return await scanWith(db, shared, fleet, scan, roots);
  } finally {
    const [open] = await Promise.allSettled([fleet]);
    if (open.status === 'fulfilled') await open.value[Symbol.asyncDispose]();
    if (shared === null) await db?.close();
  }
}

async function scanWith(
  db: Db,
  shared: OpenStore | null,
  fleet: Promise<OpenFleet>,
  scan: SeizureScan,
  roots: readonly Buffer[],
): Promise<ScanOutcome> {
  const { config } = scan;
  const identity = batchIdentity({ ...scan, organisation: config.organisation, roots });
  const act = auditActOf(config, 'collection', 'scan', {
    ...(scan.caseRef === '' ? {} : { case: scan.caseRef }),
    ...(scan.reveal ? { reveal: true } : {}),
    ...(scan.models?.faceSearch
      ? {
          purpose: `search for faces under ${scan.models.faceSearch.authority}`,
          justification: scan.models.faceSearch.necessity,
        }
      : {}),
  });
  return await withAudit(db, { ...act, objects: [`batch identity ${identity.toString('hex')}`] }, async () => {
    // Before anything is written: a refused resume must not leave the batch that the next one would find.
    if (scan.resume && (await findBatch(db, identity)) === null) {
      throw new HomewardError(
        'HW_BATCH_NOT_FOUND',
        'expected an earlier scan of these paths with this case and exhibit for --resume, found none; run the command without --resume',
      );
    }
    for (const known of scan.known) {
      const { importSetFile } = await import('../../engine/hashset/import.ts');
      const imported = await importSetFile(db, { ...known, importedBy: config.actor, signal: scan.signal });
      // What is scanned without it would be called unseen against sets that the operator believes are searched.
      if (imported.state === 'held') {
        throw new HomewardError(
          'HW_SET_FLOOD',
          `expected ${JSON.stringify(known.file)} to come into force for this scan, but it waits for a person (${imported.heldReason ?? 'a flood'}); homeward hashset release or remove --held, then scan again`,
        );
      }
    }
    const before: SuspendedRecord[] = [];
    if (scan.known.length > 0) {
      const { rematch } = await import('../../engine/rematch/rematch.ts');
      const { suspendAfterCases } = config;
      before.push(...(await rematch(db, { signal: scan.signal, suspendAfterCases })).suspended);
    }
    // Recorded as begun by now. Without a host there is nothing to make a batch for.
    const open = await fleet;
    const startedAt = new Date().toISOString();
    const batch = await openBatch(db, {
      identity,
      caseRef: scan.caseRef,
      exhibitRef: scan.exhibitRef,
      organisation: config.organisation,
      actor: config.actor,
      mode: scan.mode,
      roots: scan.roots,
      pipelineVersion: PIPELINE_VERSION,
      startedAt,
    });
    await scan.opened?.(batch);
    const search = shared?.bits ?? (await openSearch(db, config));
    const digests = shared?.digests ?? (await openDigestSearch(db));
    try {
      const done = await run(db, { bits: search, digests }, open, scan, roots, { ...batch, startedAt });
      const result = { ...done, suspended: [...before, ...done.suspended] };
      const suspended = result.suspended.slice(0, MOST_SUSPENDED_NAMED).map(suspendedObject);
      return {
        result,
        objects: [`batch ${batch.batchId}`, ...suspended],
        outcome: result.interrupted ? 'interrupted' : 'done',
      };
    } finally {
      if (shared === null) {
        await digests.close();
        await search.close();
      }
    }
  });
}

async function run(
  db: Db,
  search: { readonly bits: BitSearch; readonly digests: DigestSearch },
  open: OpenFleet,
  scan: SeizureScan,
  roots: readonly Buffer[],
  batch: BatchRecord,
): Promise<ScanOutcome> {
  const recorder = new Recorder(db, search.bits, batch, {
    digests: search.digests,
    suspendAfterCases: scan.config.suspendAfterCases,
  });
  const since = await databaseTime(db);
  const hashed = await hashesStage(db, recorder, open, scan, roots, batch);
  // A source that was gone through in part has no digest to be compared.
  const custody = hashed ? await takeOver(db, scan, roots, { batchId: batch.batchId, since }) : null;
  const asked = scan.models;
  const stage = asked === null ? null : await import('./models-stage.ts');
  const models = stage === null || asked === null ? null : await stage.prepareModels(db, scan, asked, batch);
  const embedded = models === null || !hashed ? null : await models.run({ open, scan, roots });
  const whole = hashed && (models === null || embedded === true);
  const finishedAt = new Date().toISOString();
  if (models !== null) await setStage(db, batch.batchId, 'models', whole ? 'complete' : 'interrupted', finishedAt);
  scan.progress.pause();
  const { ReportBuilder: Builder } = await import('../../engine/report/build.ts');
  const builder = new Builder(db, {
    batch: { batchId: batch.batchId, pipelineVersion: PIPELINE_VERSION, mode: scan.mode },
    facts: await runFacts(db, open, scan, {
      batch,
      finishedAt,
      hashes: hashed ? 'complete' : 'interrupted',
      models: models === null ? 'leftOut' : whole ? 'complete' : 'interrupted',
      bitSearch: search.bits.description,
      custody,
    }),
    added: recorder.added,
    models: models === null ? null : await models.facts(),
  });
  const head = await scan.report(builder);
  return {
    interrupted: !whole,
    suspended: recorder.suspended,
    failedItems: head.counts.failed + (head.models?.failed ?? 0),
    rematchPending: await pendingRematch(db),
    notSearched: [...new Set(models?.building.map(({ packId, packVersion }) => `${packId} ${packVersion}`))],
  };
}

async function takeOver(
  db: Db,
  { config, caseRef, exhibitRef, sealed }: SeizureScan,
  roots: readonly Buffer[],
  of: { readonly batchId: string; readonly since: string },
): Promise<ReportCustody> {
  const { sequence, digestOf, sha256After, sha256Before, changed } = await recordTakingOver(db, {
    organisation: config.organisation,
    caseRef,
    exhibitRef,
    roots,
    to: config.actor,
    place: os.hostname(),
    toolVersion: ENGINE_VERSION,
    source: sealed?.digest ?? null,
    ...of,
  });
  return { sequence, digestOf, sha256: sha256After, sha256Before, changed };
}

/** What is known is known before the models look at anything. */
async function hashesStage(
  db: Db,
  recorder: Recorder,
  open: OpenFleet,
  scan: SeizureScan,
  roots: readonly Buffer[],
  batch: BatchRecord,
): Promise<boolean> {
  const counter = new ScanCounter();
  const archives = scan.resume ? await archivesToRemake(db, batch.batchId) : new Set<string>();
  const sources = countSources(roots, scan.signal);
  scan.progress.begin({ stage: 'hashes', totals: sources.totals, counts: counter.counts });
  const whole = await scanBatch(
    {
      examiner: open.fleet,
      scratch: open.scratch,
      record: async (rows: readonly ItemRow[]) => {
        counter.recorded(await recorder.record(rows));
        scan.progress.changed();
      },
      alreadyRecorded: async (entries) => await recordedAmong(db, batch.batchId, entries, archives),
    },
    {
      roots,
      mode: scan.mode,
      archiveBudget: scan.config.archiveBudget,
      sealed: scan.sealed !== undefined,
      resume: scan.resume,
      signal: scan.signal,
    },
    {
      examined: (row) => {
        counter.examined(row.examination);
        scan.progress.changed();
      },
      skipped: (entry) => {
        counter.skipped(entry.sizeBytes);
        scan.progress.changed();
      },
    },
  );
  await sources.done;
  await finishHashesStage(db, batch.batchId, whole ? 'complete' : 'interrupted', new Date().toISOString());
  return whole;
}

/** By position: an entry whose row is there with the same size and time need not be read again. */
async function recordedAmong(
  db: Db,
  batchId: string,
  entries: readonly WalkEntry[],
  archivesToOpen: ReadonlySet<string>,
): Promise<ReadonlySet<number>> {
  const places = entries.map((entry) => placeOfFile(entry.path));
  const recorded = await recordedPlaces(
    db,
    batchId,
    places.map((place) => place.pathKey),
  );
  const found = new Set<number>();
  const again: Uint8Array[] = [];
  for (const [at, entry] of entries.entries()) {
    const pathKey = places[at]?.pathKey.toString('hex') ?? '';
    const row = recorded.get(pathKey);
    // What failed is tried again: it may have died with the process that was interrupted.
    if (
      row !== undefined &&
      row.outcome !== 'failed' &&
      // What a defect was found in is read again, and so are the archives around it.
      !row.remake &&
      !archivesToOpen.has(pathKey) &&
      row.modifiedAt === entry.modifiedAt &&
      (entry.sizeBytes === null || row.sizeBytes === entry.sizeBytes)
    ) {
      found.add(at);
      if (places[at] !== undefined) again.push(places[at].pathKey);
    }
  }
  await seePlacesAgain(db, batchId, again);
  return found;
}
