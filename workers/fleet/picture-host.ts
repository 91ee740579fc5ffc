import type { Examination } from '../../schemas/fingerprint.ts';
import type { HostMessage } from '../../schemas/host-protocol.ts';
import { type HostEnd, HostProcess } from './host-process.ts';
import type { LaunchCommand } from './launch-command.ts';
import { FileMeter, LimitWatch, type Verdict } from './limit-watch.ts';
import { budgetOf, type PictureJob } from './picture-job.ts';

export interface PictureHostObserver {
  ready(host: PictureHost, decoders: readonly string[]): void;
  examined(host: PictureHost, job: PictureJob, examination: Examination): void;
  /** Told once, when the process is gone; `lost` is what it had in flight, `verdict` why we ended it, if we did. */
  ended(host: PictureHost, end: HostEnd, lost: readonly LostFile[], verdict: Verdict | null): void;
}

export interface LostFile {
  readonly job: PictureJob;
  readonly meter: FileMeter;
}

/** A host that examines files, what it has in flight, and the watch over it. */
export class PictureHost {
  kind: 'picture' | 'isolation';
  capacity: number;
  ready = false;
  everReady = false;
  /** Gets no more files; ends when the last one is done. */
  retiring = false;
  filesDone = 0;
  readonly #process: HostProcess;
  readonly #observer: PictureHostObserver;
  readonly #watch = new LimitWatch();
  readonly #inFlight = new Map<number, LostFile>();
  #verdict: Verdict | null = null;
  #nextTaskId = 0;

  constructor(
    kind: 'picture' | 'isolation',
    capacity: number,
    command: LaunchCommand,
    workingFolder: string,
    observer: PictureHostObserver,
  ) {
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

  assign(job: PictureJob): void {
    if (this.#inFlight.size === 0) this.#watch.reset(this.#process.usage());
    const taskId = this.#nextTaskId++;
    const budget = budgetOf(job);
    this.#inFlight.set(taskId, { job, meter: new FileMeter(job.path, budget) });
    this.#process.send({ kind: 'examine', taskId, path: job.path.toString('base64'), mode: job.mode, budget });
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
    if (message.kind === 'ready' && message.role === 'picture' && !this.ready) {
      this.ready = true;
      this.everReady = true;
      this.#observer.ready(this, message.decoders);
      return;
    }
    const file =
      message.kind === 'started' || message.kind === 'examined' ? this.#inFlight.get(message.taskId) : undefined;
    if (file !== undefined && message.kind === 'started' && file.meter.startedAtMs === null) {
      file.meter.startedAtMs = performance.now();
      return;
    }
    if (file !== undefined && message.kind === 'examined' && file.meter.startedAtMs !== null) {
      this.#inFlight.delete(message.taskId);
      this.filesDone += 1;
      this.#observer.examined(this, file.job, message.examination);
      return;
    }
    this.#process.refuse(`answer out of turn: ${message.kind}`);
  }
}
