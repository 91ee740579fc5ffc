// All distances between two sets of byte descriptors, and for each descriptor the two smallest ones. Integers only.

import { allocate, DESCRIPTOR } from './layout';

const BYTES: i32 = 128;
const FAR: i32 = 0x3fffffff;

let rows: usize = 0;
let columns: usize = 0;

/** For each descriptor of the first set: nearest index, its squared distance, the second squared distance; int32 x 4. */
export function rowsFrom(): usize {
  return rows;
}
/** Likewise for the second set, but four descriptors side by side: 4 indices, 4 distances, 4 second distances. */
export function columnsFrom(): usize {
  return columns;
}

/** 128 bytes to 128 int16 at `to`; gives the sum of squares. */
function widen(from: usize, to: usize): i32 {
  let squares = i32x4.splat(0);
  for (let i: usize = 0; i < 128; i += 16) {
    const bytes = v128.load(from + i);
    const low = i16x8.extend_low_i8x16_u(bytes);
    const high = i16x8.extend_high_i8x16_u(bytes);
    v128.store(to + (i << 1), low);
    v128.store(to + (i << 1), high, 16);
    squares = i32x4.add(squares, i32x4.add(i32x4.dot_i16x8_s(low, low), i32x4.dot_i16x8_s(high, high)));
  }
  return (
    i32x4.extract_lane(squares, 0) +
    i32x4.extract_lane(squares, 1) +
    i32x4.extract_lane(squares, 2) +
    i32x4.extract_lane(squares, 3)
  );
}

/** Lane j of the result is the sum of the lanes of argument j. */
function sumsOf(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = i32x4.add(v128.shuffle<i32>(a, b, 0, 4, 1, 5), v128.shuffle<i32>(a, b, 2, 6, 3, 7));
  const cd = i32x4.add(v128.shuffle<i32>(c, d, 0, 4, 1, 5), v128.shuffle<i32>(c, d, 2, 6, 3, 7));
  return i32x4.add(v128.shuffle<i32>(ab, cd, 0, 1, 4, 5), v128.shuffle<i32>(ab, cd, 2, 3, 6, 7));
}

/** The descriptors lie `gap` bytes apart from `first` and `second` on. */
export function matchAll(first: usize, firstCount: i32, second: usize, secondCount: i32, gap: usize): void {
  const blocks = (secondCount + 3) >> 2;
  rows = allocate((<usize>firstCount) << 4);
  columns = allocate(<usize>blocks * 48);
  const wideRow = allocate(BYTES * 2);
  const wide = allocate(<usize>(blocks << 2) * (BYTES * 2));
  const norms = allocate((<usize>blocks) << 4);
  for (let j = 0; j < blocks << 2; j++) {
    const to = wide + <usize>j * (BYTES * 2);
    if (j >= secondCount) memory.fill(to, 0, BYTES * 2);
    store<i32>(norms + ((<usize>j) << 2), j < secondCount ? widen(second + <usize>j * gap, to) : FAR);
  }
  for (let block = 0; block < blocks; block++) {
    const at = columns + <usize>block * 48;
    v128.store(at, i32x4.splat(0));
    v128.store(at, i32x4.splat(FAR), 16);
    v128.store(at, i32x4.splat(FAR), 32);
  }
  for (let i = 0; i < firstCount; i++) {
    const norm = i32x4.splat(widen(first + <usize>i * gap, wideRow));
    const index = i32x4.splat(i);
    let best = i32x4.splat(FAR);
    let runnerUp = best;
    let bestAt = i32x4.splat(0);
    let lanes = i32x4(0, 1, 2, 3);
    for (let block = 0; block < blocks; block++) {
      const other = wide + <usize>block * (BYTES * 8);
      let a = i32x4.splat(0);
      let b = a;
      let c = a;
      let d = a;
      for (let k: usize = 0; k < <usize>(BYTES * 2); k += 16) {
        const value = v128.load(wideRow + k);
        a = i32x4.add(a, i32x4.dot_i16x8_s(value, v128.load(other + k)));
        b = i32x4.add(b, i32x4.dot_i16x8_s(value, v128.load(other + k, 256)));
        c = i32x4.add(c, i32x4.dot_i16x8_s(value, v128.load(other + k, 512)));
        d = i32x4.add(d, i32x4.dot_i16x8_s(value, v128.load(other + k, 768)));
      }
      const dots = sumsOf(a, b, c, d);
      const distance = i32x4.sub(i32x4.add(norm, v128.load(norms + ((<usize>block) << 4))), i32x4.add(dots, dots));
      let nearer = i32x4.lt_s(distance, best);
      runnerUp = i32x4.min_s(runnerUp, v128.bitselect(best, distance, nearer));
      bestAt = v128.bitselect(lanes, bestAt, nearer);
      best = i32x4.min_s(best, distance);
      lanes = i32x4.add(lanes, i32x4.splat(4));
      const column = columns + <usize>block * 48;
      const columnBest = v128.load(column, 16);
      nearer = i32x4.lt_s(distance, columnBest);
      v128.store(column, v128.bitselect(index, v128.load(column), nearer));
      v128.store(column, i32x4.min_s(columnBest, distance), 16);
      v128.store(column, i32x4.min_s(v128.load(column, 32), v128.bitselect(columnBest, distance, nearer)), 32);
    }
    reduceRow(rows + ((<usize>i) << 4), best, runnerUp, bestAt);
  }
}

/** The best of four lanes, the lower index where two are equal, and the second best of all eight values. */
function reduceRow(to: usize, best: v128, runnerUp: v128, bestAt: v128): void {
  let least = FAR;
  let leastAt = 0;
  let leastLane: usize = 0;
  const at = DESCRIPTOR;
  v128.store(at, best);
  v128.store(at, runnerUp, 16);
  v128.store(at, bestAt, 32);
  for (let lane: usize = 0; lane < 16; lane += 4) {
    const value = load<i32>(at + lane);
    const index = load<i32>(at + lane, 32);
    if (value < least || (value == least && index < leastAt)) {
      least = value;
      leastAt = index;
      leastLane = lane;
    }
  }
  let second = load<i32>(at + leastLane, 16);
  for (let lane: usize = 0; lane < 16; lane += 4) if (lane != leastLane) second = min(second, load<i32>(at + lane));
  store<i32>(to, leastAt);
  store<i32>(to, least, 4);
  store<i32>(to, second, 8);
}
