// Where things lie in the linear memory. Fixed places first; the arena behind them is laid out anew for each call.
// Nothing of ours lies below 16 KiB: the compiler keeps the tables of its mathematics there.

/** 16 x 16 bytes: width, height, stride in bytes and first level of each octave. */
export const OCTAVES: usize = 16384;
/** Half a Gaussian kernel, 64 float32, the middle first. */
export const TAPS: usize = OCTAVES + 16 * 16;
/** Addresses of the 64 rows before, of, and after the row that is blurred. */
export const ROWS: usize = TAPS + 64 * 4;
/** 40 float32: histogram of orientations, then 40 smoothed. */
export const ORIENTATIONS: usize = ROWS + 128 * 4;
/** 6 x 6 cells of 8 float32: a descriptor with a rim that takes what falls outside. */
export const CELLS: usize = ORIENTATIONS + 80 * 4;
/** 128 float32: the same without the rim. */
export const DESCRIPTOR: usize = CELLS + 6 * 6 * 8 * 4;
/** Gaussian weights of the window's columns, then of its rows: 512 float32 each. */
export const COLUMN_WEIGHTS: usize = DESCRIPTOR + 128 * 4;
export const ROW_WEIGHTS: usize = COLUMN_WEIGHTS + 512 * 4;
/** Up to 4 angles of one keypoint. */
export const ANGLES: usize = ROW_WEIGHTS + 512 * 4;
export const ARENA: usize = 32768;

let arenaEnd: usize = ARENA;

export function resetArena(): void {
  arenaEnd = ARENA;
}

/** Memory at a multiple of 64 bytes (a cache line) with 64 spare bytes that a 16-byte access may run into; not zeroed. */
export function allocate(sizeBytes: usize): usize {
  const start = arenaEnd;
  arenaEnd = (start + sizeBytes + 127) & ~63;
  reserve(arenaEnd);
  return start;
}

/** Where the arena ends now; what grows without a known size lies there. */
export function endOfArena(): usize {
  return arenaEnd;
}

export function reserve(end: usize): void {
  const pagesNeeded = <i32>((end + 0xffff) >>> 16) - memory.size();
  if (pagesNeeded > 0 && memory.grow(pagesNeeded) < 0) unreachable();
}
