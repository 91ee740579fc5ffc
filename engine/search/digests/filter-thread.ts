// Entry of the thread that builds shards: it sees keys and nothing else, and gives their arrays back without a copy.
import { parentPort } from 'node:worker_threads';
import { buildFuseFilter, type FuseFilter } from './fuse-filter.ts';

export interface ShardRequest {
  readonly shard: number;
  /** Low and high word of each key. */
  readonly words: Uint32Array<SharedArrayBuffer>;
  readonly count: number;
}

export interface ShardAnswer {
  readonly shard: number;
  readonly filter: FuseFilter;
}

parentPort?.on('message', ({ shard, words, count }: ShardRequest) => {
  const answer: ShardAnswer = { shard, filter: buildFuseFilter(words, count) };
  parentPort?.postMessage(answer);
});
