// From the 64 x 64 block to quality and bits: DCT, median, threshold, in all eight orientations.

import { BLOCK16, BLOCK64, DCT, DCT_TRANSPOSED, HALF, TURNED } from './layout';

/** |trunc((u - v) * 100 / 255)|, four at a time. */
function gradients(u: v128, v: v128): v128 {
  const steps = f32x4.div(f32x4.mul(f32x4.sub(u, v), f32x4.splat(100)), f32x4.splat(255));
  return i32x4.abs(i32x4.trunc_sat_f32x4_s(steps));
}

export function qualityOfBlock(): i32 {
  let total = i32x4.splat(0);
  for (let at: usize = BLOCK64; at < BLOCK64 + 63 * 256; at += 16) {
    total = i32x4.add(total, gradients(v128.load(at), v128.load(at, 256)));
  }
  for (let line: usize = BLOCK64; line < BLOCK64 + 64 * 256; line += 256) {
    // 63 neighbours: fifteen vectors, and three lanes of the last one.
    for (let at = line; at < line + 240; at += 16) total = i32x4.add(total, gradients(v128.load(at), v128.load(at, 4)));
    const last = v128.load(line, 240);
    const next = v128.shuffle<f32>(last, last, 1, 2, 3, 3);
    total = i32x4.add(total, gradients(last, next));
  }
  const sum =
    i32x4.extract_lane(total, 0) +
    i32x4.extract_lane(total, 1) +
    i32x4.extract_lane(total, 2) +
    i32x4.extract_lane(total, 3);
  return min(100, sum / 90);
}

/** BLOCK16 = (D * BLOCK64) * D^T. Lanes are columns of the result, so that each sum runs over k in the reference's order. */
export function transform(): void {
  for (let i: usize = 0; i < 16; i++) {
    const frequency = DCT + (i << 8);
    for (let j: usize = 0; j < 256; j += 64) {
      let a = f32x4.splat(0);
      let b = f32x4.splat(0);
      let c = f32x4.splat(0);
      let d = f32x4.splat(0);
      let from = BLOCK64 + j;
      for (let k: usize = 0; k < 256; k += 4) {
        const cosine = v128.load32_splat(frequency + k);
        a = f32x4.add(a, f32x4.mul(cosine, v128.load(from)));
        b = f32x4.add(b, f32x4.mul(cosine, v128.load(from, 16)));
        c = f32x4.add(c, f32x4.mul(cosine, v128.load(from, 32)));
        d = f32x4.add(d, f32x4.mul(cosine, v128.load(from, 48)));
        from += 256;
      }
      const to = HALF + (i << 8) + j;
      v128.store(to, a);
      v128.store(to, b, 16);
      v128.store(to, c, 32);
      v128.store(to, d, 48);
    }
  }
  for (let i: usize = 0; i < 16; i++) {
    const line = HALF + (i << 8);
    let a = f32x4.splat(0);
    let b = f32x4.splat(0);
    let c = f32x4.splat(0);
    let d = f32x4.splat(0);
    let from = DCT_TRANSPOSED;
    for (let k: usize = 0; k < 256; k += 4) {
      const value = v128.load32_splat(line + k);
      a = f32x4.add(a, f32x4.mul(value, v128.load(from)));
      b = f32x4.add(b, f32x4.mul(value, v128.load(from, 16)));
      c = f32x4.add(c, f32x4.mul(value, v128.load(from, 32)));
      d = f32x4.add(d, f32x4.mul(value, v128.load(from, 48)));
      from += 64;
    }
    const to = BLOCK16 + (i << 6);
    v128.store(to, a);
    v128.store(to, b, 16);
    v128.store(to, c, 32);
    v128.store(to, d, 48);
  }
}

/**
 * The 128th smallest of the 256 values at TURNED, which is where Torben's method ends. Found bit by bit in the integers
 * that sort like the floats: a fixed number of steps, whatever the values are.
 */
function medianOfTurned(): f32 {
  let found: i32 = i32.MIN_VALUE;
  for (let bit = 31; bit >= 0; bit--) {
    // The largest number with fewer than 128 values below it, built from the top; wraps to the positive half first.
    const tried = found + ((<i32>1) << bit);
    const limit = i32x4.splat(tried);
    let below = i32x4.splat(0);
    for (let at: usize = TURNED; at < TURNED + 1024; at += 16) {
      const bits = v128.load(at);
      const key = v128.xor(bits, i32x4.shr_u(i32x4.shr_s(bits, 31), 1));
      below = i32x4.sub(below, i32x4.lt_s(key, limit));
    }
    const count =
      i32x4.extract_lane(below, 0) +
      i32x4.extract_lane(below, 1) +
      i32x4.extract_lane(below, 2) +
      i32x4.extract_lane(below, 3);
    if (count < 128) found = tried;
  }
  return reinterpret<f32>(found ^ ((found >> 31) >>> 1));
}

/** Bit k of the hash is set where value k is above the median; bytes are written last one first, as they are printed. */
function writeBits(to: usize, median: f32): void {
  const limit = f32x4.splat(median);
  for (let byte: usize = 0; byte < 32; byte++) {
    const from = TURNED + (byte << 5);
    const low = i32x4.bitmask(f32x4.gt(v128.load(from), limit));
    const high = i32x4.bitmask(f32x4.gt(v128.load(from, 16), limit));
    store<u8>(to + 31 - byte, low | (high << 4));
  }
}

/** TURNED = the block with the signs and the transposition of one orientation. */
function turn(transposed: bool, negateOddI: bool, negateOddJ: bool, negateAll: bool): void {
  for (let i: usize = 0; i < 16; i++) {
    for (let j: usize = 0; j < 16; j++) {
      const value = load<f32>(BLOCK16 + (i << 6) + (j << 2));
      const negative = negateAll != ((negateOddI && (i & 1) != 0) != (negateOddJ && (j & 1) != 0));
      store<f32>(TURNED + (transposed ? (j << 6) + (i << 2) : (i << 6) + (j << 2)), negative ? -value : value);
    }
  }
}

/** Eight hashes of 32 bytes: original, rot90, rot180, rot270, flipX, flipY, flipPlus1, flipMinus1. */
export function writeDihedral(to: usize): void {
  turn(false, false, false, false);
  let median = medianOfTurned();
  writeBits(to, median);
  // A transposition has the same values and so the same median.
  turn(true, false, false, false);
  writeBits(to + 6 * 32, median);

  turn(false, false, true, true);
  median = medianOfTurned();
  writeBits(to + 5 * 32, median);
  turn(true, false, true, true);
  writeBits(to + 1 * 32, median);

  turn(false, true, true, false);
  median = medianOfTurned();
  writeBits(to + 2 * 32, median);
  turn(true, true, true, false);
  writeBits(to + 7 * 32, median);

  turn(false, true, false, true);
  median = medianOfTurned();
  writeBits(to + 4 * 32, median);
  turn(true, true, false, true);
  writeBits(to + 3 * 32, median);
}
