// Luma of four rows at a time: .299 R + .587 G + .114 B in float32, summed from the left as the reference does.
// The result is interleaved, lane r of vector x being row r, because the filter that follows runs along x.

import { LUMA_CONSTANTS } from './layout';

const WEIGHT_R: f32 = 0.299;
const WEIGHT_G: f32 = 0.587;
const WEIGHT_B: f32 = 0.114;

/** Writes four vectors, column after column, from four that hold a row each. */
function storeTransposed(to: usize, a: v128, b: v128, c: v128, d: v128): void {
  const abLow = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
  const abHigh = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
  const cdLow = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
  const cdHigh = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<f64>(abLow, cdLow, 0, 2));
  v128.store(to, v128.shuffle<f64>(abLow, cdLow, 1, 3), 16);
  v128.store(to, v128.shuffle<f64>(abHigh, cdHigh, 0, 2), 32);
  v128.store(to, v128.shuffle<f64>(abHigh, cdHigh, 1, 3), 48);
}

/**
 * Luma of four pixels that lie in 32 bits each, red in the low byte; the high byte is dropped. Green and blue stay where
 * they are, 256 and 65,536 times too large, and their weights are as much too small: powers of two round nothing.
 */
function lumaOfPixels(pixels: v128, maskR: v128, maskG: v128, maskB: v128, r: v128, g: v128, b: v128): v128 {
  const weightedR = f32x4.mul(r, f32x4.convert_i32x4_s(v128.and(pixels, maskR)));
  const weightedG = f32x4.mul(g, f32x4.convert_i32x4_s(v128.and(pixels, maskG)));
  const weightedB = f32x4.mul(b, f32x4.convert_i32x4_s(v128.and(pixels, maskB)));
  return f32x4.add(f32x4.add(weightedR, weightedG), weightedB);
}

/** Four grey pixels, weighted as if red, green and blue were that grey: the float32 roundings must be the same. */
function lumaOfGrey(from: usize, r: v128, g: v128, b: v128): v128 {
  const bytes = v128.load32_zero(from);
  const grey = f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(bytes)));
  return f32x4.add(f32x4.add(f32x4.mul(r, grey), f32x4.mul(g, grey)), f32x4.mul(b, grey));
}

/** Writes the constants of the loops below to memory: V8 would build each one anew, in each turn, from immediates. */
export function prepareLuma(): void {
  v128.store(LUMA_CONSTANTS, f32x4.splat(WEIGHT_R));
  v128.store(LUMA_CONSTANTS, f32x4.splat(WEIGHT_G), 16);
  v128.store(LUMA_CONSTANTS, f32x4.splat(WEIGHT_B), 32);
  v128.store(LUMA_CONSTANTS, f32x4.splat(WEIGHT_G / 256), 48);
  v128.store(LUMA_CONSTANTS, f32x4.splat(WEIGHT_B / 65536), 64);
  v128.store(LUMA_CONSTANTS, i32x4.splat(0xff), 80);
  v128.store(LUMA_CONSTANTS, i32x4.splat(0xff00), 96);
  v128.store(LUMA_CONSTANTS, i32x4.splat(0xff0000), 112);
  // Three bytes a pixel to four: an index out of range gives a zero byte.
  v128.store(LUMA_CONSTANTS, i8x16(0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1), 128);
}

/**
 * Rows at a, b, c and d, `width` pixels of `channels` bytes each, to interleaved luma at `to`.
 * Reads up to 16 bytes behind a row, and overwrites up to three vectors behind the last pixel: the caller clears them.
 */
export function lumaOfFourRows(a: usize, b: usize, c: usize, d: usize, width: i32, channels: i32, to: usize): void {
  const end = to + ((<usize>width) << 4);
  const weightR = v128.load(LUMA_CONSTANTS);
  if (channels == 1) {
    const weightG = v128.load(LUMA_CONSTANTS, 16);
    const weightB = v128.load(LUMA_CONSTANTS, 32);
    while (to < end) {
      storeTransposed(
        to,
        lumaOfGrey(a, weightR, weightG, weightB),
        lumaOfGrey(b, weightR, weightG, weightB),
        lumaOfGrey(c, weightR, weightG, weightB),
        lumaOfGrey(d, weightR, weightG, weightB),
      );
      a += 4;
      b += 4;
      c += 4;
      d += 4;
      to += 64;
    }
    return;
  }
  const weightG = v128.load(LUMA_CONSTANTS, 48);
  const weightB = v128.load(LUMA_CONSTANTS, 64);
  const maskR = v128.load(LUMA_CONSTANTS, 80);
  const maskG = v128.load(LUMA_CONSTANTS, 96);
  const maskB = v128.load(LUMA_CONSTANTS, 112);
  if (channels == 3) {
    const spread = v128.load(LUMA_CONSTANTS, 128);
    while (to < end) {
      storeTransposed(
        to,
        lumaOfPixels(i8x16.swizzle(v128.load(a), spread), maskR, maskG, maskB, weightR, weightG, weightB),
        lumaOfPixels(i8x16.swizzle(v128.load(b), spread), maskR, maskG, maskB, weightR, weightG, weightB),
        lumaOfPixels(i8x16.swizzle(v128.load(c), spread), maskR, maskG, maskB, weightR, weightG, weightB),
        lumaOfPixels(i8x16.swizzle(v128.load(d), spread), maskR, maskG, maskB, weightR, weightG, weightB),
      );
      a += 12;
      b += 12;
      c += 12;
      d += 12;
      to += 64;
    }
  } else {
    while (to < end) {
      storeTransposed(
        to,
        lumaOfPixels(v128.load(a), maskR, maskG, maskB, weightR, weightG, weightB),
        lumaOfPixels(v128.load(b), maskR, maskG, maskB, weightR, weightG, weightB),
        lumaOfPixels(v128.load(c), maskR, maskG, maskB, weightR, weightG, weightB),
        lumaOfPixels(v128.load(d), maskR, maskG, maskB, weightR, weightG, weightB),
      );
      a += 16;
      b += 16;
      c += 16;
      d += 16;
      to += 64;
    }
  }
}
