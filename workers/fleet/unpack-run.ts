import path from 'node:path';
import type { ArchiveBudget, ArchiveEntry, HostMessage } from '../../schemas/host-protocol.ts';
import type { Outcome, Reason } from '../../schemas/outcome.ts';
import { describeEnd, type HostEnd, type HostProcess } from './host-process.ts';
import { WATCH_INTERVAL_MS } from './limit-watch.ts';
import type { UnpackHosts } from './unpack-hosts.ts';

/** What became of an archive as a whole. */
export interface UnpackResult {
  readonly outcome: Outcome;
  readonly reason: Reason | null;
  /** Entries handed on. */
  readonly entries: number;
  /** Bytes written for them. */
  readonly totalBytes: number;
}

export interface UnpackOptions {
  /** An existing, empty, private folder inside the fleet's scratch root; entries become files in it named by their index. */
  readonly scratchFolder: string;
  readonly budget: ArchiveBudget;
  /** Ends the unpacking early; the result then has the outcome `failed` and is not to be recorded. */
  readonly signal?: AbortSignal;
}

interface RunOptions extends UnpackOptions {
  readonly unsealingKey: string | null;
  readonly scratchKey: string | null;
  readonly isScratch: boolean;
}

export type OnEntry = (entry: ArchiveEntry) => Promise<void> | void;

/** What `onEntry` threw. */
class Thrown {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

/** So many deaths of the host over one archive, and the archive is to blame. */
const ATTEMPTS = 2;

/** One archive in a host of its own, started again once where it stopped if the host dies. */
export class UnpackRun {
  readonly #archive: Buffer;
  readonly #options: RunOptions;
  readonly #onEntry: OnEntry;
  readonly #hosts: UnpackHosts;
  readonly #result = Promise.withResolvers<UnpackResult>();
  readonly #beganMs = performance.now();
  #host: HostProcess | null = null;
  #watching: NodeJS.Timeout | undefined;
  #attempt = 0;
  /** Entries announced by a host, and those of them handed to `onEntry`. */
  #announced = 0;
  #handed = 0;
  #totalBytes = 0;
  #handing: Promise<void> = Promise.resolve();
  #ending: UnpackResult | Thrown | null = null;
  peakResidentBytes = 0;
  hostsCrashed = 0;

  constructor(archive: Buffer, options: RunOptions, onEntry: OnEntry, hosts: UnpackHosts) {
    this.#archive = archive;
    this.#options = options;
    this.#onEntry = onEntry;
    this.#hosts = hosts;
  }

  get processId(): number | undefined {
    return this.#host?.processId;
  }

  /** Resolves when the host is gone, or idle for good, and every entry was taken on. */
  async run(): Promise<UnpackResult> {
    const { signal } = this.#options;
    const abort = () => this.stop();
    signal?.addEventListener('abort', abort, { once: true });
    this.#watching = setInterval(() => this.#look(), WATCH_INTERVAL_MS);
    try {
      if (signal?.aborted) return this.#stopped();
      this.#start();
      return await this.#result.promise;
    } finally {
      clearInterval(this.#watching);
      signal?.removeEventListener('abort', abort);
      await this.#handing.catch(() => undefined);
    }
  }

  /** Ends it early. */
  stop(): void {
    this.#end(this.#stopped());
  }

  #stopped(): UnpackResult {
    return this.#failure({ code: 'internal', detail: 'unpacking was interrupted' });
  }

  #failure(reason: Reason): UnpackResult {
    return { outcome: 'failed', reason, entries: this.#handed, totalBytes: this.#totalBytes };
  }

  #start(): void {
    this.#attempt += 1;
    const attempt = this.#attempt;
    const { host, isReady } = this.#hosts.take();
    this.#host = host;
    host.observe({
      message: (message) => this.#received(message, host, attempt),
      ended: (end) => this.#hostEnded(end),
    });
    if (isReady) this.#assign(host, attempt);
  }

  #assign(host: HostProcess, attempt: number): void {
    host.send({
      kind: 'unpack',
      taskId: attempt,
      path: this.#archive.toString('base64'),
      scratchFolder: Buffer.from(path.resolve(this.#options.scratchFolder)).toString('base64'),
      budget: this.#options.budget,
      firstEntry: this.#announced,
      unsealingKey: this.#options.unsealingKey,
      scratchKey: this.#options.scratchKey,
      isScratch: this.#options.isScratch,
    });
  }

  #received(message: HostMessage, host: HostProcess, attempt: number): void {
    if (this.#host !== host || this.#ending !== null) return;
    if (message.kind === 'ready' && message.role === 'unpack') {
      this.#assign(host, attempt);
    } else if (message.kind === 'entry' && message.taskId === attempt && this.#fits(message.entry)) {
      this.#take(message.entry, host, attempt);
    } else if (message.kind === 'unpacked' && message.taskId === attempt) {
      const { outcome, reason } = message;
      const result = { outcome, reason, entries: this.#announced, totalBytes: this.#totalBytes };
      this.#handing.then(
        () => this.#complete(result, host),
        () => undefined,
      );
    } else if (message.kind !== 'started' || message.taskId !== attempt)
      host.refuse(`answer out of turn: ${message.kind}`);
  }

  /** An entry has the next number, and its file carries that number: a host cannot name another file. */
  #fits(entry: ArchiveEntry): boolean {
    if (entry.index !== this.#announced || this.#announced >= this.#options.budget.entries) return false;
    return entry.scratchFile === null || entry.scratchFile === String(entry.index);
  }

  #take(entry: ArchiveEntry, host: HostProcess, attempt: number): void {
    this.#announced += 1;
    if (entry.scratchFile !== null) this.#totalBytes += entry.sizeBytes ?? 0;
    this.#handing = this.#handing.then(async () => {
      if (this.#ending !== null) return;
      this.#handed += 1;
      await this.#onEntry(entry);
      if (this.#host === host) host.send({ kind: 'ack', taskId: attempt, index: entry.index });
    });
    this.#handing.catch((error: unknown) => this.#end(new Thrown(error)));
  }

  #look(): void {
    const host = this.#host;
    if (host === null || this.#ending !== null) return;
    const { budget } = this.#options;
    const residentBytes = host.usage()?.residentBytes ?? 0;
    this.peakResidentBytes = Math.max(this.peakResidentBytes, residentBytes);
    if (residentBytes > budget.memoryBytes) {
      this.#end(this.#failure({ code: 'memoryLimit', detail: `more than ${budget.memoryBytes} bytes of memory` }));
    } else if (performance.now() - this.#beganMs > budget.wallTimeMs) {
      this.#end(this.#failure({ code: 'timeLimit', detail: `more than ${budget.wallTimeMs} ms by the clock` }));
    }
  }

  #hostEnded(end: HostEnd): void {
    this.#host = null;
    if (this.#ending !== null) {
      this.#finish();
      return;
    }
    this.hostsCrashed += 1;
    if (this.#attempt < ATTEMPTS) this.#start();
    else {
      const detail = `its process ended ${ATTEMPTS} times: ${describeEnd(end)}`.slice(0, 300);
      // What it had announced by then lies whole in the scratch folder, and is not lost over what came after it.
      this.#handing.then(
        () => this.#end(this.#failure({ code: 'hostCrashed', detail })),
        () => undefined,
      );
    }
  }

  /** The host said itself that it is done, so it writes no more and may serve again. */
  #complete(result: UnpackResult, host: HostProcess): void {
    if (this.#ending !== null) return;
    this.#ending = result;
    if (this.#host === host) {
      this.#host = null;
      this.#hosts.give(host);
    }
    this.#finish();
  }

  /** The host goes first, so that nobody writes into the scratch folder any more when the caller hears of the end. */
  #end(ending: UnpackResult | Thrown): void {
    if (this.#ending !== null) return;
    this.#ending = ending;
    if (this.#host === null) this.#finish();
    else this.#host.kill();
  }

  #finish(): void {
    if (this.#ending instanceof Thrown) this.#result.reject(this.#ending.error);
    else if (this.#ending !== null) this.#result.resolve(this.#ending);
  }
}
