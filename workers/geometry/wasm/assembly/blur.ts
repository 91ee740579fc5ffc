// Separable Gaussian blur of float32 rows whose stride is a multiple of 64 bytes: for each row first down the columns
// into one row that stays in the first-level cache, then along it. Borders repeat the outermost pixel.

import { ROWS, TAPS } from './layout';

/** A kernel ends at this many standard deviations; what is cut off weighs less than 0.03 %. */
const REACH: f64 = 3.6;
const MOST_RADIUS: i32 = 24;
/** Floats before the first pixel of the row between the two passes. */
export const MARGIN: i32 = 32;

function setUpTaps(sigma: f64): i32 {
  const radius = min(<i32>Math.ceil(sigma * REACH), MOST_RADIUS);
  let sum: f64 = 1;
  for (let i = 1; i <= radius; i++) sum += 2 * Math.exp((-0.5 * i * i) / (sigma * sigma));
  for (let i = 0; i <= radius; i++) {
    store<f32>(TAPS + ((<usize>i) << 2), <f32>(Math.exp((-0.5 * i * i) / (sigma * sigma)) / sum));
  }
  return radius;
}

/** `line` has MARGIN floats before its first pixel and at least as many behind the last. */
export function blur(from: usize, to: usize, width: i32, height: i32, stride: usize, sigma: f64, line: usize): void {
  const radius = setUpTaps(sigma);
  const end = line + stride;
  for (let y = 0; y < height; y++) {
    for (let i = 1; i <= radius; i++) {
      store<usize>(ROWS + ((<usize>i) << 3), from + <usize>max(y - i, 0) * stride);
      store<usize>(ROWS + ((<usize>i) << 3) + 4, from + <usize>min(y + i, height - 1) * stride);
    }
    const middle = from + <usize>y * stride;
    for (let x: usize = 0; x < stride; x += 64) {
      let tap = v128.load32_splat(TAPS);
      let a = f32x4.mul(v128.load(middle + x), tap);
      let b = f32x4.mul(v128.load(middle + x, 16), tap);
      let c = f32x4.mul(v128.load(middle + x, 32), tap);
      let d = f32x4.mul(v128.load(middle + x, 48), tap);
      for (let i = 1; i <= radius; i++) {
        tap = v128.load32_splat(TAPS + ((<usize>i) << 2));
        const up = load<usize>(ROWS + ((<usize>i) << 3)) + x;
        const down = load<usize>(ROWS + ((<usize>i) << 3) + 4) + x;
        a = f32x4.add(a, f32x4.mul(f32x4.add(v128.load(up), v128.load(down)), tap));
        b = f32x4.add(b, f32x4.mul(f32x4.add(v128.load(up, 16), v128.load(down, 16)), tap));
        c = f32x4.add(c, f32x4.mul(f32x4.add(v128.load(up, 32), v128.load(down, 32)), tap));
        d = f32x4.add(d, f32x4.mul(f32x4.add(v128.load(up, 48), v128.load(down, 48)), tap));
      }
      v128.store(line + x, a);
      v128.store(line + x, b, 16);
      v128.store(line + x, c, 32);
      v128.store(line + x, d, 48);
    }
    const first = load<f32>(line);
    const last = load<f32>(line + ((<usize>(width - 1)) << 2));
    for (let i = 1; i <= radius; i++) {
      store<f32>(line - ((<usize>i) << 2), first);
      store<f32>(line + ((<usize>(width - 1 + i)) << 2), last);
    }
    const out = to + <usize>y * stride;
    for (let at = line; at < end; at += 64) {
      let tap = v128.load32_splat(TAPS);
      let a = f32x4.mul(v128.load(at), tap);
      let b = f32x4.mul(v128.load(at, 16), tap);
      let c = f32x4.mul(v128.load(at, 32), tap);
      let d = f32x4.mul(v128.load(at, 48), tap);
      for (let i = 1; i <= radius; i++) {
        tap = v128.load32_splat(TAPS + ((<usize>i) << 2));
        const left = at - ((<usize>i) << 2);
        const right = at + ((<usize>i) << 2);
        a = f32x4.add(a, f32x4.mul(f32x4.add(v128.load(left), v128.load(right)), tap));
        b = f32x4.add(b, f32x4.mul(f32x4.add(v128.load(left, 16), v128.load(right, 16)), tap));
        c = f32x4.add(c, f32x4.mul(f32x4.add(v128.load(left, 32), v128.load(right, 32)), tap));
        d = f32x4.add(d, f32x4.mul(f32x4.add(v128.load(left, 48), v128.load(right, 48)), tap));
      }
      const target = out + (at - line);
      v128.store(target, a);
      v128.store(target, b, 16);
      v128.store(target, c, 32);
      v128.store(target, d, 48);
    }
  }
}
