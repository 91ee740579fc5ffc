import { Worker } from 'node:worker_threads';
import type { ScanAnswer, ScanMemory, ScanRequest } from './memory-scan-thread.ts';

/** Radius search over groups of hashes in shared memory. */
export interface GroupSearch {
  /**
   * Every hash of a group within the radius of each query, as triples of query number, position in the group and distance in bits.
   *
   * @param queries WORDS words a query
   */
  within(group: number, queries: Uint32Array, radiusBits: number): Promise<Int32Array>;
  close(): Promise<void>;
}

/** An exact scan in a thread of its own, so that the supervisor goes on watching its hosts. */
export class ScanThread implements GroupSearch {
  readonly #thread: Worker;
  readonly #waiting = new Map<number, PromiseWithResolvers<Int32Array>>();
  #lastId = 0;

  constructor(memory: ScanMemory) {
    this.#thread = new Worker(new URL('memory-scan-thread.ts', import.meta.url), { workerData: memory });
    this.#thread.on('message', ({ id, hits }: ScanAnswer) => {
      this.#waiting.get(id)?.resolve(hits);
      this.#waiting.delete(id);
    });
    this.#thread.on('error', (error) => {
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    });
    // The engine ends when its work is done, whether or not this was closed.
    this.#thread.unref();
  }

  async within(group: number, queries: Uint32Array, radiusBits: number): Promise<Int32Array> {
    this.#lastId += 1;
    const request: ScanRequest = { id: this.#lastId, group, radiusBits, queries };
    const answer = Promise.withResolvers<Int32Array>();
    this.#waiting.set(request.id, answer);
    this.#thread.ref();
    this.#thread.postMessage(request);
    try {
      return await answer.promise;
    } finally {
      if (this.#waiting.size === 0) this.#thread.unref();
    }
  }

  async close(): Promise<void> {
    await this.#thread.terminate();
  }
}
