import type { PackInput } from '../../schemas/model-pack.ts';
import type { Pyramid } from './pyramid.ts';
import { type Region, resample, resampleFloatRows, resampleRows } from './resample.ts';
import { type Similarity, warpRows } from './similarity.ts';

/** Where a place of the input tensor lies in the picture: picture = input x scale + offset. */
export interface Placement {
  readonly scaleX: number;
  readonly scaleY: number;
  readonly offsetX: number;
  readonly offsetY: number;
}

export const tensorLength = (input: PackInput): number => input.widthPixels * input.heightPixels * 3;

/**
 * Writes a region of the picture into a tensor as the manifest says.
 * @param target takes tensorLength(input) values from `at` on
 */
export function writeRegion(
  pyramid: Pyramid,
  region: Region,
  input: PackInput,
  target: Float32Array,
  at: number,
): Placement {
  const { widthPixels: width, heightPixels: height } = input;
  const writer = new TensorWriter(input, target, at);
  switch (input.resize) {
    case 'stretch':
      writeFiltered(pyramid, region, width, height, input, writer);
      return placementOf(region, width, height);
    case 'centreCrop': {
      const crop = centreOf(region, input);
      writeFiltered(pyramid, crop, width, height, input, writer);
      return placementOf(crop, width, height);
    }
    case 'letterbox': {
      const scale = Math.max(region.width / width, region.height / height);
      const across = Math.min(width, Math.max(1, Math.round(region.width / scale)));
      const down = Math.min(height, Math.max(1, Math.round(region.height / scale)));
      // The picture in the upper left corner, as the detectors' own pre-processing puts it.
      if (across < width || down < height) writer.blacken();
      writeFiltered(pyramid, region, across, down, input, writer);
      return placementOf(region, across, down);
    }
  }
}

const placementOf = (region: Region, width: number, height: number): Placement => ({
  scaleX: region.width / width,
  scaleY: region.height / height,
  offsetX: region.x,
  offsetY: region.y,
});

/** The middle that is cut out after the shorter side was brought to `cropFromSidePixels`, in pixels of the picture. */
function centreOf(region: Region, { widthPixels, heightPixels, cropFromSidePixels }: PackInput): Region {
  const shorter = cropFromSidePixels ?? Math.min(widthPixels, heightPixels);
  const scale = Math.min(region.width, region.height) / shorter;
  const width = Math.min(region.width, widthPixels * scale);
  const height = Math.min(region.height, heightPixels * scale);
  return { x: region.x + (region.width - width) / 2, y: region.y + (region.height - height) / 2, width, height };
}

/** The low-pass keeps what an edit leaves: by the same share on both sides, so that a net sees the picture's own proportions. */
function writeFiltered(
  pyramid: Pyramid,
  region: Region,
  width: number,
  height: number,
  input: PackInput,
  writer: TensorWriter,
): void {
  const { filter, lowPassSidePixels: side } = input;
  const sink = (row: Float32Array, y: number) => writer.writeRow(row, y);
  if (side === null || side >= Math.min(input.widthPixels, input.heightPixels)) {
    resampleRows(pyramid, region, width, height, filter, sink);
    return;
  }
  const lowWidth = Math.max(1, Math.round((side * width) / input.widthPixels));
  const lowHeight = Math.max(1, Math.round((side * height) / input.heightPixels));
  resampleFloatRows(resample(pyramid, region, lowWidth, lowHeight, filter), width, height, filter, sink);
}

/** Of the tensor: where it is in a pixel, and value x factor - shift. */
interface Channel {
  readonly source: number;
  readonly factor: number;
  readonly shift: number;
}

function clamp(row: Float32Array): void {
  for (let i = 0; i < row.length; i++) {
    const value = row[i] ?? 0;
    if (value < 0) row[i] = 0;
    else if (value > 255) row[i] = 255;
  }
}

/** Values of 0 to 255 into a tensor: (value x scale - mean) / std, channels and layout as the manifest says. */
class TensorWriter {
  readonly #input: PackInput;
  readonly #target: Float32Array;
  readonly #at: number;
  readonly #channels: { readonly first: Channel; readonly second: Channel; readonly third: Channel };
  /** Whether the filter may give values that no picture has. */
  readonly #overshoots: boolean;

  constructor(input: PackInput, target: Float32Array, at: number) {
    this.#input = input;
    this.#target = target;
    this.#at = at;
    this.#overshoots = input.filter === 'bicubic' || input.filter === 'lanczos3';
    const channel = (index: number): Channel => {
      const std = input.std[index] ?? 1;
      const source = input.channelOrder === 'rgb' ? index : 2 - index;
      return { source, factor: input.scale / std, shift: (input.mean[index] ?? 0) / std };
    };
    this.#channels = { first: channel(0), second: channel(1), third: channel(2) };
  }

  /** One row of RGB, which may be shorter than the tensor's. */
  writeRow(row: Float32Array, y: number): void {
    if (this.#overshoots) clamp(row);
    const { layout, widthPixels, heightPixels } = this.#input;
    const [plane, step] = layout === 'nchw' ? [widthPixels * heightPixels, 1] : [1, 3];
    const target = this.#target;
    const { first, second, third } = this.#channels;
    // All three at once: a pass for each channel reads the row three times and took half as long again.
    for (let from = 0, to = this.#at + y * widthPixels * step; from < row.length; from += 3, to += step) {
      target[to] = (row[from + first.source] ?? 0) * first.factor - first.shift;
      target[to + plane] = (row[from + second.source] ?? 0) * second.factor - second.shift;
      target[to + 2 * plane] = (row[from + third.source] ?? 0) * third.factor - third.shift;
    }
  }

  blacken(): void {
    const row = new Float32Array(this.#input.widthPixels * 3);
    for (let y = 0; y < this.#input.heightPixels; y++) this.writeRow(row, y);
  }
}

/** Writes a chip of the picture into a tensor as the manifest says; `toPicture` is from chip to picture. */
export function writeChip(
  pyramid: Pyramid,
  toPicture: Similarity,
  input: PackInput,
  target: Float32Array,
  at: number,
): void {
  const writer = new TensorWriter(input, target, at);
  warpRows(pyramid, toPicture, input.widthPixels, input.heightPixels, (row, y) => writer.writeRow(row, y));
}
