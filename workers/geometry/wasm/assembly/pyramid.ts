// The scale space of Lowe 2004, sections 3 and 3.2: octaves of six Gaussian levels, three intervals to the octave, the
// first level at sigma 1.6. All octaves stay in memory, since orientations and descriptors are read from them later.

import { blur, MARGIN } from './blur';
import { allocate, OCTAVES } from './layout';

export const INTERVALS: i32 = 3;
const LEVELS: i32 = INTERVALS + 3;
export const BASE_SIGMA: f64 = 1.6;
/** What a camera's picture is blurred by already. */
const INPUT_SIGMA: f64 = 0.5;
/** An octave smaller than this has no room for a keypoint and its window. */
const LEAST_SIDE: i32 = 16;
const MOST_OCTAVES: i32 = 12;

let octaveCount: i32 = 0;
let doubled: bool = false;

export function octavesBuilt(): i32 {
  return octaveCount;
}
/** Pixels of the input that one pixel of the octave's grid stands for. */
export function pixelsPerStep(octave: i32): f32 {
  return <f32>(doubled ? 0.5 : 1) * <f32>(1 << octave);
}
export function widthOf(octave: i32): i32 {
  return load<i32>(OCTAVES + ((<usize>octave) << 4));
}
export function heightOf(octave: i32): i32 {
  return load<i32>(OCTAVES + ((<usize>octave) << 4), 4);
}
export function strideOf(octave: i32): usize {
  return load<usize>(OCTAVES + ((<usize>octave) << 4), 8);
}
export function levelOf(octave: i32, level: i32): usize {
  return load<usize>(OCTAVES + ((<usize>octave) << 4), 12) + <usize>(level * heightOf(octave)) * strideOf(octave);
}

function addOctave(width: i32, height: i32): void {
  const at = OCTAVES + ((<usize>octaveCount) << 4);
  const stride = (((<usize>width) << 2) + 63) & ~63;
  store<i32>(at, width);
  store<i32>(at, height, 4);
  store<usize>(at, stride, 8);
  store<usize>(at, allocate(<usize>(LEVELS * height) * stride), 12);
  octaveCount++;
}

/** 8-bit luma to 0..1; with doubling, even places keep the pixels and odd ones lie half-way between them. */
function fillBase(luma: usize, width: i32, height: i32, to: usize, stride: usize): void {
  const scale: f32 = 1 / 255.0;
  if (!doubled) {
    for (let y = 0; y < height; y++) {
      const row = to + <usize>y * stride;
      for (let x = 0; x < width; x++) {
        store<f32>(row + ((<usize>x) << 2), <f32>load<u8>(luma + <usize>(y * width + x)) * scale);
      }
    }
    return;
  }
  for (let y = 0; y < 2 * height; y++) {
    const above = luma + <usize>((y >> 1) * width);
    const below = luma + <usize>(min((y + 1) >> 1, height - 1) * width);
    const row = to + <usize>y * stride;
    for (let x = 0; x < width; x++) {
      const next = min(x + 1, width - 1);
      const here = <i32>load<u8>(above + x) + <i32>load<u8>(below + x);
      const beside = <i32>load<u8>(above + next) + <i32>load<u8>(below + next);
      store<f32>(row + ((<usize>x) << 3), <f32>here * (0.5 * scale));
      store<f32>(row + ((<usize>x) << 3), <f32>(here + beside) * (0.25 * scale), 4);
    }
  }
}

function halve(from: usize, fromStride: usize, to: usize, width: i32, height: i32, stride: usize): void {
  for (let y = 0; y < height; y++) {
    const source = from + <usize>(2 * y) * fromStride;
    const row = to + <usize>y * stride;
    for (let x = 0; x < width; x++) store<f32>(row + ((<usize>x) << 2), load<f32>(source + ((<usize>x) << 3)));
  }
}

export function buildPyramid(luma: usize, lumaWidth: i32, lumaHeight: i32, doubling: bool): void {
  doubled = doubling;
  octaveCount = 0;
  let width = doubling ? 2 * lumaWidth : lumaWidth;
  let height = doubling ? 2 * lumaHeight : lumaHeight;
  const stride = (((<usize>width) << 2) + 63) & ~63;
  const line = allocate(stride + <usize>(MARGIN << 3)) + ((<usize>MARGIN) << 2);
  while (octaveCount == 0 || (octaveCount < MOST_OCTAVES && min(width, height) >= LEAST_SIDE)) {
    addOctave(width, height);
    width >>= 1;
    height >>= 1;
  }
  // The picture itself is put where the second level will be, and blurred from there into the first.
  fillBase(luma, lumaWidth, lumaHeight, levelOf(0, 1), stride);
  const had = doubling ? 2 * INPUT_SIGMA : INPUT_SIGMA;
  const step = 2 ** (1 / <f64>INTERVALS);
  for (let octave = 0; octave < octaveCount; octave++) {
    const octaveWidth = widthOf(octave);
    const octaveHeight = heightOf(octave);
    const octaveStride = strideOf(octave);
    if (octave == 0) {
      const missing = Math.sqrt(BASE_SIGMA * BASE_SIGMA - had * had);
      blur(levelOf(0, 1), levelOf(0, 0), octaveWidth, octaveHeight, octaveStride, missing, line);
    } else {
      const source = levelOf(octave - 1, INTERVALS);
      halve(source, strideOf(octave - 1), levelOf(octave, 0), octaveWidth, octaveHeight, octaveStride);
    }
    let sigma = BASE_SIGMA;
    for (let level = 1; level < LEVELS; level++) {
      const missing = sigma * Math.sqrt(step * step - 1);
      blur(levelOf(octave, level - 1), levelOf(octave, level), octaveWidth, octaveHeight, octaveStride, missing, line);
      sigma *= step;
    }
  }
}
