/** The kernel of one thread over the memory of one segment. */
import { readFileSync } from 'node:fs';
import { HomewardError } from '../../../schemas/error.ts';
import type { SharedSegment } from './segment.ts';
import {
  HASHES_AT,
  HEAD_AT,
  MOST_HITS_AT_ONCE,
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
    this.#results = new Uint32Array(memory.buffer, this.#at.resultsAt, MOST_HITS_AT_ONCE * 2);
  }

  buildBand(band: number): void {
    const { count, widthBits, tables, postings } = this.#layout;
    this.#buildBand(HASHES_AT, count, band * widthBits, widthBits, tables[band] ?? 0, postings[band] ?? 0);
  }

  /** Appends number of the query, position and distance of every hash within the radius of each query, 32 bytes a query. */
  within(queries: Uint8Array, radiusBits: number, hits: number[]): void {
    for (let query = 0; query * 32 < queries.length; query += 1) {
      this.#query.set(queries.subarray(query * 32, query * 32 + 32));
      this.#one(query, radiusBits, hits);
    }
  }

  #one(query: number, radiusBits: number, hits: number[]): void {
    const { count } = this.#layout;
    const { queryAt, scratchAt, resultsAt } = this.#at;
    if (searchedByBands(this.#layout, radiusBits)) {
      const mostCompared = Math.max(1024, Math.floor(count * MOST_COMPARED_SHARE));
      const found =
        this.#search(HEAD_AT, queryAt, radiusBits, scratchAt, resultsAt, MOST_HITS_AT_ONCE, mostCompared) >>> 0;
      if (found !== TOO_MANY && found <= MOST_HITS_AT_ONCE) {
        this.#take(query, found, hits);
        return;
      }
    }
    for (let from = 0; from < count; from += MOST_HITS_AT_ONCE) {
      const to = Math.min(count, from + MOST_HITS_AT_ONCE);
      const found = this.scan(HASHES_AT, from, to, queryAt, radiusBits, resultsAt, MOST_HITS_AT_ONCE);
      this.#take(query, found, hits);
    }
  }

  #take(query: number, found: number, hits: number[]): void {
    const results = this.#results;
    for (let at = 0; at < found * 2; at += 2) hits.push(query, results[at] ?? 0, results[at + 1] ?? 0);
  }
}
