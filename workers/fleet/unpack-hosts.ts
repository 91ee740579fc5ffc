import { HostProcess } from './host-process.ts';
import type { LaunchCommand } from './launch-command.ts';

const IDLE_MS = 30_000;

/** A host as it is handed out: already waiting for work, or just started and about to say that it is ready. */
export interface HandedHost {
  readonly host: HostProcess;
  readonly isReady: boolean;
}

/** Starts unpack hosts, and keeps one that did its archive well for the next, since starting one costs 0.3 s of processor time. */
export class UnpackHosts {
  readonly #command: () => LaunchCommand;
  readonly #workingFolder: string;
  readonly #recycleAboveBytes: number;
  readonly #onStart: () => void;
  #idle: HostProcess | null = null;
  #idleSince: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(command: () => LaunchCommand, workingFolder: string, recycleAboveBytes: number, onStart: () => void) {
    this.#command = command;
    this.#workingFolder = workingFolder;
    this.#recycleAboveBytes = recycleAboveBytes;
    this.#onStart = onStart;
  }

  take(): HandedHost {
    const host = this.#idle;
    if (host !== null) {
      this.#forget();
      return { host, isReady: true };
    }
    this.#onStart();
    return { host: new HostProcess(this.#command(), this.#workingFolder), isReady: false };
  }

  /** Gives back a host that waits for work. */
  give(host: HostProcess): void {
    const tooLarge = (host.usage()?.residentBytes ?? 0) > this.#recycleAboveBytes;
    if (this.#closed || this.#idle !== null || tooLarge) {
      host.observe({ message: () => undefined, ended: () => undefined });
      host.leave();
      return;
    }
    this.#idle = host;
    host.observe({
      message: () => host.refuse('answer without a task'),
      ended: () => {
        if (this.#idle === host) this.#forget();
      },
    });
    this.#idleSince = setTimeout(() => void this.close(), IDLE_MS);
    this.#idleSince.unref();
  }

  /** Ends the one that is kept. */
  async close(forGood = false): Promise<void> {
    this.#closed ||= forGood;
    const host = this.#idle;
    if (host === null) return;
    this.#forget();
    await new Promise<void>((resolve) => {
      host.observe({ message: () => undefined, ended: () => resolve() });
      host.kill();
    });
  }

  #forget(): void {
    clearTimeout(this.#idleSince);
    this.#idle = null;
  }
}
