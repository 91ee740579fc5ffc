import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { DEFAULT_FILE_BUDGET } from '../../schemas/constants.ts';
import type { Embedding, GeometryResult, Keypoints } from '../../schemas/embedding.ts';
import { HomewardError } from '../../schemas/error.ts';
import type { DecodeMode, Examination } from '../../schemas/fingerprint.ts';
import type { FileBudget, HostRole } from '../../schemas/host-protocol.ts';
import type { SandboxState } from '../../schemas/report.ts';
import { ExamineJob } from './examine-job.ts';
import type { FleetOptions, FleetSettings } from './fleet-options.ts';
import { type FleetCounts, type FleetStats, type HostStats, noCounts } from './fleet-stats.ts';
import { HostPool } from './host-pool.ts';
import { type LaunchCommand, launchCommand } from './launch-command.ts';
import { CompareJob, EmbedJob, type EmbedRequest } from './model-jobs.ts';
import { expressible, isInside, readablePaths, workingFolder } from './readable-paths.ts';
import { planSandbox, type SandboxPlan } from './sandbox.ts';
import { UnpackHosts } from './unpack-hosts.ts';
import { type OnEntry, type UnpackOptions, type UnpackResult, UnpackRun } from './unpack-run.ts';

const CHECKOUT = path.resolve(import.meta.dirname, '..', '..');
const MEBIBYTE = 1024 * 1024;

/** The nets and what they work in take some 500 MB; a host above this has met a very large picture and starts again from little. */
const MODEL_HOST_RECYCLED_ABOVE_BYTES = 1024 * MEBIBYTE;

/** Why each default is what it is, and what was measured: README.md. */
const DEFAULTS = {
  hosts: availableParallelism(),
  spareHosts: 1,
  threadsPerHost: 1,
  fileBudget: DEFAULT_FILE_BUDGET,
  unpackHosts: 1,
  unsealingKey: null,
  scratchKey: null,
  recycleAfterFiles: 5000,
  recycleAboveBytes: 512 * MEBIBYTE,
  namespaces: true,
  hostEntry: path.join(CHECKOUT, 'workers', 'host', 'main.ts'),
} satisfies Partial<FleetOptions>;

/**
 * The parent side of the rooms where pixels are: child processes that examine files and unpack archives, kept apart from network, keys and
 * data folder, held to their budgets, and replaced when they die.
 */
export class Fleet {
  readonly sandbox: SandboxState;
  /** Files that can be worked on at once; a caller keeps a few more than that waiting. */
  readonly capacity: number;
  readonly #options: FleetOptions;
  readonly #plan: SandboxPlan;
  readonly #readable: readonly string[];
  readonly #writable: readonly string[];
  readonly #counts: FleetCounts = noCounts();
  readonly #pool: HostPool;
  #models: HostPool | null = null;
  readonly #unpackHosts: UnpackHosts;
  readonly #runs = new Map<UnpackRun, Promise<UnpackResult>>();
  readonly #waitingRuns: (() => void)[] = [];
  #closed = false;

  private constructor(options: FleetOptions, plan: SandboxPlan) {
    this.#options = options;
    this.#plan = plan;
    // Mounts are made at the real path; callers may speak of one with a link in it.
    this.#writable = [...new Set([options.scratchRoot, plan.scratchRoot].map(expressible))];
    const readable = readablePaths({ ...options, entry: options.hostEntry, checkout: CHECKOUT });
    this.#readable = [...new Set([...readable, ...this.#writable])];
    this.sandbox = plan.state;
    this.capacity = options.hosts * options.threadsPerHost;
    this.#pool = new HostPool('picture', options, this.#counts, workingFolder(CHECKOUT), (threads, name) =>
      this.#command('picture', threads, name),
    );
    this.#unpackHosts = new UnpackHosts(
      () => this.#command('unpack', 1, false),
      workingFolder(CHECKOUT),
      options.recycleAboveBytes,
      () => {
        this.#counts.hostsStarted += 1;
      },
    );
  }

  /**
   * Starts the hosts and resolves when the first one can take a file.
   * @throws HomewardError HW_WORKER_START when none can be started.
   */
  static async start(settings: FleetSettings): Promise<Fleet> {
    const options: FleetOptions = { ...DEFAULTS, ...settings };
    if (!existsSync(options.scratchRoot)) {
      throw new HomewardError(
        'HW_WORKER_START',
        `expected a scratch folder for unpacking, ${options.scratchRoot} does not exist. Create it`,
      );
    }
    const fleet = new Fleet(options, await planSandbox({ ...options, entry: options.hostEntry, checkout: CHECKOUT }));
    try {
      await fleet.#pool.firstReady;
    } catch (error) {
      await fleet.close();
      throw error;
    }
    return fleet;
  }

  /**
   * Name and version of each decoder in the hosts.
   * @throws HomewardError HW_WORKER_START when no host comes up to say them
   */
  async decoders(): Promise<readonly string[]> {
    return await this.#pool.decoders();
  }

  /**
   * Examines one file. Whatever is wrong with the file is said in the outcome (`failed` with timeLimit, cpuLimit, memoryLimit or
   * hostCrashed when it cost its host); rejects only when the fleet is closed or no host can be started any more.
   */
  examine(file: Buffer, options: { readonly mode: DecodeMode; readonly budget?: FileBudget }): Promise<Examination> {
    return new Promise((resolve, reject) => {
      const budget = options.budget ?? this.#options.fileBudget;
      this.#pool.add(
        new ExamineJob({ path: file, mode: options.mode, budget, scratchKey: this.#keyOf(file) }, resolve, reject),
      );
    });
  }

  /**
   * Starts the hosts that run the models, and resolves when the first one has opened them all. May be called once.
   * @param packList file in a readable place that lists the packs to open (workers/host/model-host.ts says how)
   * @throws HomewardError HW_WORKER_START when no host comes up, with what it said of a pack
   */
  async startModels(packList: string): Promise<void> {
    const options = { ...this.#options, spareHosts: 0, recycleAboveBytes: MODEL_HOST_RECYCLED_ABOVE_BYTES };
    const pool = new HostPool('model', options, this.#counts, workingFolder(CHECKOUT), (threads) =>
      this.#command('model', threads, false, packList),
    );
    this.#models = pool;
    await pool.firstReady;
  }

  /** What the models say of one file. Whatever is wrong with the file is said in the outcome. Needs `startModels`. */
  embed(request: EmbedRequest): Promise<Embedding> {
    return new Promise((resolve, reject) => {
      this.#modelPool().add(
        new EmbedJob(request, this.#options.fileBudget, this.#keyOf(request.path), resolve, reject),
      );
    });
  }

  /** Geometric check of one picture's keypoints against those of at most MOST_COMPARED others; null where it cost its host. */
  compare(query: Keypoints, candidates: readonly Keypoints[]): Promise<readonly GeometryResult[] | null> {
    return new Promise((resolve, reject) => {
      this.#modelPool().add(new CompareJob(query, candidates, this.#options.fileBudget, resolve, reject));
    });
  }

  /**
   * Unpacks one archive (zip, tar, gzip) in a host of its own. `onEntry` is called in the order of the entries, one call at a time; until
   * it settles the host writes only a little ahead. The caller removes the files. Never call this from within `onEntry` and wait for it:
   * the inner archive would wait for the outer one's place. If `onEntry` throws, unpacking ends and this rejects with what was thrown.
   */
  async unpack(archive: Buffer, options: UnpackOptions, onEntry: OnEntry): Promise<UnpackResult> {
    if (!isInside(path.resolve(options.scratchFolder), path.resolve(this.#options.scratchRoot))) {
      throw new HomewardError(
        'HW_INTERNAL',
        `expected a scratch folder inside ${this.#options.scratchRoot}, got ${options.scratchFolder}`,
      );
    }
    while (this.#runs.size >= this.#options.unpackHosts && !this.#closed) {
      await new Promise<void>((resolve) => this.#waitingRuns.push(resolve));
    }
    if (this.#closed)
      throw new HomewardError('HW_INTERNAL', 'expected an open fleet for an archive, this one was closed');
    const run = new UnpackRun(
      archive,
      {
        ...options,
        unsealingKey: this.#options.unsealingKey,
        scratchKey: this.#options.scratchKey,
        isScratch: this.#keyOf(archive) !== null,
      },
      onEntry,
      this.#unpackHosts,
    );
    const result = run.run();
    this.#runs.set(run, result);
    try {
      return await result;
    } finally {
      this.#runs.delete(run);
      this.#counts.hostsCrashed += run.hostsCrashed;
      this.#counts.peakHostBytes = Math.max(this.#counts.peakHostBytes, run.peakResidentBytes);
      this.#waitingRuns.shift()?.();
    }
  }

  stats(): FleetStats {
    const unpacking = [...this.#runs.keys()].map(
      (run): HostStats => ({ kind: 'unpack', processId: run.processId, ready: true, inFlight: 1, filesDone: 0 }),
    );
    return {
      ...this.#counts,
      queued: this.#pool.queued + (this.#models?.queued ?? 0) + this.#waitingRuns.length,
      inFlight: this.#pool.inFlight + (this.#models?.inFlight ?? 0) + this.#runs.size,
      hosts: [...this.#pool.hostStats(), ...(this.#models?.hostStats() ?? []), ...unpacking],
    };
  }

  /** Ends every host and waits until they are gone. Calls of `examine` that were not answered are rejected. */
  async close(): Promise<void> {
    this.#closed = true;
    const runs = [...this.#runs];
    for (const [run] of runs) run.stop();
    for (const waiting of this.#waitingRuns.splice(0)) waiting();
    await Promise.allSettled([this.#pool.close(), this.#models?.close(), ...runs.map(([, result]) => result)]);
    await this.#unpackHosts.close(true);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** With what a file is encrypted: those of the scratch folder are, where the fleet has a key for them. */
  #keyOf(file: Buffer): string | null {
    const { scratchKey, scratchRoot } = this.#options;
    return scratchKey !== null && isInside(path.resolve(file.toString()), path.resolve(scratchRoot))
      ? scratchKey
      : null;
  }

  #modelPool(): HostPool {
    if (this.#models === null)
      throw new HomewardError('HW_INTERNAL', 'expected the models to be started before they are asked; report this');
    return this.#models;
  }

  #command(role: HostRole, threads: number, nameDecoders: boolean, packList: string | null = null): LaunchCommand {
    const { hostEntry, fileBudget } = this.#options;
    const dataBytes = 2 * fileBudget.memoryBytes + 512 * MEBIBYTE;
    return launchCommand({
      plan: this.#plan,
      role,
      threads,
      nameDecoders,
      packList,
      entry: hostEntry,
      readable: this.#readable,
      writable: this.#writable,
      dataBytes,
    });
  }
}
