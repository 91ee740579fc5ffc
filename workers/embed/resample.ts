import type { PackInput } from '../../schemas/model-pack.ts';
import type { Pyramid } from './pyramid.ts';

export type Filter = PackInput['filter'];

/** Part of the upright picture in its pixels, origin at the outer corner; may have fractions, and reach beyond the picture, where the edge goes on. */
export interface Region {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** RGB as floats of 0 to 255 (a bicubic or Lanczos filter may overshoot), rows from the top. */
export interface FloatRaster {
  readonly values: Float32Array;
  readonly widthPixels: number;
  readonly heightPixels: number;
}

const sinc = (x: number) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

/** Kernels over the distance in output pixels when reducing and in input pixels when enlarging, as in PIL and libvips. */
const KERNELS: Readonly<Record<Filter, { readonly radius: number; readonly weight: (distance: number) => number }>> = {
  area: { radius: 0.5, weight: () => 1 },
  bilinear: { radius: 1, weight: (d) => Math.max(0, 1 - Math.abs(d)) },
  // Keys 1981 with a = -0.5.
  bicubic: {
    radius: 2,
    weight: (d) => {
      const x = Math.abs(d);
      if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
      return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
    },
  },
  lanczos3: { radius: 3, weight: (d) => (Math.abs(d) < 3 ? sinc(d) * sinc(d / 3) : 0) },
};

/** Of one side: output `i` is the sum of `perOutput` sources from `firsts[i]` on, with weights that add up to 1. */
interface Taps {
  readonly perOutput: number;
  readonly firsts: Int32Array;
  readonly weights: Float32Array;
}

function tapsOf(filter: Filter, from: number, extent: number, sourceLength: number, outputLength: number): Taps {
  const { radius, weight } = KERNELS[filter];
  const scale = extent / outputLength;
  const stretch = Math.max(scale, 1);
  const reach = radius * stretch;
  // A kernel that is sampled covers no more pixels than it is wide; a box cuts one more.
  const width = Math.ceil(2 * reach) + (filter === 'area' ? 1 : 0);
  const perOutput = Math.min(sourceLength, width);
  const firsts = new Int32Array(outputLength);
  const weights = new Float32Array(outputLength * perOutput);
  const last = sourceLength - 1;
  for (let i = 0; i < outputLength; i++) {
    const centre = from + (i + 0.5) * scale;
    // A box counts a pixel by how much of it lies inside; every other kernel is sampled at the pixel's centre.
    const weightOf = (source: number) =>
      filter === 'area'
        ? Math.max(0, Math.min(source + 1, centre + reach) - Math.max(source, centre - reach))
        : weight((source + 0.5 - centre) / stretch);
    const begin = filter === 'area' ? Math.floor(centre - reach) : Math.floor(centre - reach - 0.5) + 1;
    const first = Math.min(Math.max(begin, 0), sourceLength - perOutput);
    firsts[i] = first;
    let sum = 0;
    for (let source = begin; source < begin + width; source++) {
      const value = weightOf(source);
      // Beyond the picture its edge goes on.
      const at = i * perOutput + Math.min(Math.max(source, 0), last) - first;
      weights[at] = (weights[at] ?? 0) + value;
      sum += value;
    }
    for (let at = i * perOutput; at < (i + 1) * perOutput; at++) weights[at] = (weights[at] ?? 0) / sum;
  }
  return { perOutput, firsts, weights };
}

/** Takes one finished row of RGB floats; the array is used again for the next one. */
export type RowSink = (row: Float32Array, y: number) => void;

/**
 * A region of the picture at the size asked for, row by row, each side by its own scale. Reducing averages (no aliasing); enlarging interpolates.
 * The coarse part of a reduction comes from the pyramid.
 */
export function resampleRows(
  pyramid: Pyramid,
  region: Region,
  widthPixels: number,
  heightPixels: number,
  filter: Filter,
  sink: RowSink,
): void {
  const reduction = Math.min(region.width / widthPixels, region.height / heightPixels);
  const { pixels, widthPixels: w, heightPixels: h, factor } = pyramid.forReduction(reduction);
  const across = tapsOf(filter, region.x / factor, region.width / factor, w, widthPixels);
  const down = tapsOf(filter, region.y / factor, region.height / factor, h, heightPixels);
  separable(w, across, down, sink, addByteRows(pixels));
}

/** As resampleRows, all rows at once. */
export function resample(
  pyramid: Pyramid,
  region: Region,
  widthPixels: number,
  heightPixels: number,
  filter: Filter,
): FloatRaster {
  const values = new Float32Array(widthPixels * heightPixels * 3);
  resampleRows(pyramid, region, widthPixels, heightPixels, filter, (row, y) => values.set(row, y * row.length));
  return { values, widthPixels, heightPixels };
}

/** A float raster at another size, the whole of it, row by row. */
export function resampleFloatRows(
  { values, widthPixels: w, heightPixels: h }: FloatRaster,
  widthPixels: number,
  heightPixels: number,
  filter: Filter,
  sink: RowSink,
): void {
  const across = tapsOf(filter, 0, w, w, widthPixels);
  const down = tapsOf(filter, 0, h, h, heightPixels);
  separable(w, across, down, sink, addFloatRows(values));
}

/** Adds two weighted rows that follow each other, the first of which begins at `at`, leaving out the first `from` values; the second may be of weight 0. */
type RowAdder = (into: Float32Array, at: number, below: number, from: number, upper: number, lower: number) => void;

/** Down first: the long loops go over whole rows, and the short ones of each pixel over the rows that are left. */
function separable(sourceWidth: number, across: Taps, down: Taps, sink: RowSink, addRows: RowAdder): void {
  const { perOutput, firsts, weights } = down;
  const rowLength = sourceWidth * 3;
  const from = (across.firsts[0] ?? 0) * 3;
  const column = new Float32Array(((across.firsts.at(-1) ?? 0) + across.perOutput) * 3);
  const row = new Float32Array(across.firsts.length * 3);
  for (let y = 0; y < firsts.length; y++) {
    column.fill(0);
    for (let tap = 0; tap < perOutput; tap += 2) {
      const upper = weights[y * perOutput + tap] ?? 0;
      const lower = tap + 1 < perOutput ? (weights[y * perOutput + tap + 1] ?? 0) : 0;
      const at = ((firsts[y] ?? 0) + tap) * rowLength;
      if (upper !== 0 || lower !== 0) addRows(column, at, lower === 0 ? 0 : rowLength, from, upper, lower);
    }
    reduceAcross(column, across, row);
    sink(row, y);
  }
}

// The same for bytes and for floats: one function for both would be compiled for neither, and take twice the time.
const addByteRows =
  (source: Uint8Array): RowAdder =>
  (into, at, below, from, upper, lower) => {
    for (let i = from, o = at + from; i < into.length; i++, o++)
      into[i] = (into[i] ?? 0) + upper * (source[o] ?? 0) + lower * (source[o + below] ?? 0);
  };
const addFloatRows =
  (source: Float32Array): RowAdder =>
  (into, at, below, from, upper, lower) => {
    for (let i = from, o = at + from; i < into.length; i++, o++)
      into[i] = (into[i] ?? 0) + upper * (source[o] ?? 0) + lower * (source[o + below] ?? 0);
  };

function reduceAcross(source: Float32Array, { perOutput, firsts, weights }: Taps, into: Float32Array): void {
  for (let x = 0, tap = 0, to = 0; x < firsts.length; x++, to += 3) {
    let red = 0;
    let green = 0;
    let blue = 0;
    for (let t = 0, at = (firsts[x] ?? 0) * 3; t < perOutput; t++, tap++, at += 3) {
      const weight = weights[tap] ?? 0;
      red += weight * (source[at] ?? 0);
      green += weight * (source[at + 1] ?? 0);
      blue += weight * (source[at + 2] ?? 0);
    }
    into[to] = red;
    into[to + 1] = green;
    into[to + 2] = blue;
  }
}
