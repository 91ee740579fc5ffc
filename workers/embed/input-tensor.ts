import type { PackInput } from '../../schemas/model-pack.ts';
import type { Pyramid } from './pyramid.ts';
import { type FloatRaster, type Region, resample, resampleFloats } from './resample.ts';

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
  switch (input.resize) {
    case 'stretch':
      writeTensor(filtered(pyramid, region, width, height, input), input, target, at);
      return placementOf(region, width, height);
    case 'centreCrop': {
      const crop = centreOf(region, input);
      writeTensor(filtered(pyramid, crop, width, height, input), input, target, at);
      return placementOf(crop, width, height);
    }
    case 'letterbox': {
      const scale = Math.max(region.width / width, region.height / height);
      const across = Math.min(width, Math.max(1, Math.round(region.width / scale)));
      const down = Math.min(height, Math.max(1, Math.round(region.height / scale)));
      const picture = filtered(pyramid, region, across, down, input);
      writeTensor(letterboxed(picture, width, height), input, target, at);
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
function filtered(pyramid: Pyramid, region: Region, width: number, height: number, input: PackInput): FloatRaster {
  const side = input.lowPassSidePixels;
  if (side === null || side >= Math.min(input.widthPixels, input.heightPixels))
    return resample(pyramid, region, width, height, input.filter);
  const lowWidth = Math.max(1, Math.round((side * width) / input.widthPixels));
  const lowHeight = Math.max(1, Math.round((side * height) / input.heightPixels));
  return resampleFloats(resample(pyramid, region, lowWidth, lowHeight, input.filter), width, height, input.filter);
}

/** The picture in the upper left corner, as the detectors' own pre-processing puts it. */
function letterboxed(picture: FloatRaster, widthPixels: number, heightPixels: number): FloatRaster {
  if (picture.widthPixels === widthPixels && picture.heightPixels === heightPixels) return picture;
  const values = new Float32Array(widthPixels * heightPixels * 3);
  const rowLength = picture.widthPixels * 3;
  for (let y = 0; y < picture.heightPixels; y++)
    values.set(picture.values.subarray(y * rowLength, (y + 1) * rowLength), y * widthPixels * 3);
  return { values, widthPixels, heightPixels };
}

/** Values of 0 to 255 into the tensor: (value x scale - mean) / std, channels and layout as the manifest says. */
export function writeTensor(raster: FloatRaster, input: PackInput, target: Float32Array, at: number): void {
  const { values } = raster;
  const places = raster.widthPixels * raster.heightPixels;
  const [step, channelStep] = input.layout === 'nchw' ? [1, places] : [3, 1];
  for (let channel = 0; channel < 3; channel++) {
    const source = input.channelOrder === 'rgb' ? channel : 2 - channel;
    const std = input.std[channel] ?? 1;
    const factor = input.scale / std;
    const shift = (input.mean[channel] ?? 0) / std;
    let to = at + channel * channelStep;
    for (let from = source; from < places * 3; from += 3, to += step) {
      const value = values[from] ?? 0;
      // A filter that overshoots must not give the net what no picture has.
      target[to] = (value < 0 ? 0 : value > 255 ? 255 : value) * factor - shift;
    }
  }
}
