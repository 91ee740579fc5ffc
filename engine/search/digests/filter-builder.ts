import { Worker } from 'node:worker_threads';
import { DigestFilter, shardBitsFor } from './digest-filter.ts';
import { DigestKeys } from './digest-key.ts';
import type { ShardAnswer, ShardRequest } from './filter-thread.ts';
import type { FuseFilter } from './fuse-filter.ts';

/** Keys that are in memory at once while a filter is built: 128 MB of them. */
const KEYS_PER_PASS = 2 ** 24;

/** Keys of digests whose first byte is in a range, both ends included, handed to `add`. Asked once for each range. */
export type KeySource = (range: ByteRange, add: (low: number, high: number) => void) => Promise<void>;

export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/**
 * Builds the filter of some `expected` keys in a thread of its own. Memory while it is built is bounded: the source is asked for one
 * range of digests after the other, and while one range is built the next one is read. Digests whose beginnings are not spread evenly cost memory and
 * time, never a key.
 * @throws what `source` throws, and DOMException AbortError when `signal` says so
 */
export async function buildDigestFilter(
  expected: number,
  source: KeySource,
  signal: AbortSignal,
  keysPerPass: number = KEYS_PER_PASS,
): Promise<DigestFilter> {
  // A pass takes whole shards, a shard whole beginnings of digests, so that no more shards are made than there are first bytes to a pass.
  const bits = shardBitsFor(expected);
  const passes = Math.min(256, 2 ** Math.ceil(Math.log2(Math.max(1, expected / keysPerPass))));
  const shardCount = Math.max(2 ** bits, passes);
  const shift = 32 - Math.log2(shardCount);
  const shards = new Map<number, FuseFilter>();
  const builder = new ShardThread();
  try {
    for (let pass = 0; pass < passes; pass += 1) {
      signal.throwIfAborted();
      const perPass = shardCount / passes;
      const keys = Array.from({ length: perPass }, () => new DigestKeys(roomFor(expected / shardCount)));
      const firstShard = pass * perPass;
      const range = { first: (256 / passes) * pass, last: (256 / passes) * (pass + 1) - 1 };
      await source(range, (low, high) => {
        keys[(shift === 32 ? 0 : high >>> shift) - firstShard]?.add(low, high);
      });
      await builder.drained();
      for (const [at, ofShard] of keys.entries())
        builder.build(firstShard + at, ofShard, (filter) => shards.set(firstShard + at, filter));
    }
    await builder.drained();
    signal.throwIfAborted();
  } finally {
    await builder.close();
  }
  return new DigestFilter(
    Array.from({ length: shardCount }, (_, shard) => {
      const filter = shards.get(shard);
      if (filter === undefined) throw new RangeError(`expected a filter of shard ${shard}, received none`);
      return filter;
    }),
  );
}

/** Six standard deviations more than the mean, so that a shard of evenly spread digests never grows. */
const roomFor = (mean: number): number => Math.ceil(mean + 6 * Math.sqrt(mean) + 16);

class ShardThread {
  readonly #thread = new Worker(new URL('filter-thread.ts', import.meta.url));
  readonly #waiting = new Map<number, (filter: FuseFilter) => void>();
  #idle = Promise.withResolvers<void>();
  #failure: unknown;

  constructor() {
    this.#idle.resolve();
    this.#thread.on('message', ({ shard, filter }: ShardAnswer) => {
      this.#waiting.get(shard)?.(filter);
      this.#waiting.delete(shard);
      if (this.#waiting.size === 0) this.#idle.resolve();
    });
    this.#thread.on('error', (error) => {
      this.#failure = error;
      this.#idle.reject(error);
    });
    // The engine ends when its work is done, whether or not a filter is whole.
    this.#thread.unref();
  }

  build(shard: number, keys: DigestKeys, built: (filter: FuseFilter) => void): void {
    if (this.#waiting.size === 0) {
      this.#idle = Promise.withResolvers<void>();
      // Heard of at `drained`; until then a failure must not end the process.
      this.#idle.promise.catch(() => undefined);
    }
    this.#waiting.set(shard, built);
    const request: ShardRequest = { shard, words: keys.words, count: keys.count };
    this.#thread.postMessage(request);
  }

  async drained(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    this.#thread.ref();
    try {
      await this.#idle.promise;
    } finally {
      this.#thread.unref();
    }
  }

  async close(): Promise<void> {
    await this.#thread.terminate();
    this.#idle.reject(new RangeError('the thread that builds a filter was ended'));
  }
}
