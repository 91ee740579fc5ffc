import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { LARGE_PAGES } from '../workers/fleet/launch-command.ts';

/** One more than it has threads, so that a thread never waits for its next file. */
const WAITING_PER_HOST = 1;

/**
 * What the engine is measured against: the same number of processes and threads that only read, digest (MD5, SHA-1,
 * SHA-256) and decode. No limits, no watchdog, no checked records.
 */
export class BareLoop {
  readonly #hosts: readonly ChildProcess[];
  readonly #threadsPerHost: number;

  private constructor(hosts: readonly ChildProcess[], threadsPerHost: number) {
    this.#hosts = hosts;
    this.#threadsPerHost = threadsPerHost;
  }

  static async start(hosts: number, threadsPerHost: number): Promise<BareLoop> {
    const children = Array.from({ length: hosts }, () =>
      fork(path.join(import.meta.dirname, 'bare-host.ts'), [String(threadsPerHost)], {
        // What makes the engine's decoding faster is not to be held against the loop.
        env: { ...process.env, ...LARGE_PAGES },
      }),
    );
    await Promise.all(children.map((child) => once(child, 'message')));
    return new BareLoop(children, threadsPerHost);
  }

  /** Takes every file once. Rejects when a host ends: every picture of the set decodes. */
  async run(files: readonly string[], fast: boolean): Promise<void> {
    let next = 0;
    await Promise.all(
      this.#hosts.map(async (host) => {
        const { promise, resolve, reject } = Promise.withResolvers<void>();
        let inFlight = 0;
        const feed = () => {
          while (inFlight < this.#threadsPerHost + WAITING_PER_HOST && next < files.length) {
            host.send({ path: files[next++] ?? '', fast });
            inFlight += 1;
          }
          if (inFlight === 0) resolve();
        };
        const decoded = () => {
          inFlight -= 1;
          feed();
        };
        const ended = () => reject(new Error('expected the bare loop to decode every file, one of its hosts ended'));
        host.on('message', decoded).on('exit', ended);
        feed();
        await promise.finally(() => host.off('message', decoded).off('exit', ended));
      }),
    );
  }

  async stop(): Promise<void> {
    await Promise.all(
      this.#hosts.map(async (host) => {
        const exit = once(host, 'exit');
        host.disconnect();
        await exit;
      }),
    );
  }
}
