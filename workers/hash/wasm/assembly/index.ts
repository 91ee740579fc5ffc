// Entry points. A picture goes begin -> (rows copied to stripAt(), feed) until its last row -> finishFull, and where it
// is larger than 512 pixels on a side -> finishSampled. Hashes then lie at hashesAt(); after finishMeans the blockhash's
// input lies at meansAt().

import { filterIsDone, pushFourRows, setUpFilter } from './filter';
import { allocate, DCT, DCT_TRANSPOSED, HASHES, MEANS, resetArena, SAMPLES } from './layout';
import { prepareLuma } from './luma';
import { meanOfSamples, sampleFrom, setUpSampling } from './sample';
import { qualityOfBlock, transform, writeDihedral } from './transform';

let channels: i32 = 0;
let rowBytes: usize = 0;
let strip: usize = 0;
/** A row of zeros: what follows the last row of a picture. */
let zeros: usize = 0;
let rowsFed: i32 = 0;
let sampling: bool = false;

/** Where the host writes the 16 x 64 float32 cosines, once, before prepare(). */
export function dctAt(): usize {
  return DCT;
}
/** Where the host writes the rows of a strip; valid from begin() to finish. */
export function stripAt(): usize {
  return strip;
}
/** Flavour A's eight hashes of 32 bytes, then flavour B's. */
export function hashesAt(): usize {
  return HASHES;
}
/** 64 x 64 pixels of four float32. */
export function meansAt(): usize {
  return MEANS;
}

export function prepare(): void {
  prepareLuma();
  for (let i: usize = 0; i < 16; i++) {
    for (let k: usize = 0; k < 64; k++) {
      store<f32>(DCT_TRANSPOSED + (k << 6) + (i << 2), load<f32>(DCT + (i << 8) + (k << 2)));
    }
  }
}

/** Lays the memory out for a picture that comes in strips of at most `stripRows` rows; samples it where `wanted`. */
export function begin(width: i32, height: i32, channelsOfPicture: i32, stripRows: i32, wanted: bool): void {
  channels = channelsOfPicture;
  rowBytes = <usize>width * channels;
  rowsFed = 0;
  sampling = wanted;
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
  if (sampling) for (let i = 0; i < rows; i++) sampleFrom(strip + <usize>i * rowBytes, rowsFed + i);
  for (let i = 0; i < rows; i += 4) {
    pushFourRows(rowAt(i, rows), rowAt(i + 1, rows), rowAt(i + 2, rows), rowAt(i + 3, rows), channels);
  }
  rowsFed += rows;
}

/** Ends flavour B and gives its quality. */
export function finishFull(): i32 {
  while (!filterIsDone()) pushFourRows(zeros, zeros, zeros, zeros, channels);
  transform();
  writeDihedral(HASHES + 8 * 32);
  return qualityOfBlock();
}

/** Computes flavour A from the samples and gives its quality; ends the picture that was begun. */
export function finishSampled(): i32 {
  resetArena();
  zeros = allocate(2048);
  setUpFilter(512, 512);
  for (let at: usize = SAMPLES; at < SAMPLES + 512 * 2048; at += 8192) {
    pushFourRows(at, at + 2048, at + 4096, at + 6144, 4);
  }
  while (!filterIsDone()) pushFourRows(zeros, zeros, zeros, zeros, 4);
  transform();
  writeDihedral(HASHES);
  return qualityOfBlock();
}

/** Reduces the samples for the blockhash. */
export function finishMeans(): void {
  meanOfSamples();
}
