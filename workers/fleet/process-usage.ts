import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

export interface Usage {
  /** Processor time of all threads since the process began. */
  readonly cpuMs: number;
  readonly residentBytes: number;
}

const AT_PAGE_SIZE = 6n;
const AT_CLOCK_TICKS = 17n;
const STAT_BYTES = 1024;
// Fields of /proc/<pid>/stat counted after the parenthesised command name, which itself may hold spaces (proc(5): 14, 15, 24).
const USER_TICKS = 11;
const SYSTEM_TICKS = 12;
const RESIDENT_PAGES = 21;

interface Units {
  readonly pageBytes: number;
  readonly tickMs: number;
}

/** The kernel's own page size and clock tick: arm64 kernels have pages of 4, 16 or 64 KiB, and a guess would scale every limit. */
function kernelUnits(): Units | null {
  try {
    const vector = readFileSync('/proc/self/auxv');
    const values = new Map<bigint, number>();
    for (let at = 0; at + 16 <= vector.length; at += 16) {
      values.set(vector.readBigUInt64LE(at), Number(vector.readBigUInt64LE(at + 8)));
    }
    const pageBytes = values.get(AT_PAGE_SIZE);
    const ticksPerSecond = values.get(AT_CLOCK_TICKS);
    if (pageBytes === undefined || ticksPerSecond === undefined) return null;
    return { pageBytes, tickMs: 1000 / ticksPerSecond };
  } catch {
    return null;
  }
}

const UNITS = process.platform === 'linux' ? kernelUnits() : null;

/** Whether processor time and memory of a host can be watched here; without it only the wall clock limits a file. */
export const canWatchUsage: boolean = UNITS !== null;

/** Reads what one process has used, through one descriptor that stays open: 50 readings a second a host cost 0.1 % of a core. */
export class ProcessUsage implements Disposable {
  readonly #buffer = Buffer.alloc(STAT_BYTES);
  #descriptor: number | null = null;

  constructor(processId: number) {
    if (UNITS === null) return;
    try {
      this.#descriptor = openSync(`/proc/${processId}/stat`, 'r');
    } catch {
      // Gone already; its end is told by its exit.
    }
  }

  /** Null where it cannot be told: another system, or the process has ended. */
  read(): Usage | null {
    if (this.#descriptor === null || UNITS === null) return null;
    try {
      const length = readSync(this.#descriptor, this.#buffer, 0, STAT_BYTES, 0);
      const text = this.#buffer.toString('latin1', 0, length);
      const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
      const ticks = Number(fields[USER_TICKS]) + Number(fields[SYSTEM_TICKS]);
      const pages = Number(fields[RESIDENT_PAGES]);
      if (!Number.isFinite(ticks) || !Number.isFinite(pages)) return null;
      return { cpuMs: ticks * UNITS.tickMs, residentBytes: pages * UNITS.pageBytes };
    } catch {
      return null;
    }
  }

  [Symbol.dispose](): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
  }
}
