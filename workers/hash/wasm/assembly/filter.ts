// The Jarosz filter: two box filters along x and two along y, each a running sum of float32 whose roundings depend on
// the order of additions and so on the whole history of the line. Fused into one sweep over groups of four rows:
//
//   luma (4 rows) -> box along x -> box along y -> box along x -> 64 columns -> box along y -> 64 x 64
//
// - Along x the four rows are the four lanes; along y four columns are; 4 x 4 transpositions lie between.
// - Sums start over zeros and run into zeros: adding or subtracting 0 leaves a sum as it is, so the growing and the
//   shrinking windows of the reference need no code of their own, only their own divisor.
// - Of the second pass only the 64 decimated columns and rows are divided and kept; their windows are always full.
// - The box along y needs the last `windowY` rows. They lie in tiles: for each four columns the running sums, then the
//   ring of rows, so that the four rows of a group are one cache line.

import { allocate, BLOCK64, COLUMNS, NARROW, NARROW_SUMS } from './layout';
import { lumaOfFourRows } from './luma';

let width: i32 = 0;
let height: i32 = 0;
let windowX: i32 = 0;
let windowY: i32 = 0;
let delayX: i32 = 0;
let delayY: i32 = 0;
/** Columns that the second pass along x looks at, rounded up to four. */
let span: i32 = 0;
/** Rows of the ring: a multiple of four that holds a group and the window before it. */
let ringRows: i32 = 0;
/** Interleaved luma of the group at x = 0; `windowX` zero vectors before it, zeros behind it. */
let luma: usize = 0;
/** Interleaved output of the first two boxes at x = 0; `windowX` zero vectors before it. */
let boxed: usize = 0;
/** Interleaved running sums of the second pass along x. */
let sums: usize = 0;
/** One float32 divisor for each output column of the first pass along x. */
let divisors: usize = 0;
let tiles: usize = 0;
let tileBytes: usize = 0;
let narrowRing: usize = 0;
/** Row of the picture that comes next. */
let row: i32 = 0;
/** Row of the 64 x 64 block that comes next. */
let blockRow: i32 = 0;

function decimated(index: i32, side: i32): i32 {
  return <i32>(((<f64>index + 0.5) * <f64>side) / 64.0);
}

/** How many elements of a line lie in the window whose newest one is `newest`. */
function windowSize(newest: i32, window: i32, side: i32): i32 {
  const last = min(newest, side - 1);
  const first = max(newest - window + 1, 0);
  return max(last - first + 1, 1);
}

export function setUpFilter(widthPixels: i32, heightPixels: i32): void {
  width = widthPixels;
  height = heightPixels;
  windowX = (width + 127) / 128;
  windowY = (height + 127) / 128;
  delayX = windowX / 2;
  delayY = windowY / 2;
  span = (width - windowX + delayX + 1 + 3) & ~3;
  ringRows = ((windowY + 3) & ~3) + 4;
  luma = allocate((windowX + max(width, span + delayX) + 4) << 4) + (windowX << 4);
  boxed = allocate((windowX + span) << 4) + (windowX << 4);
  sums = allocate(span << 4);
  divisors = allocate(span << 2);
  for (let x = 0; x < span; x++) store<f32>(divisors + (x << 2), <f32>windowSize(x + delayX, windowX, width));
  tileBytes = (ringRows + 1) << 4;
  tiles = allocate(<usize>(span >> 2) * tileBytes);
  narrowRing = allocate((windowY + 1) << 8);
  memory.fill(NARROW_SUMS, 0, 256);
  for (let k = 0; k < 64; k++) store<i32>(COLUMNS + (k << 2), (decimated(k, width) + delayX) << 4);
  row = 0;
  blockRow = 0;
}

/** The first three boxes over the group of four rows whose luma is in place. */
function filterGroup(): void {
  const slot = row % ringRows;
  const before = row + ringRows - windowY;
  const old0 = 16 + ((before % ringRows) << 4);
  const old1 = 16 + (((before + 1) % ringRows) << 4);
  const old2 = 16 + (((before + 2) % ringRows) << 4);
  const old3 = 16 + (((before + 3) % ringRows) << 4);
  const new0 = 16 + (slot << 4);
  const size0 = f32x4.splat(<f32>windowSize(row, windowY, height));
  const size1 = f32x4.splat(<f32>windowSize(row + 1, windowY, height));
  const size2 = f32x4.splat(<f32>windowSize(row + 2, windowY, height));
  const size3 = f32x4.splat(<f32>windowSize(row + 3, windowY, height));
  const stride = tileBytes;
  const back = windowX << 4;

  let sum = f32x4.splat(0);
  let add = luma;
  for (const start = luma + (delayX << 4); add < start; add += 16) sum = f32x4.add(sum, v128.load(add));
  let sub = add - back;
  let tile = tiles;
  let divisor = divisors;
  let out = boxed;
  let outOld = boxed - back;
  let to = sums;
  let second = f32x4.splat(0);
  const end = sums + (span << 4);
  while (to < end) {
    sum = f32x4.sub(f32x4.add(sum, v128.load(add)), v128.load(sub));
    let a = f32x4.div(sum, v128.load32_splat(divisor));
    sum = f32x4.sub(f32x4.add(sum, v128.load(add, 16)), v128.load(sub, 16));
    let b = f32x4.div(sum, v128.load32_splat(divisor, 4));
    sum = f32x4.sub(f32x4.add(sum, v128.load(add, 32)), v128.load(sub, 32));
    let c = f32x4.div(sum, v128.load32_splat(divisor, 8));
    sum = f32x4.sub(f32x4.add(sum, v128.load(add, 48)), v128.load(sub, 48));
    let d = f32x4.div(sum, v128.load32_splat(divisor, 12));

    let abLow = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
    let abHigh = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
    let cdLow = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
    let cdHigh = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
    a = v128.shuffle<f64>(abLow, cdLow, 0, 2);
    b = v128.shuffle<f64>(abLow, cdLow, 1, 3);
    c = v128.shuffle<f64>(abHigh, cdHigh, 0, 2);
    d = v128.shuffle<f64>(abHigh, cdHigh, 1, 3);

    // Stored before the old rows are loaded: with a window below four an old row is one of this group.
    v128.store(tile + new0, a);
    v128.store(tile + new0, b, 16);
    v128.store(tile + new0, c, 32);
    v128.store(tile + new0, d, 48);
    let column = v128.load(tile);
    column = f32x4.sub(f32x4.add(column, a), v128.load(tile + old0));
    a = f32x4.div(column, size0);
    column = f32x4.sub(f32x4.add(column, b), v128.load(tile + old1));
    b = f32x4.div(column, size1);
    column = f32x4.sub(f32x4.add(column, c), v128.load(tile + old2));
    c = f32x4.div(column, size2);
    column = f32x4.sub(f32x4.add(column, d), v128.load(tile + old3));
    d = f32x4.div(column, size3);
    v128.store(tile, column);

    abLow = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
    abHigh = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
    cdLow = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
    cdHigh = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
    a = v128.shuffle<f64>(abLow, cdLow, 0, 2);
    b = v128.shuffle<f64>(abLow, cdLow, 1, 3);
    c = v128.shuffle<f64>(abHigh, cdHigh, 0, 2);
    d = v128.shuffle<f64>(abHigh, cdHigh, 1, 3);

    // As above: with a window below four an old column is one of these.
    v128.store(out, a);
    v128.store(out, b, 16);
    v128.store(out, c, 32);
    v128.store(out, d, 48);
    second = f32x4.sub(f32x4.add(second, a), v128.load(outOld));
    v128.store(to, second);
    second = f32x4.sub(f32x4.add(second, b), v128.load(outOld, 16));
    v128.store(to, second, 16);
    second = f32x4.sub(f32x4.add(second, c), v128.load(outOld, 32));
    v128.store(to, second, 32);
    second = f32x4.sub(f32x4.add(second, d), v128.load(outOld, 48));
    v128.store(to, second, 48);

    add += 64;
    sub += 64;
    tile += stride;
    divisor += 16;
    out += 64;
    outOld += 64;
    to += 64;
  }
}

/** Picks the 64 decimated columns of the group's running sums and divides them: four rows of 64 at NARROW. */
function pickColumns(): void {
  const size = f32x4.splat(<f32>windowX);
  for (let k: usize = 0; k < 64; k += 4) {
    const at = COLUMNS + (k << 2);
    const a = f32x4.div(v128.load(sums + load<u32>(at)), size);
    const b = f32x4.div(v128.load(sums + load<u32>(at, 4)), size);
    const c = f32x4.div(v128.load(sums + load<u32>(at, 8)), size);
    const d = f32x4.div(v128.load(sums + load<u32>(at, 12)), size);
    const abLow = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
    const abHigh = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
    const cdLow = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
    const cdHigh = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
    const to = NARROW + (k << 2);
    v128.store(to, v128.shuffle<f64>(abLow, cdLow, 0, 2));
    v128.store(to, v128.shuffle<f64>(abLow, cdLow, 1, 3), 256);
    v128.store(to, v128.shuffle<f64>(abHigh, cdHigh, 0, 2), 512);
    v128.store(to, v128.shuffle<f64>(abHigh, cdHigh, 1, 3), 768);
  }
}

/** The last box, along y, over one row of 64; `y` is that row's place in the picture. */
function pushNarrowRow(from: usize, y: i32): void {
  const ring = windowY + 1;
  const newest = narrowRing + ((<usize>(y % ring)) << 8);
  const oldest = narrowRing + ((<usize>((y + 1) % ring)) << 8);
  const keep = blockRow < 64 && y - delayY == decimated(blockRow, height);
  const size = f32x4.splat(<f32>windowY);
  for (let k: usize = 0; k < 256; k += 16) {
    const value = v128.load(from + k);
    const sum = f32x4.sub(f32x4.add(v128.load(NARROW_SUMS + k), value), v128.load(oldest + k));
    v128.store(newest + k, value);
    v128.store(NARROW_SUMS + k, sum);
    if (keep) v128.store(BLOCK64 + ((<usize>blockRow) << 8) + k, f32x4.div(sum, size));
  }
  if (!keep) return;
  blockRow++;
  // A side below 64 gives the same row more than once.
  while (blockRow < 64 && y - delayY == decimated(blockRow, height)) {
    const to = BLOCK64 + ((<usize>blockRow) << 8);
    memory.copy(to, to - 256, 256);
    blockRow++;
  }
}

/** True once all 64 rows of BLOCK64 are there. */
export function filterIsDone(): bool {
  return blockRow == 64;
}

/** A picture of 64 x 64 is its own block: the group's luma goes there as it is. */
function keepUnfiltered(): void {
  for (let x: usize = 0; x < 64; x++) {
    for (let lane: usize = 0; lane < 4; lane++) {
      store<f32>(BLOCK64 + ((<usize>blockRow + lane) << 8) + (x << 2), load<f32>(luma + (x << 4) + (lane << 2)));
    }
  }
  blockRow += 4;
}

/** Four rows of `channels` bytes a pixel; behind the picture's last row come rows of zeros. */
export function pushFourRows(a: usize, b: usize, c: usize, d: usize, channels: i32): void {
  lumaOfFourRows(a, b, c, d, width, channels, luma);
  if (width == 64 && height == 64) {
    keepUnfiltered();
    return;
  }
  // The first three vectors behind the row hold what followed it in memory.
  const end = luma + ((<usize>width) << 4);
  v128.store(end, i32x4.splat(0));
  v128.store(end, i32x4.splat(0), 16);
  v128.store(end, i32x4.splat(0), 32);
  filterGroup();
  pickColumns();
  for (let j = 0; j < 4; j++) {
    const y = row + j - delayY;
    if (y >= 0 && y < height) pushNarrowRow(NARROW + ((<usize>j) << 8), y);
  }
  row += 4;
}
