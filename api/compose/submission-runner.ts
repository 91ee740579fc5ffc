import { setTimeout as sleep } from 'node:timers/promises';
import { storeReport } from '../../engine/report/stored-report.ts';
import {
  endSubmission,
  findSubmission,
  HASHES_ROOT,
  isUploaded,
  noteBatch,
  noteProgress,
  SET_ROOT,
  type Submission,
  type SubmissionEnd,
  takeBackSubmissions,
  takeNextSubmission,
  UPLOADS_ROOT,
  urgentWaits,
} from '../../engine/submission/submission.ts';
import { submissionFacts } from '../../engine/submission/submission-facts.ts';
import { hasUnreadUploads, uploadsOfSubmission } from '../../engine/upload/upload.ts';
import type { Config } from '../../schemas/config.ts';
import { HomewardError } from '../../schemas/error.ts';
import { evidencePath } from './evidence-root.ts';
import { importUpload } from './import-upload.ts';
import { lookUpUpload } from './look-up-upload.ts';
import type { ModelsAsked } from './models-stage.ts';
import type { ScanProgress, ScanProgressState } from './scan-progress.ts';
import { type OpenStore, type SealedSource, scanSeizure } from './scan-seizure.ts';
import { budgetOfUploads, digestOfUploads, gatherUploads, type OpenUploads } from './upload-folder.ts';

/** Between looks at what waits and at who wants to stop; a wake comes before. */
const LOOK_EVERY_MS = 500;

export interface RunnerOptions {
  readonly config: Config;
  readonly store: OpenStore;
  readonly uploads: OpenUploads;
  /** A submission failed as a whole; the operator has to know why. */
  readonly failed: (submissionId: string, error: unknown) => void;
}

/** Looks at what was handed in, one after the other, until it is closed. What it leaves unfinished waits for the next one. */
export class SubmissionRunner {
  readonly #options: RunnerOptions;
  readonly #ending = new AbortController();
  #woken = Promise.withResolvers<void>();
  #done: Promise<void> = Promise.resolve();

  constructor(options: RunnerOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    await takeBackSubmissions(this.#options.store.db);
    this.#done = this.#run();
  }

  /** Something came, or is to stop. */
  wake(): void {
    this.#woken.resolve();
  }

  /** Stops what runs, which goes on with the next start. May be called twice. */
  async close(): Promise<void> {
    this.#ending.abort();
    this.wake();
    await this.#done;
  }

  async #run(): Promise<void> {
    while (!this.#ending.signal.aborted) {
      try {
        const next = await takeNextSubmission(this.#options.store.db);
        if (next === null) await this.#pause();
        else await this.#look(next);
      } catch (error) {
        // The database is away; what was accepted is in it and waits until it is back.
        this.#options.failed('none', error);
        await this.#pause();
      }
    }
  }

  async #pause(): Promise<void> {
    await Promise.race([this.#woken.promise, sleep(LOOK_EVERY_MS, undefined, { ref: false })]);
    this.#woken = Promise.withResolvers<void>();
  }

  async #look(submission: Submission): Promise<void> {
    const { db } = this.#options.store;
    const stop = new AbortController();
    const over = new AbortController();
    const watching = this.#watch(submission, stop, over.signal);
    let end: SubmissionEnd;
    try {
      const interrupted = await this.#scan(submission, AbortSignal.any([stop.signal, this.#ending.signal]));
      const cancelled = interrupted && (await findSubmission(db, submission.submissionId))?.cancelAsked === true;
      end = { state: cancelled ? 'cancelled' : interrupted ? 'waiting' : 'complete' };
    } catch (error) {
      this.#options.failed(submission.submissionId, error);
      end = { state: 'failed', code: error instanceof HomewardError ? error.code : 'HW_INTERNAL' };
    } finally {
      over.abort();
      await watching;
    }
    await endSubmission(db, submission.submissionId, end);
    await this.#removeUploads(submission, end);
  }

  /** Stops it where somebody asked for that, or where life is at risk elsewhere. */
  async #watch(submission: Submission, stop: AbortController, over: AbortSignal): Promise<void> {
    const { db } = this.#options.store;
    while (!over.aborted && !stop.signal.aborted) {
      await sleep(LOOK_EVERY_MS, undefined, { signal: over, ref: false }).catch(() => undefined);
      if (over.aborted) return;
      try {
        const now = await findSubmission(db, submission.submissionId);
        // With its case erased it is not there any more.
        if (now === null || now.cancelAsked || (!submission.urgent && (await urgentWaits(db)))) stop.abort();
      } catch {
        // Asked again; the scan itself meets the same database.
      }
    }
  }

  /** Returns whether it was stopped before its end. */
  async #scan(submission: Submission, signal: AbortSignal): Promise<boolean> {
    const { store, uploads } = this.#options;
    const { submissionId, exhibitRef, mode, batchId } = submission;
    const facts = await submissionFacts(store.db, submissionId, this.#options.config.organisation);
    const config = { ...this.#options.config, organisation: facts.organisation, actor: facts.submitter };
    if (submission.root === HASHES_ROOT)
      return await lookUpUpload(store, config, uploads, { submission, facts, signal });
    if (submission.root === SET_ROOT)
      return await importUpload(store.db, config, uploads, { submission, facts, signal });
    const source = await this.#source(submission);
    await using progress = new StoredProgress(async (counts) => await noteProgress(store.db, submissionId, counts));
    const outcome = await scanSeizure(
      {
        config: { ...config, ...source.limits },
        roots: [source.root],
        ...(source.sealed === null ? {} : { sealed: source.sealed }),
        caseRef: facts.caseRef,
        exhibitRef,
        mode,
        known: [],
        resume: batchId !== null,
        models: submission.models ? modelsFor(config, facts.caseRef) : null,
        reveal: false,
        signal,
        progress,
        opened: async (batch) => await noteBatch(store.db, submission, batch.batchId),
        report: async (builder) => {
          // The head counts what passed by.
          for await (const _item of builder.items());
          const head = await builder.head();
          await storeReport(store.db, submissionId, head);
          return head;
        },
      },
      store,
    );
    return outcome.interrupted;
  }

  /** A folder or file below an evidence root, or the folder of what was uploaded. */
  async #source({ submissionId, root, path }: Submission): Promise<{
    readonly root: string;
    readonly sealed: SealedSource | null;
    readonly limits: Partial<Config>;
  }> {
    const { config, store, uploads } = this.#options;
    if (root !== UPLOADS_ROOT)
      return { root: await evidencePath(config.evidenceRoots, root, path), sealed: null, limits: {} };
    const { folder, uploads: of } = await gatherUploads(store.db, uploads, submissionId);
    const unsealingKey = uploads.privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64');
    return {
      root: folder,
      sealed: { unsealingKey, digest: digestOfUploads(of) },
      limits: { archiveBudget: budgetOfUploads(config) },
    };
  }

  /**
   * What was processed, or will not be, is not kept longer than the policy says. What failed, and what could not be opened, stays for whoever
   * looks into it until it is stale.
   */
  async #removeUploads({ submissionId, root }: Submission, { state }: SubmissionEnd): Promise<void> {
    const { config, store, uploads } = this.#options;
    if (!isUploaded(root) || (state === 'complete' ? config.uploads.keep : state !== 'cancelled')) return;
    const { batchId } = (await findSubmission(store.db, submissionId)) ?? { batchId: null };
    if (state === 'complete' && batchId !== null && (await hasUnreadUploads(store.db, batchId))) return;
    const of = await uploadsOfSubmission(store.db, submissionId);
    await uploads.store.remove(
      of.map(({ uploadId }) => uploadId),
      submissionId,
    );
  }
}

function modelsFor({ cases }: Config, caseRef: string): ModelsAsked {
  const policy = cases.find((one) => one.case === caseRef);
  return { faceSearch: policy?.faces ?? null, skipKnown: policy?.skipKnown ?? false, lookedAt: null };
}

/** Writes the counts down at most once in LOOK_EVERY_MS, and once more at the end. */
class StoredProgress implements ScanProgress, AsyncDisposable {
  readonly #store: (counts: ScanProgressState['counts']) => Promise<void>;
  #state: ScanProgressState | null = null;
  #changed = false;
  #storing: Promise<void> = Promise.resolve();
  readonly #timer: NodeJS.Timeout;

  constructor(store: (counts: ScanProgressState['counts']) => Promise<void>) {
    this.#store = store;
    this.#timer = setInterval(() => this.#write(), LOOK_EVERY_MS).unref();
  }

  begin(state: ScanProgressState): void {
    this.#state = state;
    this.#changed = true;
  }

  changed(): void {
    this.#changed = true;
  }

  preparing(): void {}

  pause(): void {}

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    this.#write();
    await this.#storing;
  }

  #write(): void {
    const state = this.#state;
    if (!this.#changed || state === null) return;
    this.#changed = false;
    const counts = structuredClone(state.counts);
    // A figure for those who wait: one that cannot be written is followed by the next.
    this.#storing = this.#storing.then(async () => await this.#store(counts)).catch(() => undefined);
  }
}
