// Orientations and descriptors of the chosen candidates: Lowe 2004, sections 5 and 6; then RootSIFT, the square root of
// the L1-normalised descriptor (Arandjelovic and Zisserman 2012), in bytes.

import { CANDIDATE_BYTES } from './extrema';
import { ANGLES, CELLS, COLUMN_WEIGHTS, DESCRIPTOR, ORIENTATIONS, ROW_WEIGHTS } from './layout';
import { heightOf, levelOf, pixelsPerStep, strideOf, widthOf } from './pyramid';

const BINS: i32 = 36;
const SMOOTHED: usize = ORIENTATIONS + 40 * 4;
/** Window of the orientation in sigmas of the keypoint, cut at three of its own. */
const ORIENTATION_SIGMAS: f32 = 1.5;
/** Further peaks of at least this part of the highest get a keypoint of their own. */
const PEAK_PART: f32 = 0.8;
const MOST_ANGLES: i32 = 4;
/** Side of one of the 4 x 4 cells in sigmas of the keypoint. */
const CELL_SIGMAS: f32 = 3;
const MOST_RADIUS: i32 = 250;
/** No gradient may weigh more than this in the unit descriptor, so that glare does not decide. */
const CLIP: f32 = 0.2;
/** RootSIFT values are at most 1 and nearly all below a half. */
const QUANTISATION: f32 = 512;

/** A record: x, y, sigma (input pixels), angle in turns of 0 to 1 as float32, then 128 bytes. */
export const RECORD_BYTES: i32 = 144;

const TURN: f32 = 6.283185307179586;

/** Angle in turns, 0 to 1; arc tangent by Abramowitz and Stegun 4.4.47, off by 1e-5 radians at most. */
function turnsOf(y: f32, x: f32): f32 {
  const ax = abs(x);
  const ay = abs(y);
  const large = max(ax, ay);
  if (large == 0) return 0;
  const a = min(ax, ay) / large;
  const s = a * a;
  let r: f32 =
    a *
    (<f32>0.999866 + s * (<f32>-0.3302995 + s * (<f32>0.180141 + s * (<f32>-0.085133 + s * <f32>0.0208351)))) *
    (1 / TURN);
  if (ay > ax) r = <f32>0.25 - r;
  if (x < 0) r = <f32>0.5 - r;
  if (y < 0) r = <f32>1 - r;
  return r >= 1 ? 0 : r;
}

/** Weights exp(-(d - offset)^2 x falloff) for d from -radius to radius. */
function fillWeights(to: usize, radius: i32, offset: f32, falloff: f32): void {
  for (let d = -radius; d <= radius; d++) {
    const far = <f64>(<f32>d - offset);
    store<f32>(to + ((<usize>(d + radius)) << 2), <f32>Math.exp(-far * far * falloff));
  }
}

function findAngles(octave: i32, level: i32, x: f32, y: f32, sigma: f32): i32 {
  const stride = strideOf(octave);
  const image = levelOf(octave, level);
  const middleX = <i32>nearest(x);
  const middleY = <i32>nearest(y);
  const spread = ORIENTATION_SIGMAS * sigma;
  const radius = min(<i32>nearest(<f32>3 * spread), MOST_RADIUS);
  fillWeights(COLUMN_WEIGHTS, radius, x - <f32>middleX, <f32>0.5 / (spread * spread));
  fillWeights(ROW_WEIGHTS, radius, y - <f32>middleY, <f32>0.5 / (spread * spread));
  memory.fill(ORIENTATIONS, 0, 320);
  const left = max(middleX - radius, 1);
  const right = min(middleX + radius, widthOf(octave) - 2);
  const bottom = min(middleY + radius, heightOf(octave) - 2);
  for (let row = max(middleY - radius, 1); row <= bottom; row++) {
    const rowWeight = load<f32>(ROW_WEIGHTS + ((<usize>(row - middleY + radius)) << 2));
    for (let column = left; column <= right; column++) {
      const at = image + <usize>row * stride + ((<usize>column) << 2);
      const gx = load<f32>(at, 4) - load<f32>(at - 4);
      const gy = load<f32>(at + stride) - load<f32>(at - stride);
      const weight = rowWeight * load<f32>(COLUMN_WEIGHTS + ((<usize>(column - middleX + radius)) << 2));
      let bin = <i32>(turnsOf(gy, gx) * <f32>BINS + <f32>0.5);
      if (bin >= BINS) bin = 0;
      const slot = ORIENTATIONS + ((<usize>bin) << 2);
      store<f32>(slot, load<f32>(slot) + weight * sqrt(gx * gx + gy * gy));
    }
  }
  return peaks();
}

function bin(at: usize, index: i32): f32 {
  return load<f32>(at + ((<usize>((index + BINS) % BINS)) << 2));
}

/** Smooths the histogram and writes the angles of its peaks, the highest first. */
function peaks(): i32 {
  let highest: f32 = 0;
  for (let i = 0; i < BINS; i++) {
    const smooth =
      (bin(ORIENTATIONS, i - 2) + bin(ORIENTATIONS, i + 2)) * <f32>0.0625 +
      (bin(ORIENTATIONS, i - 1) + bin(ORIENTATIONS, i + 1)) * <f32>0.25 +
      bin(ORIENTATIONS, i) * <f32>0.375;
    store<f32>(SMOOTHED + ((<usize>i) << 2), smooth);
    highest = max(highest, smooth);
  }
  if (highest <= 0) return 0;
  let count = 0;
  // Twice through the bins: the highest peak first, since the weaker ones may not find room.
  for (let pass = 0; pass < 2; pass++) {
    for (let i = 0; i < BINS && count < MOST_ANGLES; i++) {
      const here = bin(SMOOTHED, i);
      const before = bin(SMOOTHED, i - 1);
      const after = bin(SMOOTHED, i + 1);
      if (here <= before || here < after || here < PEAK_PART * highest) continue;
      if ((here == highest) != (pass == 0)) continue;
      const offset = (<f32>0.5 * (before - after)) / (before - 2 * here + after);
      let turns = (<f32>i + offset) / <f32>BINS;
      if (turns < 0) turns += 1;
      if (turns >= 1) turns -= 1;
      store<f32>(ANGLES + ((<usize>count) << 2), turns);
      count++;
    }
  }
  return count;
}

function give(at: usize, weight: f32): void {
  store<f32>(at, load<f32>(at) + weight);
}

/** Gradients into 4 x 4 cells of 8 directions, each shared among its eight nearest bins. */
function gather(octave: i32, level: i32, x: f32, y: f32, sigma: f32, turns: f32): void {
  const stride = strideOf(octave);
  const image = levelOf(octave, level);
  const middleX = <i32>nearest(x);
  const middleY = <i32>nearest(y);
  const cell = CELL_SIGMAS * sigma;
  // Half the diagonal of 5 x 5 cells: 4 of the descriptor and half a one around it.
  const radius = min(<i32>Math.ceil(<f64>cell * 3.5356), MOST_RADIUS);
  const offsetX = x - <f32>middleX;
  const offsetY = y - <f32>middleY;
  // A Gaussian of half the descriptor's width: two cells.
  const falloff: f32 = <f32>0.5 / (4 * cell * cell);
  fillWeights(COLUMN_WEIGHTS, radius, offsetX, falloff);
  fillWeights(ROW_WEIGHTS, radius, offsetY, falloff);
  const cos = <f32>Math.cos(<f64>turns * <f64>TURN) / cell;
  const sin = <f32>Math.sin(<f64>turns * <f64>TURN) / cell;
  memory.fill(CELLS, 0, 6 * 6 * 8 * 4);
  const left = max(middleX - radius, 1);
  const right = min(middleX + radius, widthOf(octave) - 2);
  const bottom = min(middleY + radius, heightOf(octave) - 2);
  for (let row = max(middleY - radius, 1); row <= bottom; row++) {
    const dy = <f32>(row - middleY) - offsetY;
    const rowWeight = load<f32>(ROW_WEIGHTS + ((<usize>(row - middleY + radius)) << 2));
    for (let column = left; column <= right; column++) {
      const dx = <f32>(column - middleX) - offsetX;
      // 2.5: from the middle of the descriptor to the middle of the cell in its rim.
      const u = cos * dx + sin * dy + <f32>2.5;
      const v = cos * dy - sin * dx + <f32>2.5;
      if (!(u > 0 && u < 5 && v > 0 && v < 5)) continue;
      const at = image + <usize>row * stride + ((<usize>column) << 2);
      const gx = load<f32>(at, 4) - load<f32>(at - 4);
      const gy = load<f32>(at + stride) - load<f32>(at - stride);
      let direction = turnsOf(gy, gx) - turns;
      if (direction < 0) direction += 1;
      direction *= 8;
      const cellX = <i32>u;
      const cellY = <i32>v;
      const first = <i32>direction;
      const fu = u - <f32>cellX;
      const fv = v - <f32>cellY;
      const fd = direction - <f32>first;
      const near: usize = (<usize>(first & 7)) << 2;
      const next: usize = (<usize>((first + 1) & 7)) << 2;
      const weight =
        sqrt(gx * gx + gy * gy) * rowWeight * load<f32>(COLUMN_WEIGHTS + ((<usize>(column - middleX + radius)) << 2));
      const lower = weight * fv;
      const upper = weight - lower;
      const lowerRight = lower * fu;
      const upperRight = upper * fu;
      const base = CELLS + ((<usize>(cellY * 6 + cellX)) << 5);
      const upperLeft = upper - upperRight;
      const lowerLeft = lower - lowerRight;
      give(base + near, upperLeft - upperLeft * fd);
      give(base + next, upperLeft * fd);
      give(base + 32 + near, upperRight - upperRight * fd);
      give(base + 32 + next, upperRight * fd);
      give(base + 192 + near, lowerLeft - lowerLeft * fd);
      give(base + 192 + next, lowerLeft * fd);
      give(base + 224 + near, lowerRight - lowerRight * fd);
      give(base + 224 + next, lowerRight * fd);
    }
  }
}

/** The 16 inner cells as bytes at `to`; false where there is no gradient at all. */
function quantise(to: usize): bool {
  let squares: f32 = 0;
  for (let cell = 0; cell < 16; cell++) {
    const from = CELLS + ((<usize>(((cell >> 2) + 1) * 6 + (cell & 3) + 1)) << 5);
    for (let i: usize = 0; i < 32; i += 4) {
      const value = load<f32>(from + i);
      store<f32>(DESCRIPTOR + ((<usize>cell) << 5) + i, value);
      squares += value * value;
    }
  }
  if (!(squares > 0)) return false;
  const most = CLIP * sqrt(squares);
  let sum: f32 = 0;
  for (let i: usize = 0; i < 512; i += 4) {
    const value = min(load<f32>(DESCRIPTOR + i), most);
    store<f32>(DESCRIPTOR + i, value);
    sum += value;
  }
  for (let i: usize = 0; i < 128; i++) {
    const root = sqrt(load<f32>(DESCRIPTOR + (i << 2)) / sum);
    store<u8>(to + i, <u8>min(root * QUANTISATION + <f32>0.5, <f32>255));
  }
  return true;
}

/** Describes the candidates whose indices lie at `chosen` until `most` records are written; gives their count. */
export function describeChosen(candidates: usize, chosen: usize, count: i32, records: usize, most: i32): i32 {
  let written = 0;
  for (let i = 0; i < count && written < most; i++) {
    const from = candidates + <usize>(load<i32>(chosen + ((<usize>i) << 2)) * CANDIDATE_BYTES);
    const octave = load<i32>(from, 16);
    const level = load<i32>(from, 20);
    const x = load<f32>(from, 24);
    const y = load<f32>(from, 28);
    const sigma = load<f32>(from, 8) / pixelsPerStep(octave);
    const angles = findAngles(octave, level, x, y, sigma);
    for (let angle = 0; angle < angles && written < most; angle++) {
      const turns = load<f32>(ANGLES + ((<usize>angle) << 2));
      gather(octave, level, x, y, sigma, turns);
      const to = records + <usize>(written * RECORD_BYTES);
      if (!quantise(to + 16)) continue;
      memory.copy(to, from, 12);
      store<f32>(to, turns, 12);
      written++;
    }
  }
  return written;
}
