// Where things lie in the linear memory. Fixed places first; the arena behind them is laid out anew for each picture.
// Nothing lies below 4096: the optimiser folds small constants into addresses and relies on low memory being unused.

/** 16 x 64 float32, row i holding the cosines of frequency i + 1; filled in by the host once. */
export const DCT: usize = 4096;
/** The same matrix, 64 x 16, so that four frequencies lie side by side. */
export const DCT_TRANSPOSED: usize = DCT + 16 * 64 * 4;
/** 64 x 64 float32: the filtered and decimated picture. */
export const BLOCK64: usize = DCT_TRANSPOSED + 16 * 64 * 4;
/** 16 x 64 float32: half of the transform. */
export const HALF: usize = BLOCK64 + 64 * 64 * 4;
/** 16 x 16 float32: the frequencies kept. */
export const BLOCK16: usize = HALF + 16 * 64 * 4;
/** 16 x 16 float32: the same for one of the eight orientations. */
export const TURNED: usize = BLOCK16 + 16 * 16 * 4;
/** 4 x 64 float32: the decimated columns of the four rows in hand. */
export const NARROW: usize = TURNED + 16 * 16 * 4;
/** 64 running column sums of the last pass. */
export const NARROW_SUMS: usize = NARROW + 4 * 64 * 4;
/** For each of the 64 decimated columns the offset in bytes of its sum in the row of running sums. */
export const COLUMNS: usize = NARROW_SUMS + 64 * 4;
/** For each of the 512 sampled columns its offset in bytes in a row of the picture. */
export const SAMPLE_COLUMNS: usize = COLUMNS + 64 * 4;
/** Two flavours x eight orientations x 32 bytes, in the order in which they are printed. */
export const HASHES: usize = SAMPLE_COLUMNS + 512 * 4;
/** Nine vectors that the luma loops keep in registers. */
export const LUMA_CONSTANTS: usize = HASHES + 2 * 8 * 32;
/** The picture sampled to 512 x 512, four bytes a pixel, the last one 255. */
export const SAMPLES: usize = 64 * 1024;
/** The means of each 8 x 8 samples, 64 x 64 pixels of four float32. */
export const MEANS: usize = SAMPLES + 512 * 512 * 4;
export const ARENA: usize = MEANS + 64 * 64 * 16;

let arenaEnd: usize = ARENA;

export function resetArena(): void {
  arenaEnd = ARENA;
}

/** Zeroed memory at a multiple of 64 bytes (a cache line), with 64 spare bytes that a 16-byte access may run into. */
export function allocate(sizeBytes: usize): usize {
  const start = arenaEnd;
  arenaEnd = (start + sizeBytes + 127) & ~63;
  const pagesNeeded = <i32>((arenaEnd + 0xffff) >>> 16) - memory.size();
  if (pagesNeeded > 0 && memory.grow(pagesNeeded) < 0) unreachable();
  memory.fill(start, 0, arenaEnd - start);
  return start;
}
