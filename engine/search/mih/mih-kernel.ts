/** The kernel of one thread over the memory of one segment. */
import { readFileSync } from 'node:fs';
import { HomewardError } from '../../../schemas/error.ts';
import type { SharedSegment } from './segment.ts';
import {
  HASHES_AT,
  HEAD_AT,
  mostHitsOf,
  type SegmentLayout,
  scratchOf,
  searchedByBands,
  type ThreadScratch,
} from './segment-layout.ts';

/** What the kernel answers when the buckets hold too much to be compared one by one. */
const TOO_MANY = 0xffff_ffff;
/**
 * Comparing what a bucket names costs about eight times a step of the scan, which reads in order: beyond this share of all hashes the scan
 * is cheaper, and so bounds what a query may cost, however skewed the hashes are.
 */
const MOST_COMPARED_SHARE = 1 / 8;

let compiled: WebAssembly.Module | null = null;

function kernelModule(): WebAssembly.Module {
  compiled ??= new WebAssembly.Module(readFileSync(new URL('kernel.wasm', import.meta.url)));
  return compiled;
}

export class MihKernel {
  readonly #layout: SegmentLayout;
  readonly #at: ThreadScratch;
  readonly #query: Uint8Array;
  readonly #results: Uint32Array;
  readonly #buildBand: WebAssembly.ExportedFunction;
  readonly #search: WebAssembly.ExportedFunction;
  /** Of kernel.assemblyscript: hashes, from, to, query, radius, results, capacity; returns how many it found. */
  readonly scan: WebAssembly.ExportedFunction;

  /** `thread`: its number, below the number of threads that the layout was made for. */
  constructor({ memory, layout }: SharedSegment, thread: number) {
    const { buildBand, search, scan } = new WebAssembly.Instance(kernelModule(), { env: { memory } }).exports;
    if (typeof buildBand !== 'function' || typeof search !== 'function' || typeof scan !== 'function')
      throw new HomewardError('HW_INTERNAL', 'expected kernel.wasm to have buildBand, search and scan; report this');
    this.#buildBand = buildBand;
    this.#search = search;
    this.scan = scan;
    this.#layout = layout;
    this.#at = scratchOf(layout, thread);
    this.#query = new Uint8Array(memory.buffer, this.#at.queryAt, 32);
    this.#results = new Uint32Array(memory.buffer, this.#at.resultsAt, mostHitsOf(layout.count) * 2);
  }

  buildBand(band: number): void {
    const { count, widthBits, tables, postings } = this.#layout;
    this.#buildBand(HASHES_AT, count, band * widthBits, widthBits, tables[band] ?? 0, postings[band] ?? 0);
  }

  /** Number of the query, position and distance of every hash within the radius of each query, 32 bytes a query, one after the other. */
  within(queries: Uint8Array, radiusBits: number): Int32Array<ArrayBuffer> {
    const hits = new Triples();
    for (let query = 0; query * 32 < queries.length; query += 1) {
      this.#query.set(queries.subarray(query * 32, query * 32 + 32));
      this.#one(query, radiusBits, hits);
    }
    return hits.take();
  }

  #one(query: number, radiusBits: number, hits: Triples): void {
    const { count } = this.#layout;
    const mostHits = mostHitsOf(count);
    const { queryAt, scratchAt, seenAt, resultsAt } = this.#at;
    if (searchedByBands(this.#layout, radiusBits)) {
      const mostCompared = Math.max(1024, Math.floor(count * MOST_COMPARED_SHARE));
      const found =
        this.#search(HEAD_AT, queryAt, radiusBits, scratchAt, seenAt, resultsAt, mostHits, mostCompared) >>> 0;
      if (found !== TOO_MANY && found <= mostHits) {
        hits.add(query, this.#results, found);
        return;
      }
    }
    for (let from = 0; from < count; from += mostHits) {
      const to = Math.min(count, from + mostHits);
      const found = this.scan(HASHES_AT, from, to, queryAt, radiusBits, resultsAt, mostHits);
      hits.add(query, this.#results, found);
    }
  }
}

/** What was found so far; in memory that is handed on as it is, since a picture that was copied ten thousand times has as many hits. */
class Triples {
  #values = new Int32Array(3 * 64);
  #end = 0;

  /** `pairs`: position and distance of each hit of the query. */
  add(query: number, pairs: Uint32Array, count: number): void {
    const needed = this.#end + count * 3;
    if (needed > this.#values.length) {
      const grown = new Int32Array(Math.max(needed, this.#values.length * 2));
      grown.set(this.#values.subarray(0, this.#end));
      this.#values = grown;
    }
    const values = this.#values;
    for (let at = 0, to = this.#end; at < count * 2; at += 2, to += 3) {
      values[to] = query;
      values[to + 1] = pairs[at] ?? 0;
      values[to + 2] = pairs[at + 1] ?? 0;
    }
    this.#end = needed;
  }

  take(): Int32Array<ArrayBuffer> {
    return this.#values.slice(0, this.#end);
  }
}
