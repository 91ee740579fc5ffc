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

/** Values of 0 to 255 into a tensor: (value x scale - mean) / std, channels and layout as the manifest says. */
class TensorWriter {
  readonly #input: PackInput;
  readonly #target: Float32Array;
  readonly #at: number;
  /** By channel of the tensor: where it is in a pixel, and value x factor - shift. */
  readonly #channels: readonly { readonly source: number; readonly factor: number; readonly shift: number }[];

  constructor(input: PackInput, target: Float32Array, at: number) {
    this.#input = input;
    this.#target = target;
    this.#at = at;
    this.#channels = [0, 1, 2].map((channel) => {
      const std = input.std[channel] ?? 1;
      const source = input.channelOrder === 'rgb' ? channel : 2 - channel;
      return { source, factor: input.scale / std, shift: (input.mean[channel] ?? 0) / std };
    });
  }

  /** One row of RGB, which may be shorter than the tensor's. */
  writeRow(row: Float32Array, y: number): void {
    const { layout, widthPixels, heightPixels } = this.#input;
    const places = widthPixels * heightPixels;
    const target = this.#target;
    const step = layout === 'nchw' ? 1 : 3;
    const channelStep = layout === 'nchw' ? places : 1;
    for (let channel = 0; channel < 3; channel++) {
      const { source = 0, factor = 1, shift = 0 } = this.#channels[channel] ?? {};
      // A filter that overshoots must not give the net what no picture has.
      const [black, white] = [-shift, 255 * factor - shift];
      const [least, most] = black < white ? [black, white] : [white, black];
      let to = this.#at + channel * channelStep + y * widthPixels * step;
      for (let from = source; from < row.length; from += 3, to += step) {
        const value = (row[from] ?? 0) * factor - shift;
        target[to] = value < least ? least : value > most ? most : value;
      }
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
