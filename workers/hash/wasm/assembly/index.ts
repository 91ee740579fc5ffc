// Entry points. A picture goes begin -> (rows copied to stripAt(), feed) ... -> finish; then the results lie at
// hashesAt() and samplesAt().

import { allocate, DCT, DCT_TRANSPOSED, HASHES, resetArena, SAMPLES } from './layout';
import { filterIsDone, pushFourRows, setUpFilter } from './filter';
import { sampleFrom, setUpSampling } from './sample';
import { qualityOfBlock, transform, writeDihedral } from './transform';

let width: i32 = 0;
let height: i32 = 0;
let channels: i32 = 0;
let rowBytes: usize = 0;
let strip: usize = 0;
let zeros: usize = 0;
let fed: i32 = 0;
let qualities: i32 = 0;

/** Where the host writes the 16 x 64 cosines, once, before preparing. */
export function dctAt(): usize {
  return DCT;
}
export function stripAt(): usize {
  return strip;
}
export function hashesAt(): usize {
  return HASHES;
}
export function samplesAt(): usize {
  return SAMPLES;
}

export function prepare(): void {
  for (let i: usize = 0; i < 16; i++) {
    for (let k: usize = 0; k < 64; k++) {
      store<f32>(DCT_TRANSPOSED + (k << 6) + (i << 2), load<f32>(DCT + (i << 8) + (k << 2)));
    }
  }
}

/** Lays the memory out for a picture that comes in strips of at most `stripRows` rows. */
export function begin(widthPixels: i32, heightPixels: i32, channelsOfPicture: i32, stripRows: i32): void {
  width = widthPixels;
  height = heightPixels;
  channels = channelsOfPicture;
  rowBytes = <usize>width * channels;
  fed = 0;
  resetArena();
  strip = allocate(rowBytes * stripRows);
  zeros = allocate(rowBytes);
  setUpFilter(width, height);
  setUpSampling(width, height, channels);
}

function rowAt(index: i32, rows: i32): usize {
  return index < rows ? strip + <usize>index * rowBytes : zeros;
}

/** Takes `rows` rows from the strip: a multiple of four, except at the end of the picture. */
export function feed(rows: i32): void {
  for (let i = 0; i < rows; i++) sampleFrom(strip + <usize>i * rowBytes, fed + i);
  for (let i = 0; i < rows; i += 4) {
    pushFourRows(rowAt(i, rows), rowAt(i + 1, rows), rowAt(i + 2, rows), rowAt(i + 3, rows), channels);
  }
  fed += rows;
}

/** Quality of flavour B; its hashes lie in the second half of the results. */
export function finishFull(): i32 {
  while (!filterIsDone()) pushFourRows(zeros, zeros, zeros, zeros, channels);
  const quality = qualityOfBlock();
  transform();
  writeDihedral(HASHES + 256);
  return quality;
}

/** Quality of flavour A, computed from the samples; its hashes lie in the first half of the results. */
export function finishSampled(): i32 {
  resetArena();
  setUpFilter(512, 512);
  const none = allocate(2048);
  for (let at: usize = SAMPLES; at < SAMPLES + 512 * 2048; at += 8192) {
    pushFourRows(at, at + 2048, at + 4096, at + 6144, 4);
  }
  while (!filterIsDone()) pushFourRows(none, none, none, none, 4);
  const quality = qualityOfBlock();
  transform();
  writeDihedral(HASHES);
  return quality;
}
