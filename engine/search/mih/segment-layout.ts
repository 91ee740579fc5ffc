/**
 * Where things lie in the memory of one segment. First what a snapshot holds: head, masks, hashes, then of each band its table and its
 * postings, then the record and the quality of each hash; after it the scratch of each thread.
 */

/** Fewer hashes than this are compared one after the other, which takes a microsecond. */
const LEAST_INDEXED = 1024;
/**
 * Bits of a band: about one hash a bucket. Measured at 10 M hashes: 11 bands of 23 bits take 0.22 ms a query, of 22 bits 0.30 ms, 10 of
 * 24 bits 0.55 ms, since their tables no longer fit what the processor translates addresses of.
 */
const LEAST_WIDTH = 10;
const MOST_WIDTH = 23;
export const HASH_BYTES = 32;
export const PAGE_BYTES = 65_536;
/** All that 32-bit addresses reach. */
export const MOST_PAGES = 65_536;

export const HEAD_AT = 1024;
const MASKS_AT = 2048;
export const HASHES_AT = 16_384;

/** Buckets of one band and gathered positions, as kernel.assemblyscript uses them. */
const BUCKETS_BYTES = 4096 * 8;
const GATHERED_BYTES = (8192 + 64) * 4;
/** Hits of one query that are told at once, see `mostHitsOf`. */
const LEAST_ROOM_HITS = 16_384;
const MOST_ROOM_HITS = 131_072;
const QUERY_BYTES = 64;

export interface SegmentLayout {
  readonly count: number;
  /** 0: too few hashes for bands. */
  readonly bands: number;
  readonly widthBits: number;
  /** Addresses, by band. */
  readonly tables: readonly number[];
  readonly postings: readonly number[];
  readonly recordIdsAt: number;
  readonly qualitiesAt: number;
  /** End of what a snapshot holds. */
  readonly imageBytes: number;
  readonly totalBytes: number;
  readonly threads: number;
}

export interface ThreadScratch {
  readonly queryAt: number;
  readonly scratchAt: number;
  /** A bit a hash. */
  readonly seenAt: number;
  readonly resultsAt: number;
}

/** Hits of one query that there is room for; a query with more is answered by a scan in parts of this size, which cannot overflow. */
export function mostHitsOf(count: number): number {
  return Math.min(MOST_ROOM_HITS, Math.max(LEAST_ROOM_HITS, count >> 5));
}

function scratchBytes(count: number): number {
  const seenBytes = Math.ceil(count / 512) * 64;
  return QUERY_BYTES + BUCKETS_BYTES + GATHERED_BYTES + mostHitsOf(count) * 8 + seenBytes;
}

export function layoutOf(count: number, threads: number): SegmentLayout {
  const widthBits = Math.min(MOST_WIDTH, Math.max(LEAST_WIDTH, Math.floor(Math.log2(Math.max(1, count)))));
  const bands = count < LEAST_INDEXED ? 0 : Math.floor(256 / widthBits);
  const tables: number[] = [];
  const postings: number[] = [];
  let end = HASHES_AT + count * HASH_BYTES;
  const place = (sizeBytes: number): number => {
    const at = end;
    end += Math.ceil(sizeBytes / 16) * 16;
    return at;
  };
  for (let band = 0; band < bands; band += 1) {
    tables.push(place((2 ** widthBits + 1) * 4));
    postings.push(place(count * 4));
  }
  const recordIdsAt = place(count * 8);
  const qualitiesAt = place(count);
  const imageBytes = end;
  return {
    count,
    bands,
    widthBits,
    tables,
    postings,
    recordIdsAt,
    qualitiesAt,
    imageBytes,
    totalBytes: imageBytes + threads * scratchBytes(count),
    threads,
  };
}

export function scratchOf(layout: SegmentLayout, thread: number): ThreadScratch {
  const queryAt = layout.imageBytes + thread * scratchBytes(layout.count);
  const scratchAt = queryAt + QUERY_BYTES;
  const resultsAt = scratchAt + BUCKETS_BYTES + GATHERED_BYTES;
  return { queryAt, scratchAt, resultsAt, seenAt: resultsAt + mostHitsOf(layout.count) * 8 };
}

/** Writes the head and the masks, which the kernel reads. */
export function writeHead(memory: WebAssembly.Memory, layout: SegmentLayout): void {
  const { count, bands, widthBits } = layout;
  const head = new Uint32Array(memory.buffer, HEAD_AT, 5 + 2 * bands);
  head.set([HASHES_AT, count, bands, widthBits, MASKS_AT]);
  for (let band = 0; band < bands; band += 1)
    head.set([layout.tables[band] ?? 0, layout.postings[band] ?? 0], 5 + 2 * band);
  if (bands > 0) new Uint32Array(memory.buffer, MASKS_AT, (HASHES_AT - MASKS_AT) / 4).set(masksOf(widthBits));
}

/** Every mask of up to three of these bits, the fewer bits the earlier. */
function masksOf(widthBits: number): number[] {
  const singles = Array.from({ length: widthBits }, (_, bit) => 1 << bit);
  const pairs = singles.flatMap((low, at) => singles.slice(at + 1).map((high) => low | high));
  const triples = singles.flatMap((low, at) =>
    singles.slice(at + 1).flatMap((middle, next) => singles.slice(at + next + 2).map((high) => low | middle | high)),
  );
  return [0, ...singles, ...pairs, ...triples];
}

/**
 * Whether going by the bands is worth it: with more than three bits apart in a band there are more buckets to look into than a scan takes,
 * and with a radius near 256 there always are.
 */
export function searchedByBands(layout: SegmentLayout, radiusBits: number): boolean {
  return layout.bands > 0 && Math.floor(radiusBits / layout.bands) <= 3;
}
