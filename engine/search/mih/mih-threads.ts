import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { HomewardError } from '../../../schemas/error.ts';
import type { MihAnswer, MihRequest, MihResult, MihTask, SegmentNews, ThreadNumber } from './mih-thread.ts';
import type { Segment } from './segment.ts';

/** Queries that one thread takes at once, at most: a few milliseconds of work. */
const QUERIES_AT_ONCE = 64;
/** Tasks that wait in a thread's own queue, so that it does not wait for us between two. */
const TASKS_AHEAD = 2;

interface Waiting {
  readonly task: MihTask;
  readonly moved: ArrayBuffer[];
  readonly answer: PromiseWithResolvers<MihResult>;
}

interface Thread {
  readonly worker: Worker;
  readonly underWay: Map<number, Waiting>;
  /** What is under way is no search. */
  building: boolean;
}

/**
 * The threads that search. Searches come before everything else; building in the background leaves one thread free for them where there
 * are several.
 */
export class MihThreads {
  readonly #threads: Thread[];
  readonly #searches: Waiting[] = [];
  readonly #urgent: Waiting[] = [];
  readonly #background: Waiting[] = [];
  #lastId = 0;
  #closed = false;

  constructor(count: number = availableParallelism()) {
    this.#threads = Array.from({ length: count }, (_, thread) => {
      const workerData: ThreadNumber = { thread };
      const worker = new Worker(new URL('mih-thread.ts', import.meta.url), { workerData });
      const made: Thread = { worker, underWay: new Map(), building: false };
      worker.on('message', (answer: MihAnswer) => this.#answered(made, answer));
      worker.on('error', (error) => this.#failed(error));
      // The engine ends when its work is done, whether or not this was closed.
      worker.unref();
      return made;
    });
  }

  get count(): number {
    return this.#threads.length;
  }

  attach(segment: Segment): void {
    const { key, memory, layout } = segment;
    this.#tell({ kind: 'attach', segment: { key, memory, layout } });
  }

  /** No task may name the segment any more: every thread lets go of its memory. */
  detach(segment: Segment): void {
    this.#tell({ kind: 'detach', key: segment.key });
  }

  /** Triples of number of the query, position and distance of every hash within the radius. `queries`: 32 bytes each. */
  async within(segment: Segment, queries: Uint8Array, radiusBits: number): Promise<Int32Array[]> {
    const count = queries.length / 32;
    const each = Math.min(QUERIES_AT_ONCE, Math.max(1, Math.ceil(count / (2 * this.count))));
    const parts: Promise<Int32Array>[] = [];
    for (let first = 0; first < count; first += each) {
      // A copy, whatever the caller gave: slice of a Buffer is a view, and moving it would take the caller's memory away.
      const part = Uint8Array.from(queries.subarray(first * 32, (first + each) * 32));
      parts.push(this.#search(segment, part, radiusBits, first));
    }
    return await Promise.all(parts);
  }

  /** Builds the bands of a segment that is filled and attached. */
  async build(segment: Segment, when: 'now' | 'background'): Promise<void> {
    const bands = Array.from({ length: segment.layout.bands }, (_, band) => band);
    await Promise.all(bands.map((band) => this.run({ kind: 'buildBand', key: segment.key, band }, when)));
  }

  async run(task: MihTask, when: 'now' | 'background'): Promise<MihResult> {
    return await this.#queue(when === 'now' ? this.#urgent : this.#background, task, []);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
    this.#reject(new HomewardError('HW_INTERNAL', 'expected the search to stay open until it had answered'));
  }

  async #search(segment: Segment, queries: Uint8Array<ArrayBuffer>, radiusBits: number, first: number) {
    const task: MihTask = { kind: 'search', key: segment.key, radiusBits, queries };
    const hits = await this.#queue(this.#searches, task, [queries.buffer]);
    if (!(hits instanceof Int32Array)) throw new RangeError('expected hits');
    if (first > 0) for (let at = 0; at < hits.length; at += 3) hits[at] = (hits[at] ?? 0) + first;
    return hits;
  }

  #tell(news: SegmentNews): void {
    for (const { worker } of this.#threads) worker.postMessage(news);
  }

  async #queue(queue: Waiting[], task: MihTask, moved: ArrayBuffer[]): Promise<MihResult> {
    const answer = Promise.withResolvers<MihResult>();
    if (this.#closed) throw new RangeError('the search is closed');
    queue.push({ task, moved, answer });
    this.#handOut();
    return await answer.promise;
  }

  #handOut(): void {
    for (const [number, thread] of this.#threads.entries()) {
      // Nothing is put behind a build: a search would wait for it, and another thread may be free before.
      while (thread.underWay.size < TASKS_AHEAD && !thread.building) {
        const waiting =
          this.#searches.shift() ??
          (thread.underWay.size === 0 ? (this.#urgent.shift() ?? this.#backgroundTaskFor(number)) : undefined);
        if (waiting === undefined) break;
        this.#lastId += 1;
        const request: MihRequest = { id: this.#lastId, task: waiting.task };
        if (thread.underWay.size === 0) thread.worker.ref();
        thread.underWay.set(request.id, waiting);
        thread.building = waiting.task.kind !== 'search';
        thread.worker.postMessage(request, waiting.moved);
      }
    }
  }

  #backgroundTaskFor(thread: number): Waiting | undefined {
    return thread > 0 || this.count === 1 ? this.#background.shift() : undefined;
  }

  #answered(thread: Thread, answer: MihAnswer): void {
    const waiting = thread.underWay.get(answer.id);
    thread.underWay.delete(answer.id);
    thread.building = false;
    if (thread.underWay.size === 0) thread.worker.unref();
    if ('failed' in answer) waiting?.answer.reject(new HomewardError('HW_INTERNAL', `${answer.failed}; report this`));
    else waiting?.answer.resolve(answer.result);
    this.#handOut();
  }

  #failed(error: unknown): void {
    this.#closed = true;
    this.#reject(error);
  }

  #reject(error: unknown): void {
    for (const { underWay } of this.#threads) {
      for (const { answer } of underWay.values()) answer.reject(error);
      underWay.clear();
    }
    for (const queue of [this.#searches, this.#urgent, this.#background])
      for (const { answer } of queue.splice(0)) answer.reject(error);
  }
}
