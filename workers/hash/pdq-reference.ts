/**
 * PDQ as plain as it can be written, one picture-sized array per step: the yardstick that the fast kernel is tested
 * against, never used on case material. Every number is rounded to float32 after every operation (`Math.fround`),
 * in the order of the published C++ (facebook/ThreatExchange, pdq/cpp), because a hash must agree bit for bit.
 */

import { ORIENTATIONS } from '../../schemas/constants.ts';
import type { PdqHash } from '../../schemas/fingerprint.ts';

const f32 = Math.fround;
const LEAST_SIDE_PIXELS = 5;
const SAMPLED_SIDE_PIXELS = 512;
const BLOCK = 64;
const KEPT = 16;

/** A picture of one 8-bit grey, three (RGB) or four (RGBA) channels, row after row without gaps. */
export interface RawPicture {
  readonly pixels: Uint8Array;
  readonly widthPixels: number;
  readonly heightPixels: number;
  readonly channels: 1 | 3 | 4;
}

interface Plane {
  readonly values: Float32Array;
  readonly width: number;
  readonly height: number;
}

const at = (values: ArrayLike<number>, index: number): number => {
  const value = values[index];
  if (value === undefined) throw new RangeError(`expected an index below ${values.length}, received ${index}`);
  return value;
};

function luma(picture: RawPicture): Plane {
  const { pixels, widthPixels: width, heightPixels: height, channels } = picture;
  const values = new Float32Array(width * height);
  const weightR = f32(0.299);
  const weightG = f32(0.587);
  const weightB = f32(0.114);
  for (let i = 0; i < values.length; i++) {
    const r = at(pixels, i * channels);
    const g = channels === 1 ? r : at(pixels, i * channels + 1);
    const b = channels === 1 ? r : at(pixels, i * channels + 2);
    values[i] = f32(f32(f32(weightR * r) + f32(weightG * g)) + f32(weightB * b));
  }
  return { values, width, height };
}

/** Step 1 of flavour A: nearest neighbour to 512 x 512, only for a picture larger than that on either side. */
export function nearest512(picture: RawPicture): RawPicture {
  const { pixels, widthPixels, heightPixels, channels } = picture;
  if (widthPixels <= SAMPLED_SIDE_PIXELS && heightPixels <= SAMPLED_SIDE_PIXELS) return picture;
  const side = SAMPLED_SIDE_PIXELS;
  const out = new Uint8Array(side * side * channels);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const from = Math.floor((y * heightPixels) / side) * widthPixels + Math.floor((x * widthPixels) / side);
      for (let c = 0; c < channels; c++) out[(y * side + x) * channels + c] = at(pixels, from * channels + c);
    }
  }
  return { pixels: out, widthPixels: side, heightPixels: side, channels };
}

/** The mean of a moving window along one line, whose window is cut off at both ends of the line. */
function box(input: Float32Array, output: Float32Array, start: number, length: number, stride: number, window: number) {
  const half = Math.floor((window + 2) / 2);
  let right = start;
  let left = start;
  let out = start;
  let sum = 0;
  let size = 0;
  const grow = () => {
    sum = f32(sum + at(input, right));
    right += stride;
  };
  const shrink = () => {
    sum = f32(sum - at(input, left));
    left += stride;
  };
  const write = () => {
    output[out] = f32(sum / size);
    out += stride;
  };
  for (let i = 0; i < half - 1; i++) {
    grow();
    size++;
  }
  for (let i = 0; i < window - half + 1; i++) {
    grow();
    size++;
    write();
  }
  for (let i = 0; i < length - window; i++) {
    grow();
    shrink();
    write();
  }
  for (let i = 0; i < half - 1; i++) {
    shrink();
    size--;
    write();
  }
}

const jaroszWindow = (sidePixels: number) => Math.floor((sidePixels + 127) / 128);

function jaroszFilter(plane: Plane): Plane {
  const { width, height } = plane;
  const values = Float32Array.from(plane.values);
  const between = new Float32Array(values.length);
  for (let pass = 0; pass < 2; pass++) {
    for (let y = 0; y < height; y++) box(values, between, y * width, width, 1, jaroszWindow(width));
    for (let x = 0; x < width; x++) box(between, values, x, height, width, jaroszWindow(height));
  }
  return { values, width, height };
}

function decimate({ values, width, height }: Plane): Float32Array {
  const out = new Float32Array(BLOCK * BLOCK);
  for (let i = 0; i < BLOCK; i++) {
    for (let j = 0; j < BLOCK; j++) {
      const y = Math.trunc(((i + 0.5) * height) / BLOCK);
      const x = Math.trunc(((j + 0.5) * width) / BLOCK);
      out[i * BLOCK + j] = at(values, y * width + x);
    }
  }
  return out;
}

function qualityOf(block: Float32Array): number {
  let gradient = 0;
  const add = (u: number, v: number) => {
    gradient += Math.abs(Math.trunc(f32(f32(f32(u - v) * 100) / 255)));
  };
  for (let i = 0; i < BLOCK; i++) {
    for (let j = 0; j < BLOCK; j++) {
      const u = at(block, i * BLOCK + j);
      if (i + 1 < BLOCK) add(u, at(block, (i + 1) * BLOCK + j));
      if (j + 1 < BLOCK) add(u, at(block, i * BLOCK + j + 1));
    }
  }
  return Math.min(100, Math.floor(gradient / 90));
}

function dct64To16(block: Float32Array): Float32Array {
  const scale = f32(Math.sqrt(2 / BLOCK));
  const matrix = (i: number, j: number) => f32(scale * Math.cos((Math.PI / 2 / BLOCK) * (i + 1) * (2 * j + 1)));
  const half = new Float32Array(KEPT * BLOCK);
  for (let i = 0; i < KEPT; i++) {
    for (let j = 0; j < BLOCK; j++) {
      let sum = 0;
      for (let k = 0; k < BLOCK; k++) sum = f32(sum + f32(matrix(i, k) * at(block, k * BLOCK + j)));
      half[i * BLOCK + j] = sum;
    }
  }
  const out = new Float32Array(KEPT * KEPT);
  for (let i = 0; i < KEPT; i++) {
    for (let j = 0; j < KEPT; j++) {
      let sum = 0;
      for (let k = 0; k < BLOCK; k++) sum = f32(sum + f32(at(half, i * BLOCK + k) * matrix(j, k)));
      out[i * KEPT + j] = sum;
    }
  }
  return out;
}

/** Torben's method on an even count ends at the lower one of the two middle values; sorting finds the same one. */
function bitsOf(block: Float32Array): string {
  const median = at(Float32Array.from(block).sort(), KEPT * KEPT * 0.5 - 1);
  let bits = 0n;
  for (let k = 0; k < KEPT * KEPT; k++) if (at(block, k) > median) bits |= 1n << BigInt(k);
  return bits.toString(16).padStart(64, '0');
}

function dihedralOf(block: Float32Array): string[] {
  const turned = (transposed: boolean, negative: (i: number, j: number) => boolean): string => {
    const out = new Float32Array(KEPT * KEPT);
    for (let i = 0; i < KEPT; i++) {
      for (let j = 0; j < KEPT; j++) {
        const value = at(block, i * KEPT + j);
        out[transposed ? j * KEPT + i : i * KEPT + j] = negative(i, j) ? -value : value;
      }
    }
    return bitsOf(out);
  };
  return [
    turned(false, () => false),
    turned(true, (_, j) => j % 2 === 0),
    turned(false, (i, j) => (i + j) % 2 === 1),
    turned(true, (i) => i % 2 === 0),
    turned(false, (i) => i % 2 === 0),
    turned(false, (_, j) => j % 2 === 0),
    turned(true, () => false),
    turned(true, (i, j) => (i + j) % 2 === 1),
  ];
}

function hashOf(picture: RawPicture, flavour: PdqHash['flavour']): PdqHash {
  if (picture.widthPixels < LEAST_SIDE_PIXELS || picture.heightPixels < LEAST_SIDE_PIXELS) {
    const zero = '0'.repeat(64);
    return { flavour, hex: zero, quality: 0, dihedral: ORIENTATIONS.map(() => zero) };
  }
  const plane = luma(picture);
  const unfiltered = plane.width === BLOCK && plane.height === BLOCK;
  const block = unfiltered ? plane.values : decimate(jaroszFilter(plane));
  const dihedral = dihedralOf(dct64To16(block));
  const [hex = ''] = dihedral;
  return { flavour, hex, quality: qualityOf(block), dihedral };
}

/** Both flavours of PDQ, `pdq-512` first, as `PictureHasher` gives them. */
export function referencePdq(picture: RawPicture): PdqHash[] {
  return [hashOf(nearest512(picture), 'pdq-512'), hashOf(picture, 'pdq-full')];
}
