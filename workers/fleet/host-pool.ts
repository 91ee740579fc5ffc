import { HomewardError } from '../../schemas/error.ts';
import type { HostRole } from '../../schemas/host-protocol.ts';
import type { FleetOptions } from './fleet-options.ts';
import type { FleetCounts, HostStats } from './fleet-stats.ts';
import type { HostJob } from './host-job.ts';
import { describeEnd, type HostEnd } from './host-process.ts';
import type { LaunchCommand } from './launch-command.ts';
import { type LimitCode, type Verdict, WATCH_INTERVAL_MS } from './limit-watch.ts';
import { type LostFile, PoolHost, type PoolHostObserver } from './pool-host.ts';

/** So many hosts in a row that ended before they were ready, over at least so long, and nothing will come of another one. */
const FAILED_STARTS = 5;
const FAILED_FOR_MS = 30_000;
/** An isolation host is kept so long for the next file that needs it. */
const ISOLATION_IDLE_MS = 10_000;
/** So many of the hosts start with the first file only: until then the supervisor and the database start up on their processors. */
const HOSTS_HELD_BACK = 2;

export type PoolOptions = Pick<
  FleetOptions,
  'hosts' | 'spareHosts' | 'threadsPerHost' | 'recycleAfterFiles' | 'recycleAboveBytes'
>;

/**
 * Hands files to hosts, first come first served. What was in a host that died and is not surely to blame goes to the isolation host,
 * one file at a time; what fails there has failed.
 */
export class HostPool {
  readonly #role: HostRole;
  readonly #options: PoolOptions;
  readonly #counts: FleetCounts;
  readonly #command: (threads: number, nameDecoders: boolean) => LaunchCommand;
  readonly #workingFolder: string;
  readonly #queue: HostJob[] = [];
  readonly #isolated: HostJob[] = [];
  readonly #hosts = new Set<PoolHost>();
  readonly #firstReady = Promise.withResolvers<void>();
  readonly #allGone = Promise.withResolvers<void>();
  readonly #named = Promise.withResolvers<readonly string[]>();
  #isNamed = false;
  #startedHosts = 0;
  /** A first file is there, so all hosts are wanted. */
  #begun = false;
  /** A first file is done, so a spare host is wanted besides; earlier it would take processor time from that file. */
  #spareDue = false;
  #isolation: PoolHost | null = null;
  #isolationIdle: NodeJS.Timeout | undefined;
  #watching: NodeJS.Timeout | undefined;
  #failedStarts = 0;
  /** Since when fewer hosts than configured could take files; null while enough can, or never could yet. */
  #shortSinceMs: number | null = null;
  #wasComplete = false;
  #lastReadyMs: number | null = null;
  #broken: HomewardError | null = null;
  #closing = false;

  constructor(
    role: HostRole,
    options: PoolOptions,
    counts: FleetCounts,
    workingFolder: string,
    command: (threads: number, nameDecoders: boolean) => LaunchCommand,
  ) {
    this.#role = role;
    this.#options = options;
    this.#counts = counts;
    this.#workingFolder = workingFolder;
    this.#command = command;
    this.#firstReady.promise.catch(() => undefined);
    this.#named.promise.catch(() => undefined);
    this.#keepCount();
  }

  /** Resolves when the first host can take files; rejects with HW_WORKER_START when none starts. */
  get firstReady(): Promise<void> {
    return this.#firstReady.promise;
  }

  /** Name and version of each decoder, from whichever host says them first; one is started for it where none was needed so far. */
  async decoders(): Promise<readonly string[]> {
    this.#begun = true;
    this.#spareDue = true;
    if (!this.#isNamed) this.#keepCount();
    return await this.#named.promise;
  }

  get queued(): number {
    return this.#queue.length + this.#isolated.length;
  }

  get inFlight(): number {
    return this.#all().reduce((sum, host) => sum + host.inFlight, 0);
  }

  hostStats(): HostStats[] {
    return this.#all().map((host) => ({
      kind: host.kind === 'shared' ? this.#role : host.kind,
      processId: host.processId,
      ready: host.ready,
      inFlight: host.inFlight,
      filesDone: host.filesDone,
    }));
  }

  add(job: HostJob): void {
    if (this.#broken !== null) job.reject(this.#broken);
    else if (this.#closing)
      job.reject(new HomewardError('HW_INTERNAL', 'expected an open fleet for a file, this one was closed'));
    else {
      this.#queue.push(job);
      if (!this.#begun) {
        this.#begun = true;
        this.#keepCount();
      }
      this.#pump();
    }
  }

  /** Ends every host; files still waiting are rejected with an error. */
  async close(): Promise<void> {
    this.#closing = true;
    clearTimeout(this.#isolationIdle);
    const error = new HomewardError(
      'HW_INTERNAL',
      'expected every file to be done before the fleet was closed, some were waiting',
    );
    this.#rejectWaiting(error);
    this.#named.reject(error);
    for (const host of this.#all()) host.kill();
    if (this.#all().length > 0) await this.#allGone.promise;
  }

  #all(): PoolHost[] {
    return this.#isolation === null ? [...this.#hosts] : [...this.#hosts, this.#isolation];
  }

  #observer(): PoolHostObserver {
    return {
      ready: (_host, decoders) => this.#becameReady(decoders),
      answered: (host) => this.#answered(host),
      ended: (host, end, lost, verdict) => this.#ended(host, end, lost, verdict),
    };
  }

  /** The first host does not name its decoders where another one can: it costs 0.1 s before its first file. */
  #startShared(): void {
    this.#counts.hostsStarted += 1;
    this.#startedHosts += 1;
    const onlyOne = this.#options.hosts + this.#options.spareHosts === 1;
    const nameDecoders = !this.#isNamed && (onlyOne || this.#startedHosts > 1);
    const threads = this.#options.threadsPerHost;
    this.#hosts.add(
      new PoolHost(
        this.#role,
        'shared',
        threads,
        this.#command(threads, nameDecoders),
        this.#workingFolder,
        this.#observer(),
      ),
    );
  }

  /** A spare host that is up already is better than one that has to start. */
  #startIsolation(): void {
    const spare = [...this.#hosts].find((host) => host.inFlight === 0 && host.freePlaces > 0 && host.filesDone === 0);
    if (spare !== undefined && this.#hosts.size > this.#options.hosts) {
      this.#hosts.delete(spare);
      spare.isolate();
      this.#isolation = spare;
      this.#keepCount();
      return;
    }
    this.#counts.hostsStarted += 1;
    this.#isolation = new PoolHost(
      this.#role,
      'isolation',
      1,
      this.#command(1, false),
      this.#workingFolder,
      this.#observer(),
    );
  }

  #becameReady(decoders: readonly string[]): void {
    this.#failedStarts = 0;
    this.#lastReadyMs = performance.now();
    if (decoders.length > 0) {
      this.#isNamed = true;
      this.#named.resolve(decoders);
    }
    this.#firstReady.resolve();
    this.#keepCount();
    this.#pump();
  }

  #pump(): void {
    if (this.#closing) return;
    while (this.#queue.length > 0) {
      const host = this.#nextHost();
      const job = host === undefined ? undefined : this.#queue.shift();
      if (host === undefined || job === undefined) break;
      host.assign(job);
    }
    if (this.#isolated.length > 0) {
      clearTimeout(this.#isolationIdle);
      if (this.#isolation === null) this.#startIsolation();
      const job = (this.#isolation?.freePlaces ?? 0) > 0 ? this.#isolated.shift() : undefined;
      if (job !== undefined) this.#isolation?.assign(job);
    }
    this.#watch();
  }

  /**
   * Never more hosts at work than configured: the spare ones wait. An idle host before a second file in one; among idle ones the most
   * used, so that spare ones stay as fresh as they started.
   */
  #nextHost(): PoolHost | undefined {
    const free = [...this.#hosts].filter((host) => host.freePlaces > 0);
    const busy = [...this.#hosts].filter((host) => host.inFlight > 0).length;
    const idle = busy < this.#options.hosts ? free.filter((host) => host.inFlight === 0) : [];
    if (idle.length > 0) return idle.reduce((a, b) => (b.filesDone > a.filesDone ? b : a));
    return free
      .filter((host) => host.inFlight > 0)
      .reduce<PoolHost | undefined>((a, b) => (a === undefined || b.freePlaces > a.freePlaces ? b : a), undefined);
  }

  /** Starts what is missing (spare hosts only when the others are up) and notes how long too few could take files. */
  #keepCount(): void {
    if (this.#closing) return;
    const usable = [...this.#hosts].filter((host) => host.ready && !host.retiring).length;
    const enough = usable >= this.#options.hosts;
    this.#wasComplete ||= enough;
    if (enough && this.#shortSinceMs !== null) {
      this.#counts.slowestReturnMs = Math.max(this.#counts.slowestReturnMs, performance.now() - this.#shortSinceMs);
      this.#shortSinceMs = null;
    } else if (!enough && this.#wasComplete) this.#shortSinceMs ??= performance.now();
    const spareHosts = this.#wasComplete && this.#spareDue ? this.#options.spareHosts : 0;
    const wanted = this.#begun ? this.#options.hosts + spareHosts : Math.max(1, this.#options.hosts - HOSTS_HELD_BACK);
    while (this.#hosts.size < wanted) this.#startShared();
  }

  /** Looks at busy hosts 50 times a second, and not at all when none is. */
  #watch(): void {
    const busy = this.inFlight > 0;
    if (busy && this.#watching === undefined) {
      this.#watching = setInterval(() => {
        for (const host of this.#all()) host.look();
      }, WATCH_INTERVAL_MS);
    } else if (!busy && this.#watching !== undefined) {
      clearInterval(this.#watching);
      this.#watching = undefined;
    }
  }

  #answered(host: PoolHost): void {
    this.#counts.examined += 1;
    if (host.kind === 'isolation') this.#isolationDone(host);
    else this.#perhapsRecycle(host);
    if (!this.#spareDue) {
      this.#spareDue = true;
      this.#keepCount();
    }
    this.#pump();
  }

  #settleFailed(job: HostJob): void {
    this.#counts.examined += 1;
    job.fail();
  }

  #perhapsRecycle(host: PoolHost): void {
    if (!host.retiring) {
      const due =
        host.filesDone >= this.#options.recycleAfterFiles || host.residentBytes > this.#options.recycleAboveBytes;
      if (!due) return;
      host.retiring = true;
      this.#counts.hostsRecycled += 1;
    }
    if (host.inFlight === 0) host.leave();
  }

  #isolationDone(host: PoolHost): void {
    clearTimeout(this.#isolationIdle);
    if (host.residentBytes > this.#options.recycleAboveBytes) {
      host.retiring = true;
      host.leave();
      return;
    }
    this.#isolationIdle = setTimeout(() => {
      if (host.inFlight > 0) return;
      host.retiring = true;
      host.leave();
    }, ISOLATION_IDLE_MS);
    this.#isolationIdle.unref();
  }

  #ended(host: PoolHost, end: HostEnd, lost: readonly LostFile[], verdict: Verdict | null): void {
    this.#counts.peakHostBytes = Math.max(this.#counts.peakHostBytes, host.peakResidentBytes);
    if (host.kind === 'isolation') {
      clearTimeout(this.#isolationIdle);
      this.#isolation = null;
    } else this.#hosts.delete(host);
    if (this.#closing) {
      this.#rejectWaiting(
        new HomewardError('HW_INTERNAL', 'expected every file to be done before the fleet was closed, some were not'),
        lost,
      );
      if (this.#all().length === 0) this.#allGone.resolve();
      return;
    }
    if (verdict !== null) this.#counts.hostsEndedForLimit += 1;
    else if (!host.retiring) this.#counts.hostsCrashed += 1;
    for (const file of lost) this.#lost(end, file, verdict);
    if (!host.everReady) this.#failedStart(end);
    if (this.#broken === null) this.#keepCount();
    this.#pump();
  }

  /** What becomes of a file whose host is gone. Each way leads on to a later stage or to a record, so none goes round for ever. */
  #lost(end: HostEnd, file: LostFile, verdict: Verdict | null): void {
    const { job } = file;
    if (verdict !== null && verdict.culprit !== null && verdict.culprit !== file.meter) {
      // Certainly not to blame, and the one to blame will not come back.
      this.#queue.unshift(job);
      return;
    }
    const certain = verdict !== null && verdict.culprit === file.meter;
    if (job.stage === 'digests') {
      job.failure ??= { code: 'hostCrashed', detail: describeEnd(end) };
      this.#settleFailed(job);
    } else if (certain) {
      this.#failed(job, verdict.code, verdict.detail);
    } else if (job.stage === 'alone') {
      this.#failed(
        job,
        'hostCrashed',
        `its process ended twice, the second time with this file alone: ${describeEnd(end)}`,
      );
    } else {
      job.stage = 'alone';
      this.#counts.retriedAlone += 1;
      this.#isolated.push(job);
    }
  }

  #failed(job: HostJob, code: LimitCode | 'hostCrashed', detail: string): void {
    job.failure = { code, detail: detail.slice(0, 300) };
    if (!job.hasDigestsStage) {
      this.#settleFailed(job);
      return;
    }
    job.stage = 'digests';
    // In front: it takes no time, and the record waits for it.
    this.#isolated.unshift(job);
  }

  #failedStart(end: HostEnd): void {
    this.#failedStarts += 1;
    const hopeless =
      this.#failedStarts >= FAILED_STARTS &&
      (this.#lastReadyMs === null || performance.now() - this.#lastReadyMs > FAILED_FOR_MS);
    if (!hopeless) return;
    const said = end.complaint === '' ? '' : `, which said: ${end.complaint}`;
    this.#broken = new HomewardError(
      'HW_WORKER_START',
      `expected a worker process to start, for reading files, ${this.#failedStarts} in a row ended before they were ready ` +
        `(${describeEnd(end)})${said}. Run homeward doctor`,
    );
    this.#firstReady.reject(this.#broken);
    this.#named.reject(this.#broken);
    this.#rejectWaiting(this.#broken);
  }

  #rejectWaiting(error: HomewardError, lost: readonly LostFile[] = []): void {
    for (const job of [...this.#queue.splice(0), ...this.#isolated.splice(0), ...lost.map((file) => file.job)])
      job.reject(error);
    this.#watch();
  }
}
