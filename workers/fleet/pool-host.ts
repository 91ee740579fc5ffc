import type { HostMessage, HostRole } from '../../schemas/host-protocol.ts';
import type { HostJob } from './host-job.ts';
import { type HostEnd, HostProcess } from './host-process.ts';
import type { LaunchCommand } from './launch-command.ts';
import { FileMeter, LimitWatch, type Verdict } from './limit-watch.ts';

export interface PoolHostObserver {
  ready(host: PoolHost, decoders: readonly string[]): void;
  /** The job was settled by the host's answer. */
  answered(host: PoolHost, job: HostJob): void;
  /** Told once, when the process is gone; `lost` is what it had in flight, `verdict` why we ended it, if we did. */
  ended(host: PoolHost, end: HostEnd, lost: readonly LostFile[], verdict: Verdict | null): void;
}

export interface LostFile {
  readonly job: HostJob;
  readonly meter: FileMeter;
}

/** A host of a pool, what it has in flight, and the watch over it. */
export class PoolHost {
  kind: 'shared' | 'isolation';
  capacity: number;
  ready = false;
  everReady = false;
  /** Gets no more files; ends when the last one is done. */
  retiring = false;
  filesDone = 0;
  readonly #process: HostProcess;
  readonly #observer: PoolHostObserver;
  readonly #watch = new LimitWatch();
  readonly #inFlight = new Map<number, LostFile>();
  #verdict: Verdict | null = null;
  #nextTaskId = 0;

  readonly #role: HostRole;

  constructor(
    role: HostRole,
    kind: 'shared' | 'isolation',
    capacity: number,
    command: LaunchCommand,
    workingFolder: string,
    observer: PoolHostObserver,
  ) {
    this.#role = role;
    this.kind = kind;
    this.capacity = capacity;
    this.#observer = observer;
    this.#process = new HostProcess(command, workingFolder);
    this.#process.observe({
      message: (message) => this.#received(message),
      ended: (end) => {
        this.ready = false;
        observer.ended(this, end, [...this.#inFlight.values()], this.#verdict);
      },
    });
  }

  /** From now on one file at a time, each of them under suspicion. */
  isolate(): void {
    this.kind = 'isolation';
    this.capacity = 1;
  }

  get processId(): number | undefined {
    return this.#process.processId;
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  get freePlaces(): number {
    return this.ready && !this.retiring && this.#verdict === null ? this.capacity - this.#inFlight.size : 0;
  }

  get peakResidentBytes(): number {
    return this.#watch.peakResidentBytes;
  }

  get residentBytes(): number {
    return this.#process.usage()?.residentBytes ?? 0;
  }

  assign(job: HostJob): void {
    if (this.#inFlight.size === 0) this.#watch.reset(this.#process.usage());
    const taskId = this.#nextTaskId++;
    this.#inFlight.set(taskId, { job, meter: new FileMeter(job.path, job.budget) });
    this.#process.send(job.taskOf(taskId));
  }

  /** Looks at what it spends, and ends it when that is too much. */
  look(): void {
    if (this.#verdict !== null || this.#inFlight.size === 0) return;
    const meters = [...this.#inFlight.values()].map((file) => file.meter);
    this.#verdict = this.#watch.look(this.#process.usage(), meters);
    if (this.#verdict !== null) this.#process.kill();
  }

  leave(): void {
    this.#process.leave();
  }

  kill(): void {
    this.#process.kill();
  }

  #received(message: HostMessage): void {
    if (message.kind === 'ready' && message.role === this.#role && !this.ready) {
      this.ready = true;
      this.everReady = true;
      this.#observer.ready(this, message.decoders);
      return;
    }
    const file = 'taskId' in message ? this.#inFlight.get(message.taskId) : undefined;
    if (file !== undefined && 'taskId' in message) {
      if (message.kind === 'started' && file.meter.startedAtMs === null) {
        file.meter.startedAtMs = performance.now();
        return;
      }
      if (message.kind !== 'started' && file.meter.startedAtMs !== null && file.job.answer(message)) {
        this.#inFlight.delete(message.taskId);
        this.filesDone += 1;
        this.#observer.answered(this, file.job);
        return;
      }
    }
    this.#process.refuse(`answer out of turn: ${message.kind}`);
  }
}
