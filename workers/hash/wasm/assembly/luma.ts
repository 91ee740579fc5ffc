// Luma of four rows at a time: .299 R + .587 G + .114 B in float32, summed from the left as the reference does.
// The result is interleaved, lane r of vector x being row r, because the filter that follows runs along x.

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

/** Four pixels of three bytes. The swizzle spreads each channel over 32-bit lanes; index 128 gives a zero byte. */
function luma3(from: usize): v128 {
  const pixels = v128.load(from);
  const r = i8x16.swizzle(pixels, i8x16(0, -128, -128, -128, 3, -128, -128, -128, 6, -128, -128, -128, 9, -128, -128, -128));
  const g = i8x16.swizzle(pixels, i8x16(1, -128, -128, -128, 4, -128, -128, -128, 7, -128, -128, -128, 10, -128, -128, -128));
  const b = i8x16.swizzle(pixels, i8x16(2, -128, -128, -128, 5, -128, -128, -128, 8, -128, -128, -128, 11, -128, -128, -128));
  const weightedR = f32x4.mul(f32x4.splat(WEIGHT_R), f32x4.convert_i32x4_s(r));
  const weightedG = f32x4.mul(f32x4.splat(WEIGHT_G), f32x4.convert_i32x4_s(g));
  const weightedB = f32x4.mul(f32x4.splat(WEIGHT_B), f32x4.convert_i32x4_s(b));
  return f32x4.add(f32x4.add(weightedR, weightedG), weightedB);
}

/** Four pixels of four bytes, of which the last one, alpha, is dropped. */
function luma4(from: usize): v128 {
  const pixels = v128.load(from);
  const low = i32x4.splat(255);
  const r = v128.and(pixels, low);
  const g = v128.and(i32x4.shr_u(pixels, 8), low);
  const b = v128.and(i32x4.shr_u(pixels, 16), low);
  const weightedR = f32x4.mul(f32x4.splat(WEIGHT_R), f32x4.convert_i32x4_s(r));
  const weightedG = f32x4.mul(f32x4.splat(WEIGHT_G), f32x4.convert_i32x4_s(g));
  const weightedB = f32x4.mul(f32x4.splat(WEIGHT_B), f32x4.convert_i32x4_s(b));
  return f32x4.add(f32x4.add(weightedR, weightedG), weightedB);
}

/** Four grey pixels, weighted as if red, green and blue were that grey: the float32 roundings must be the same. */
function luma1(from: usize): v128 {
  const bytes = v128.load32_zero(from);
  const grey = f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(bytes)));
  const weightedR = f32x4.mul(f32x4.splat(WEIGHT_R), grey);
  const weightedG = f32x4.mul(f32x4.splat(WEIGHT_G), grey);
  const weightedB = f32x4.mul(f32x4.splat(WEIGHT_B), grey);
  return f32x4.add(f32x4.add(weightedR, weightedG), weightedB);
}

/**
 * Rows at a, b, c and d, `width` pixels of `channels` bytes each, to interleaved luma at `to`.
 * Up to three vectors behind the last pixel are overwritten and have to be cleared by the caller.
 */
export function lumaOfFourRows(a: usize, b: usize, c: usize, d: usize, width: i32, channels: i32, to: usize): void {
  const end = to + ((<usize>width) << 4);
  if (channels == 3) {
    while (to < end) {
      storeTransposed(to, luma3(a), luma3(b), luma3(c), luma3(d));
      a += 12;
      b += 12;
      c += 12;
      d += 12;
      to += 64;
    }
  } else if (channels == 4) {
    while (to < end) {
      storeTransposed(to, luma4(a), luma4(b), luma4(c), luma4(d));
      a += 16;
      b += 16;
      c += 16;
      d += 16;
      to += 64;
    }
  } else {
    while (to < end) {
      storeTransposed(to, luma1(a), luma1(b), luma1(c), luma1(d));
      a += 4;
      b += 4;
      c += 4;
      d += 4;
      to += 64;
    }
  }
}
