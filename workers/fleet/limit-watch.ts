import { stat } from 'node:fs/promises';
import type { FileBudget } from '../../schemas/host-protocol.ts';
import type { Usage } from './process-usage.ts';

export const WATCH_INTERVAL_MS = 20;
/** A watch that comes so late was held up by the supervisor's own work: answers may wait unread, so nothing is judged that time. */
const LATE_MS = 250;
/** A host that has not taken a file by then hangs. */
const TAKE_MS = 30_000;
/** Reading and digesting is not a bomb's doing: time is added for a large file at the pace of a slow disk and a slow core. */
const SLOWEST_DISK_BYTES_PER_MS = 10_000;
const SLOWEST_DIGEST_BYTES_PER_MS = 100_000;

/** The clock of one file in a host. */
export class FileMeter {
  readonly path: Buffer;
  readonly budget: FileBudget;
  readonly handedAtMs = performance.now();
  startedAtMs: number | null = null;
  /** Processor time of its host while nothing else was in it, and its share while something was. */
  #aloneMs = 0;
  #sharedMs = 0;
  #sizeBytes = 0;
  #sizeAsked = false;

  constructor(path: Buffer, budget: FileBudget) {
    this.path = path;
    this.budget = budget;
  }

  charge(cpuMs: number, inFlight: number): void {
    if (inFlight === 1) this.#aloneMs += cpuMs;
    else this.#sharedMs += cpuMs / inFlight;
  }

  get sharedAHost(): boolean {
    return this.#sharedMs > 0;
  }

  wallExceeded(nowMs: number): boolean {
    if (this.startedAtMs === null) return nowMs - this.handedAtMs > TAKE_MS;
    return (
      nowMs - this.startedAtMs >
      this.#allowed(nowMs - this.startedAtMs, this.budget.wallTimeMs, SLOWEST_DISK_BYTES_PER_MS)
    );
  }

  get cpuExceeded(): boolean {
    const usedMs = this.#aloneMs + this.#sharedMs;
    return usedMs > this.#allowed(usedMs, this.budget.cpuTimeMs, SLOWEST_DIGEST_BYTES_PER_MS);
  }

  /** The size is asked for only when half the budget is gone, which hardly any file comes to. */
  #allowed(usedMs: number, budgetMs: number, bytesPerMs: number): number {
    if (usedMs > budgetMs / 2 && !this.#sizeAsked) {
      this.#sizeAsked = true;
      stat(this.path).then(
        (found) => {
          this.#sizeBytes = Math.min(found.size, this.budget.sizeBytes);
        },
        () => undefined,
      );
    }
    return budgetMs + this.#sizeBytes / bytesPerMs;
  }
}

export type LimitCode = 'timeLimit' | 'cpuLimit' | 'memoryLimit';

export interface Verdict {
  readonly code: LimitCode;
  readonly detail: string;
  /** The one to blame; null when several were in flight and any may be, so that each is tried again alone. */
  readonly culprit: FileMeter | null;
}

/** Watches one host: what its files may spend, against what it spends. */
export class LimitWatch {
  #lastMs = performance.now();
  #lastCpuMs: number | null = null;
  peakResidentBytes = 0;

  /** To be called when the host goes from idle to busy, so that idle time is charged to nobody. */
  reset(usage: Usage | null): void {
    this.#lastMs = performance.now();
    this.#lastCpuMs = usage?.cpuMs ?? null;
  }

  look(usage: Usage | null, meters: readonly FileMeter[]): Verdict | null {
    const now = performance.now();
    const late = now - this.#lastMs > LATE_MS;
    this.#lastMs = now;
    if (usage !== null) {
      this.peakResidentBytes = Math.max(this.peakResidentBytes, usage.residentBytes);
      const spentMs = this.#lastCpuMs === null ? 0 : usage.cpuMs - this.#lastCpuMs;
      this.#lastCpuMs = usage.cpuMs;
      for (const meter of meters) meter.charge(spentMs, meters.length);
      const memory = this.#memory(usage, meters);
      if (memory !== null) return memory;
    }
    if (late) return null;
    for (const meter of meters) {
      if (meter.wallExceeded(now)) {
        const taken = meter.startedAtMs !== null;
        const detail = taken
          ? `more than ${meter.budget.wallTimeMs} ms by the clock`
          : `not taken on within ${TAKE_MS} ms`;
        return { code: 'timeLimit', detail, culprit: meter };
      }
      if (meter.cpuExceeded) {
        const culprit = meter.sharedAHost ? null : meter;
        return { code: 'cpuLimit', detail: `more than ${meter.budget.cpuTimeMs} ms of processor time`, culprit };
      }
    }
    return null;
  }

  #memory(usage: Usage, meters: readonly FileMeter[]): Verdict | null {
    const over = meters.find((meter) => usage.residentBytes > meter.budget.memoryBytes);
    if (over === undefined) return null;
    return {
      code: 'memoryLimit',
      detail: `more than ${over.budget.memoryBytes} bytes of memory`,
      culprit: meters.length === 1 ? over : null,
    };
  }
}
