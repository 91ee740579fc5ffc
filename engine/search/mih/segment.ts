import { RecordIntervals } from './record-intervals.ts';
import {
  HASH_BYTES,
  HASHES_AT,
  layoutOf,
  MOST_PAGES,
  PAGE_BYTES,
  type SegmentLayout,
  writeHead,
} from './segment-layout.ts';

const QUALITY_UNKNOWN = -1;

/** What threads need of a segment; their own instances of the kernel work in this memory. */
export interface SharedSegment {
  readonly key: number;
  readonly memory: WebAssembly.Memory;
  readonly layout: SegmentLayout;
}

let lastKey = 0;

/** Hashes in shared memory with the record and quality of each, and what of them is withdrawn. Its bands are built by `MihThreads`. */
export class Segment implements SharedSegment {
  readonly key: number;
  readonly memory: WebAssembly.Memory;
  readonly layout: SegmentLayout;
  /**
   * Records that left the search since the segment was loaded: their hits are dropped. Another object after each change, so that a search
   * that is under way goes on with the one it began with: what is replaced in between it still finds here.
   */
  withdrawn = new RecordIntervals();
  readonly #recordIds: Float64Array;
  readonly #qualities: Int8Array;
  /** Hashes that are left of it, as far as withdrawals were counted, and those that were not yet. */
  #live: number;
  readonly #counted = new RecordIntervals();
  #uncounted = new RecordIntervals();

  constructor(memory: WebAssembly.Memory, layout: SegmentLayout) {
    lastKey += 1;
    this.key = lastKey;
    this.memory = memory;
    this.layout = layout;
    this.#recordIds = new Float64Array(memory.buffer, layout.recordIdsAt, layout.count);
    this.#qualities = new Int8Array(memory.buffer, layout.qualitiesAt, layout.count);
    this.#live = layout.count;
  }

  /** Room for `count` hashes, nothing in it. */
  static empty(count: number, threads: number): Segment {
    const layout = layoutOf(count, threads);
    const memory = sharedMemory(layout.totalBytes);
    writeHead(memory, layout);
    return new Segment(memory, layout);
  }

  get count(): number {
    return this.layout.count;
  }

  recordIdAt(position: number): number {
    return this.#recordIds[position] ?? 0;
  }

  /** Quality that the source gave; null when it gave none. */
  qualityAt(position: number): number | null {
    const quality = this.#qualities[position] ?? QUALITY_UNKNOWN;
    return quality === QUALITY_UNKNOWN ? null : quality;
  }

  /** Takes records, first and last number of each interval, out of the search; positions are not known by record, so an interval that holds none of them costs a comparison a hit. */
  withdraw(intervals: readonly (readonly [number, number])[]): void {
    if (intervals.length === 0) return;
    this.withdrawn = this.withdrawn.with(intervals);
    for (const [first, last] of intervals) this.#uncounted.add(first, last);
  }

  /** Hashes whose record is not withdrawn. Counted when asked for, and only what is new: over ten million it takes some 10 ms. */
  liveCount(): number {
    const pairs = this.#uncounted.toPairs();
    const [first, last] = [pairs[0]?.[0], pairs.at(-1)?.[1]];
    if (first === undefined || last === undefined) return this.#live;
    for (const recordId of this.#recordIds) {
      if (recordId < first || recordId > last) continue;
      if (this.#uncounted.has(recordId) && !this.#counted.has(recordId)) this.#live -= 1;
    }
    for (const [from, to] of pairs) this.#counted.add(from, to);
    this.#uncounted = new RecordIntervals();
    return this.#live;
  }
}

/** Hashes as they arrive, for a segment whose size is not known before the last. */
export class SegmentFiller {
  readonly #memory: WebAssembly.Memory;
  #words: Uint32Array;
  #recordIds = new Float64Array(4096);
  #qualities = new Int8Array(4096);
  #count = 0;

  constructor() {
    this.#memory = sharedMemory(HASHES_AT);
    this.#words = new Uint32Array(this.#memory.buffer);
  }

  get count(): number {
    return this.#count;
  }

  /** `hash`: 32 bytes at `from`. */
  add(recordId: number, hash: Uint8Array, from: number, quality: number | null): void {
    const at = HASHES_AT + this.#count * HASH_BYTES;
    if (at + HASH_BYTES > this.#words.byteLength) this.#grow(at * 2);
    const words = this.#words;
    for (let word = at >> 2, byte = from; byte < from + HASH_BYTES; word += 1, byte += 4) {
      words[word] =
        (hash[byte] ?? 0) |
        ((hash[byte + 1] ?? 0) << 8) |
        ((hash[byte + 2] ?? 0) << 16) |
        ((hash[byte + 3] ?? 0) << 24);
    }
    if (this.#count === this.#recordIds.length) {
      this.#recordIds = grown(this.#recordIds, new Float64Array(this.#count * 2));
      this.#qualities = grown(this.#qualities, new Int8Array(this.#count * 2));
    }
    this.#recordIds[this.#count] = recordId;
    this.#qualities[this.#count] = quality ?? QUALITY_UNKNOWN;
    this.#count += 1;
  }

  /** What was added, without bands yet; the filler is used up. */
  finish(threads: number): Segment {
    const layout = layoutOf(this.#count, threads);
    this.#grow(layout.totalBytes);
    writeHead(this.#memory, layout);
    new Float64Array(this.#memory.buffer, layout.recordIdsAt).set(this.#recordIds.subarray(0, this.#count));
    new Int8Array(this.#memory.buffer, layout.qualitiesAt).set(this.#qualities.subarray(0, this.#count));
    return new Segment(this.#memory, layout);
  }

  #grow(toBytes: number): void {
    const has = this.#memory.buffer.byteLength;
    const pages = Math.min(MOST_PAGES, Math.ceil(toBytes / PAGE_BYTES)) - has / PAGE_BYTES;
    if (pages > 0) this.#memory.grow(pages);
    this.#words = new Uint32Array(this.#memory.buffer);
  }
}

function sharedMemory(sizeBytes: number): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: Math.ceil(sizeBytes / PAGE_BYTES), maximum: MOST_PAGES, shared: true });
}

function grown<T extends Float64Array | Int8Array>(old: T, more: T): T {
  more.set(old);
  return more;
}
