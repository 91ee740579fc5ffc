/** The bytes of schemas/embedding.ts `Keypoints`: x, y (uint16, little-endian), scale, angle (a byte each), descriptor (128 bytes). */

import { KEYPOINT_BYTES, type Keypoints, MOST_KEYPOINTS } from '../../schemas/embedding.ts';
import { HomewardError } from '../../schemas/error.ts';
import type { DescribedPoint } from './geometry-kernel.ts';

const SCALE_AT = 4;
const ANGLE_AT = 5;
/** Where the descriptor lies in a record. */
export const DESCRIPTOR_AT = 6;
const FRACTION_STEPS = 65_535;
/** Scale byte: 16 steps an octave of sigma as a part of the longer side; 255 is the whole of it, 0 some 2^-16. */
const SCALE_STEPS_PER_OCTAVE = 16;
const ALGORITHM = 'rootsift/1';

const clamp = (value: number, most: number) => Math.min(most, Math.max(0, Math.round(value)));

/** `longerSidePixels`: the unit of both coordinates, so that angles and the ratio of distances survive. */
export function packKeypoints(points: readonly DescribedPoint[], longerSidePixels: number): Keypoints {
  const bytes = Buffer.alloc(points.length * KEYPOINT_BYTES);
  for (const [index, point] of points.entries()) {
    const at = index * KEYPOINT_BYTES;
    bytes.writeUInt16LE(clamp((point.x / longerSidePixels) * FRACTION_STEPS, FRACTION_STEPS), at);
    bytes.writeUInt16LE(clamp((point.y / longerSidePixels) * FRACTION_STEPS, FRACTION_STEPS), at + 2);
    bytes[at + SCALE_AT] = clamp(255 + SCALE_STEPS_PER_OCTAVE * Math.log2(point.sigmaPixels / longerSidePixels), 255);
    bytes[at + ANGLE_AT] = Math.round(point.turns * 256) % 256;
    bytes.set(point.descriptor, at + DESCRIPTOR_AT);
  }
  return { algorithm: ALGORITHM, count: points.length, data: bytes.toString('base64') };
}

/** Records, and their places with the longer side of the picture as the unit. */
export interface KeypointSet {
  readonly count: number;
  readonly records: Uint8Array;
  readonly x: Float64Array;
  readonly y: Float64Array;
  /** As stored: 16 steps an octave, 256 steps a turn. */
  readonly scale: Uint8Array;
  readonly angle: Uint8Array;
}

/**
 * Every byte string of the right length is a set of keypoints, though not of a picture.
 *
 * @throws HomewardError HW_INTERNAL where length, count or encoding are not what the schema says
 */
export function unpackKeypoints(keypoints: Keypoints): KeypointSet {
  const { algorithm, count, data } = keypoints;
  if (algorithm !== ALGORITHM) throw unlike(`algorithm ${ALGORITHM}`, `algorithm ${String(algorithm).slice(0, 40)}`);
  if (!Number.isInteger(count) || count < 0 || count > MOST_KEYPOINTS) {
    throw unlike(`a count of 0 to ${MOST_KEYPOINTS}`, `count ${String(count).slice(0, 40)}`);
  }
  const records = Buffer.from(data, 'base64');
  if (records.length !== count * KEYPOINT_BYTES || records.toString('base64') !== data) {
    throw unlike(`${count * KEYPOINT_BYTES} bytes in base64`, `${data.length} characters that hold ${records.length}`);
  }
  const place = (at: number) =>
    Float64Array.from(
      { length: count },
      (_, index) => records.readUInt16LE(index * KEYPOINT_BYTES + at) / FRACTION_STEPS,
    );
  const byte = (at: number) =>
    Uint8Array.from({ length: count }, (_, index) => records[index * KEYPOINT_BYTES + at] ?? 0);
  return { count, records, x: place(0), y: place(2), scale: byte(SCALE_AT), angle: byte(ANGLE_AT) };
}

function unlike(expected: string, received: string): HomewardError {
  return new HomewardError(
    'HW_INTERNAL',
    `expected ${expected} for the keypoints of a picture to compare, received ${received}; embed the picture anew`,
  );
}
