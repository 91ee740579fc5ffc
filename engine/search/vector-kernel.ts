/**
 * Vectors of one gallery in WebAssembly memory and the exact search through them: wasm/similarity.wasm multiplies in float32, four
 * queries at a time; what may be a hit is computed again here in double precision. No vector at or above the least similarity is missed.
 */
import { HomewardError } from '../../schemas/error.ts';

/** Rows are gone through in tiles that stay in a second-level cache, so that they come from memory once for all queries. */
const TILE_BYTES = 256 * 1024;
const MOST_TILE_ROWS = 4096;
const PAGE_BYTES = 65_536;
/** Below it lies what the compiler may use. */
const FIRST_FREE = 1024;
const QUERIES_AT_ONCE = 4;
/** Queries that are laid out in memory together, for each of which a row is multiplied while its tile is in the cache. */
const QUERIES_LAID_OUT = 64;
/** Half the distance of float32 numbers next to 1. */
const FLOAT32_ROUNDING = 2 ** -24;

export interface ScanQueries {
  readonly limit: number;
  readonly minimumSimilarity: number;
  /** `dimensions` values a query. */
  readonly queries: Float32Array;
  /** Positions to compare with, rising; null: all. */
  readonly positions: Int32Array | null;
  /** By query; NaN: none is left out. */
  readonly exceptMediaIds: Float64Array | null;
}

export interface ScanHit {
  readonly position: number;
  readonly similarity: number;
}

export class VectorKernel {
  readonly dimensions: number;
  /** A multiple of four: what is missing is zero. */
  readonly #paddedDimensions: number;
  readonly #tileRows: number;
  readonly #memory: WebAssembly.Memory;
  readonly #dotProducts: WebAssembly.ExportedFunction;
  readonly #queriesAt = FIRST_FREE;
  readonly #productsAt: number;
  readonly #gatheredAt: number;
  readonly #rowsAt: number;
  #count = 0;
  #mediaIds = new Float64Array(1024);

  constructor(module: WebAssembly.Module, dimensions: number) {
    const { memory, dotProducts } = new WebAssembly.Instance(module, {}).exports;
    if (memory === undefined || typeof memory === 'function' || typeof dotProducts !== 'function') {
      throw new HomewardError(
        'HW_INTERNAL',
        'expected similarity.wasm to have its memory and dotProducts; report this',
      );
    }
    this.#memory = memory;
    this.#dotProducts = dotProducts;
    this.dimensions = dimensions;
    this.#paddedDimensions = Math.ceil(dimensions / 4) * 4;
    this.#tileRows = Math.min(MOST_TILE_ROWS, Math.max(16, Math.floor(TILE_BYTES / this.#rowBytes)));
    this.#productsAt = this.#queriesAt + QUERIES_LAID_OUT * this.#rowBytes;
    this.#gatheredAt = this.#productsAt + this.#tileRows * QUERIES_AT_ONCE * 4;
    this.#rowsAt = this.#gatheredAt + this.#tileRows * this.#rowBytes;
    this.#reserve(this.#rowsAt);
  }

  get #rowBytes(): number {
    return this.#paddedDimensions * 4;
  }

  /** Adds rows of `dimensions` values, with the media of each. */
  append(rows: Float32Array, mediaIds: Float64Array): void {
    this.#reserve(this.#rowsAt + (this.#count + mediaIds.length) * this.#rowBytes);
    const kept = new Float32Array(this.#memory.buffer, this.#rowsAt);
    const { dimensions } = this;
    for (let row = 0; row < mediaIds.length; row += 1) {
      const values = rows.subarray(row * dimensions, (row + 1) * dimensions);
      kept.set(values, (this.#count + row) * this.#paddedDimensions);
    }
    if (this.#count + mediaIds.length > this.#mediaIds.length) {
      const more = new Float64Array(Math.max(this.#mediaIds.length * 2, this.#count + mediaIds.length));
      more.set(this.#mediaIds);
      this.#mediaIds = more;
    }
    this.#mediaIds.set(mediaIds, this.#count);
    this.#count += mediaIds.length;
  }

  /** The nearest of each query, then those that come first. */
  scan(request: ScanQueries): ScanHit[][] {
    const count = request.queries.length / this.dimensions;
    const slack = this.#roundingOf(this.dimensions);
    const lists = Array.from({ length: count }, () => new Nearest(request.limit, request.minimumSimilarity - slack));
    for (let first = 0; first < count; first += QUERIES_LAID_OUT) {
      this.#layOutQueries(request.queries, first);
      this.#scanAll(request, lists, first);
    }
    return lists.map((list, query) => this.#exact(request, query, list));
  }

  #scanAll(request: ScanQueries, lists: readonly Nearest[], first: number): void {
    const { positions } = request;
    const among = positions?.length ?? this.#count;
    const last = Math.min(first + QUERIES_LAID_OUT, lists.length);
    for (let from = 0; from < among; from += this.#tileRows) {
      const rows = Math.min(this.#tileRows, among - from);
      const at = positions === null ? this.#rowsAt + from * this.#rowBytes : this.#gather(positions, from, rows);
      for (let query = first; query < last; query += QUERIES_AT_ONCE) {
        const queriesAt = this.#queriesAt + (query - first) * this.#rowBytes;
        this.#dotProducts(at, rows, this.#paddedDimensions, queriesAt, this.#productsAt);
        this.#pick(request, lists, query, from, rows);
      }
    }
  }

  /** Takes what may be a hit from the products of four queries with a tile. */
  #pick(request: ScanQueries, lists: readonly Nearest[], first: number, from: number, rows: number): void {
    const products = new Float32Array(this.#memory.buffer, this.#productsAt, rows * QUERIES_AT_ONCE);
    for (let lane = 0; lane < QUERIES_AT_ONCE; lane += 1) {
      const list = lists[first + lane];
      if (list === undefined) return;
      const except = request.exceptMediaIds?.[first + lane] ?? Number.NaN;
      for (let row = 0, product = lane; row < rows; row += 1, product += QUERIES_AT_ONCE) {
        const similarity = products[product] ?? 0;
        if (similarity < list.least) continue;
        const position = request.positions === null ? from + row : (request.positions[from + row] ?? 0);
        if (this.#mediaIds[position] !== except) list.add(position, similarity);
      }
    }
  }

  /** By fours: the first four values of each of the four queries, then the next four; past the last query there are zeros. */
  #layOutQueries(queries: Float32Array, first: number): void {
    const padded = this.#paddedDimensions;
    const laidOut = new Float32Array(this.#memory.buffer, this.#queriesAt, QUERIES_LAID_OUT * padded);
    laidOut.fill(0);
    for (let query = 0; query < QUERIES_LAID_OUT; query += 1) {
      const start = (first + query) * this.dimensions;
      const lane = (query >> 2) * 4 * padded + (query & 3) * 4;
      for (let at = 0; at < this.dimensions; at += 1) {
        laidOut[lane + (at >> 2) * 16 + (at & 3)] = queries[start + at] ?? 0;
      }
    }
  }

  #gather(positions: Int32Array, from: number, rows: number): number {
    const bytes = new Uint8Array(this.#memory.buffer);
    for (let row = 0; row < rows; row += 1) {
      const at = this.#rowsAt + (positions[from + row] ?? 0) * this.#rowBytes;
      bytes.copyWithin(this.#gatheredAt + row * this.#rowBytes, at, at + this.#rowBytes);
    }
    return this.#gatheredAt;
  }

  #exact(request: ScanQueries, query: number, list: Nearest): ScanHit[] {
    const start = query * this.dimensions;
    return list.positions
      .map((position) => ({
        position,
        similarity: this.#product(position, request.queries, start, 0, this.dimensions),
      }))
      .filter((hit) => hit.similarity >= request.minimumSimilarity)
      .sort((a, b) => b.similarity - a.similarity || a.position - b.position)
      .slice(0, request.limit);
  }

  /** Of the values `from` to `to` of a row and of the query that begins at `start`. */
  part(position: number, queries: Float32Array, query: number, from: number, to: number): number {
    return this.#product(position, queries, query * this.dimensions, from, to);
  }

  #product(position: number, queries: Float32Array, start: number, from: number, to: number): number {
    const row = new Float32Array(this.#memory.buffer, this.#rowsAt + position * this.#rowBytes, this.#paddedDimensions);
    let sum = 0;
    for (let at = from; at < to; at += 1) sum += (row[at] ?? 0) * (queries[start + at] ?? 0);
    return sum;
  }

  /** Bound of the error of a float32 dot product of two unit vectors (Higham, Accuracy and Stability of Numerical Algorithms, 3.1). */
  #roundingOf(dimensions: number): number {
    return (dimensions / 4 + 8) * FLOAT32_ROUNDING;
  }

  #reserve(endByte: number): void {
    const missing = Math.ceil((endByte - this.#memory.buffer.byteLength) / PAGE_BYTES);
    if (missing > 0) this.#memory.grow(missing);
  }
}

/** More than asked are kept, since their order in float32 is not yet the last word. */
const KEPT_BEYOND = 8;

/** The best positions so far; what is as good as another and came later ranks behind it. */
class Nearest {
  readonly positions: number[] = [];
  readonly #similarities: number[] = [];
  readonly #most: number;
  /** Below it nothing is taken. */
  least: number;

  constructor(limit: number, least: number) {
    this.#most = limit + KEPT_BEYOND;
    this.least = least;
  }

  add(position: number, similarity: number): void {
    const full = this.positions.length === this.#most;
    if (full && similarity <= this.least) return;
    if (full) {
      this.positions.pop();
      this.#similarities.pop();
    }
    let place = this.positions.length;
    while (place > 0 && (this.#similarities[place - 1] ?? 0) < similarity) place -= 1;
    this.positions.splice(place, 0, position);
    this.#similarities.splice(place, 0, similarity);
    if (this.positions.length === this.#most) this.least = this.#similarities[this.#most - 1] ?? this.least;
  }
}
