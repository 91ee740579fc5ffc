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

interface Taps {
  /** First source index of each output, already kept inside the source by `sources`. */
  readonly perOutput: number;
  /** perOutput source indices for each output. */
  readonly sources: Int32Array;
  readonly weights: Float32Array;
}

/** Weights of one side: output `i` is the sum of perOutput sources, which add up to 1. */
function tapsOf(filter: Filter, from: number, extent: number, sourceLength: number, outputLength: number): Taps {
  const { radius, weight } = KERNELS[filter];
  const scale = extent / outputLength;
  const stretch = Math.max(scale, 1);
  const reach = radius * stretch;
  const perOutput = Math.ceil(2 * reach) + 1;
  const sources = new Int32Array(outputLength * perOutput);
  const weights = new Float32Array(outputLength * perOutput);
  for (let i = 0; i < outputLength; i++) {
    const centre = from + (i + 0.5) * scale;
    const first = Math.floor(centre - reach);
    let sum = 0;
    for (let t = 0; t < perOutput; t++) {
      const source = first + t;
      // A box counts a pixel by how much of it lies inside; every other kernel is sampled at the pixel's centre.
      const value =
        filter === 'area'
          ? Math.max(0, Math.min(source + 1, centre + reach) - Math.max(source, centre - reach))
          : weight((source + 0.5 - centre) / stretch);
      sources[i * perOutput + t] = Math.min(Math.max(source, 0), sourceLength - 1);
      weights[i * perOutput + t] = value;
      sum += value;
    }
    for (let t = 0; t < perOutput; t++) {
      const at = i * perOutput + t;
      weights[at] = (weights[at] ?? 0) / sum;
    }
  }
  return { perOutput, sources, weights };
}

/**
 * A region of the picture at the size asked for, each side by its own scale. Reducing averages (no aliasing); enlarging interpolates.
 * The coarse part of a reduction comes from the pyramid.
 */
export function resample(
  pyramid: Pyramid,
  region: Region,
  widthPixels: number,
  heightPixels: number,
  filter: Filter,
): FloatRaster {
  const reduction = Math.min(region.width / widthPixels, region.height / heightPixels);
  const { pixels, widthPixels: w, heightPixels: h, factor } = pyramid.forReduction(reduction);
  const across = tapsOf(filter, region.x / factor, region.width / factor, w, widthPixels);
  const down = tapsOf(filter, region.y / factor, region.height / factor, h, heightPixels);
  return separable(pixels, w, across, down, widthPixels, heightPixels);
}

/** A float raster at another size, the whole of it. */
export function resampleFloats(
  source: FloatRaster,
  widthPixels: number,
  heightPixels: number,
  filter: Filter,
): FloatRaster {
  const across = tapsOf(filter, 0, source.widthPixels, source.widthPixels, widthPixels);
  const down = tapsOf(filter, 0, source.heightPixels, source.heightPixels, heightPixels);
  return separable(source.values, source.widthPixels, across, down, widthPixels, heightPixels);
}

function separable(
  source: Uint8Array | Float32Array,
  sourceWidth: number,
  across: Taps,
  down: Taps,
  widthPixels: number,
  heightPixels: number,
): FloatRaster {
  const rowLength = widthPixels * 3;
  // Rows already reduced across, kept as long as a later output row may need them again.
  const rows = new Map<number, Float32Array>();
  const values = new Float32Array(heightPixels * rowLength);
  for (let y = 0; y < heightPixels; y++) {
    const first = down.sources[y * down.perOutput] ?? 0;
    for (const row of rows.keys()) if (row < first) rows.delete(row);
    const target = values.subarray(y * rowLength, (y + 1) * rowLength);
    for (let t = 0; t < down.perOutput; t++) {
      const weight = down.weights[y * down.perOutput + t] ?? 0;
      if (weight === 0) continue;
      const sourceRow = down.sources[y * down.perOutput + t] ?? 0;
      let row = rows.get(sourceRow);
      if (row === undefined) {
        row = acrossRow(source, sourceRow * sourceWidth * 3, across, widthPixels);
        rows.set(sourceRow, row);
      }
      for (let i = 0; i < rowLength; i++) target[i] = (target[i] ?? 0) + weight * (row[i] ?? 0);
    }
  }
  return { values, widthPixels, heightPixels };
}

function acrossRow(source: Uint8Array | Float32Array, rowStart: number, taps: Taps, widthPixels: number): Float32Array {
  const { perOutput, sources, weights } = taps;
  const row = new Float32Array(widthPixels * 3);
  for (let x = 0, tap = 0; x < widthPixels; x++) {
    let red = 0;
    let green = 0;
    let blue = 0;
    for (let t = 0; t < perOutput; t++, tap++) {
      const weight = weights[tap] ?? 0;
      const at = rowStart + (sources[tap] ?? 0) * 3;
      red += weight * (source[at] ?? 0);
      green += weight * (source[at + 1] ?? 0);
      blue += weight * (source[at + 2] ?? 0);
    }
    row[x * 3] = red;
    row[x * 3 + 1] = green;
    row[x * 3 + 2] = blue;
  }
  return row;
}
