// Extrema of the difference of Gaussians over place and scale, fitted to a fraction of a pixel, with the tests of
// contrast and edges: Lowe 2004, sections 3.1, 4 and 4.1. Differences are formed row by row into a ring of three rows.

import { allocate, endOfArena, reserve } from './layout';
import { BASE_SIGMA, heightOf, INTERVALS, levelOf, octavesBuilt, pixelsPerStep, strideOf, widthOf } from './pyramid';

const DIFFERENCES: i32 = INTERVALS + 2;
/** No keypoint nearer to the border, in pixels of its octave. */
const BORDER: i32 = 5;
/** Ratio of principal curvatures above which it is an edge; Lowe's value. */
const EDGE_RATIO: f32 = 10;
const MOST_MOVES: i32 = 5;

/** A candidate: x, y, sigma (input pixels), response as float32; octave, level as int32; x, y in the octave as float32. */
export const CANDIDATE_BYTES: i32 = 32;

let candidates: usize = 0;
let candidateCount: i32 = 0;
let leastContrast: f32 = 0;

export function candidatesFrom(): usize {
  return candidates;
}

function difference(octave: i32, level: i32, stride: usize, x: i32, y: i32): f32 {
  const at = levelOf(octave, level) + <usize>y * stride + ((<usize>x) << 2);
  return load<f32>(at + <usize>heightOf(octave) * stride) - load<f32>(at);
}

function push(octave: i32, level: i32, x: f32, y: f32, offset: f32, response: f32): void {
  const at = candidates + <usize>(candidateCount * CANDIDATE_BYTES);
  reserve(at + CANDIDATE_BYTES);
  const step = pixelsPerStep(octave);
  const sigma = <f32>(BASE_SIGMA * 2 ** (<f64>(<f32>level + offset) / INTERVALS)) * step;
  store<f32>(at, x * step);
  store<f32>(at, y * step, 4);
  store<f32>(at, sigma, 8);
  store<f32>(at, response, 12);
  store<i32>(at, octave, 16);
  store<i32>(at, level, 20);
  store<f32>(at, x, 24);
  store<f32>(at, y, 28);
  candidateCount++;
}

/** Moves to the extremum of the quadratic through the 26 neighbours; drops what runs away, is weak or is an edge. */
function refine(octave: i32, startLevel: i32, startX: i32, startY: i32): void {
  const width = widthOf(octave);
  const height = heightOf(octave);
  const stride = strideOf(octave);
  let level = startLevel;
  let x = startX;
  let y = startY;
  for (let move = 0; move < MOST_MOVES; move++) {
    const v = difference(octave, level, stride, x, y);
    const left = difference(octave, level, stride, x - 1, y);
    const right = difference(octave, level, stride, x + 1, y);
    const up = difference(octave, level, stride, x, y - 1);
    const down = difference(octave, level, stride, x, y + 1);
    const finer = difference(octave, level - 1, stride, x, y);
    const coarser = difference(octave, level + 1, stride, x, y);
    const dx = (right - left) * 0.5;
    const dy = (down - up) * 0.5;
    const ds = (coarser - finer) * 0.5;
    const dxx = right + left - 2 * v;
    const dyy = down + up - 2 * v;
    const dss = coarser + finer - 2 * v;
    const dxy =
      (difference(octave, level, stride, x + 1, y + 1) -
        difference(octave, level, stride, x - 1, y + 1) -
        difference(octave, level, stride, x + 1, y - 1) +
        difference(octave, level, stride, x - 1, y - 1)) *
      0.25;
    const dxs =
      (difference(octave, level + 1, stride, x + 1, y) -
        difference(octave, level + 1, stride, x - 1, y) -
        difference(octave, level - 1, stride, x + 1, y) +
        difference(octave, level - 1, stride, x - 1, y)) *
      0.25;
    const dys =
      (difference(octave, level + 1, stride, x, y + 1) -
        difference(octave, level + 1, stride, x, y - 1) -
        difference(octave, level - 1, stride, x, y + 1) +
        difference(octave, level - 1, stride, x, y - 1)) *
      0.25;
    const c0 = dyy * dss - dys * dys;
    const c1 = dys * dxs - dxy * dss;
    const c2 = dxy * dys - dyy * dxs;
    const determinant = dxx * c0 + dxy * c1 + dxs * c2;
    if (determinant == 0) return;
    const scale: f32 = -1 / determinant;
    const ox = (c0 * dx + c1 * dy + c2 * ds) * scale;
    const oy = (c1 * dx + (dxx * dss - dxs * dxs) * dy + (dxy * dxs - dxx * dys) * ds) * scale;
    const os = (c2 * dx + (dxy * dxs - dxx * dys) * dy + (dxx * dyy - dxy * dxy) * ds) * scale;
    if (!(abs(ox) < 1e4 && abs(oy) < 1e4 && abs(os) < 1e4)) return;
    if (abs(ox) <= 0.5 && abs(oy) <= 0.5 && abs(os) <= 0.5) {
      const response = abs(v + 0.5 * (dx * ox + dy * oy + ds * os));
      if (response < leastContrast) return;
      const trace = dxx + dyy;
      const product = dxx * dyy - dxy * dxy;
      if (product <= 0 || trace * trace * EDGE_RATIO >= (EDGE_RATIO + 1) * (EDGE_RATIO + 1) * product) return;
      push(octave, level, <f32>x + ox, <f32>y + oy, os, response);
      return;
    }
    x += <i32>nearest(ox);
    y += <i32>nearest(oy);
    level += <i32>nearest(os);
    if (level < 1 || level > INTERVALS || x < BORDER || y < BORDER || x >= width - BORDER || y >= height - BORDER)
      return;
  }
}

function higher(a: v128, at: usize): v128 {
  return f32x4.pmax(a, v128.load(at));
}
function lower(a: v128, at: usize): v128 {
  return f32x4.pmin(a, v128.load(at));
}
function highestOf3(at: usize): v128 {
  return higher(higher(v128.load(at - 4), at), at + 4);
}
function lowestOf3(at: usize): v128 {
  return lower(lower(v128.load(at - 4), at), at + 4);
}

/** Lanes of the four pixels at `at` that are above, or below, all 26 neighbours. */
function extremumLanes(at: usize, above: usize, below: usize, layerBytes: usize, threshold: v128): i32 {
  const v = v128.load(at);
  if (!v128.any_true(f32x4.gt(f32x4.abs(v), threshold))) return 0;
  const high = f32x4.pmax(higher(v128.load(at - 4), at + 4), f32x4.pmax(highestOf3(above), highestOf3(below)));
  const low = f32x4.pmin(lower(v128.load(at - 4), at + 4), f32x4.pmin(lowestOf3(above), lowestOf3(below)));
  let isHigh = v128.and(f32x4.gt(v, high), f32x4.gt(v, threshold));
  let isLow = v128.and(f32x4.lt(v, low), f32x4.lt(v, f32x4.neg(threshold)));
  if (!v128.any_true(v128.or(isHigh, isLow))) return 0;
  for (let side = 0; side < 2; side++) {
    const shift: usize = side == 0 ? layerBytes : 0 - layerBytes;
    const most = f32x4.pmax(highestOf3(at + shift), f32x4.pmax(highestOf3(above + shift), highestOf3(below + shift)));
    const least = f32x4.pmin(lowestOf3(at + shift), f32x4.pmin(lowestOf3(above + shift), lowestOf3(below + shift)));
    isHigh = v128.and(isHigh, f32x4.gt(v, most));
    isLow = v128.and(isLow, f32x4.lt(v, least));
  }
  return i32x4.bitmask(v128.or(isHigh, isLow));
}

function formRow(octave: i32, y: i32, ring: usize, layerBytes: usize): void {
  const stride = strideOf(octave);
  const levelBytes = <usize>heightOf(octave) * stride;
  const slot = ring + <usize>(y % 3) * stride;
  for (let layer = 0; layer < DIFFERENCES; layer++) {
    const from = levelOf(octave, layer) + <usize>y * stride;
    const to = slot + <usize>layer * layerBytes;
    for (let x: usize = 0; x < stride; x += 16) {
      v128.store(to + x, f32x4.sub(v128.load(from + levelBytes + x), v128.load(from + x)));
    }
  }
}

function searchOctave(octave: i32, ring: usize): void {
  const width = widthOf(octave);
  const height = heightOf(octave);
  const stride = strideOf(octave);
  const layerBytes: usize = 3 * stride;
  const threshold = f32x4.splat(<f32>0.5 * leastContrast);
  for (let y = BORDER - 1; y < min(height, BORDER + 1); y++) formRow(octave, y, ring, layerBytes);
  for (let y = BORDER; y < height - BORDER; y++) {
    formRow(octave, y + 1, ring, layerBytes);
    for (let layer = 1; layer <= INTERVALS; layer++) {
      const base = ring + <usize>layer * layerBytes;
      const above = base + <usize>((y - 1) % 3) * stride;
      const here = base + <usize>(y % 3) * stride;
      const below = base + <usize>((y + 1) % 3) * stride;
      for (let x = BORDER; x < width - BORDER; x += 4) {
        const column = (<usize>x) << 2;
        const lanes = extremumLanes(here + column, above + column, below + column, layerBytes, threshold);
        if (lanes == 0) continue;
        for (let lane = 0; lane < 4; lane++) {
          if ((lanes >> lane) & 1 && x + lane < width - BORDER) refine(octave, layer, x + lane, y);
        }
      }
    }
  }
}

/** Finds all candidates; nothing may be allocated before they have been read. */
export function findExtrema(contrast: f32): i32 {
  leastContrast = contrast;
  candidateCount = 0;
  const ring = allocate(<usize>(3 * DIFFERENCES) * strideOf(0) + 64) + 64;
  candidates = endOfArena();
  for (let octave = 0; octave < octavesBuilt(); octave++) searchOctave(octave, ring);
  return candidateCount;
}
