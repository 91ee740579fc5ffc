// The picture sampled to 512 x 512 (nearest neighbour, out[x] = in[floor(x * side / 512)]): the input of flavour A
// where the picture is larger, and of the blockhash always.

import { MEANS, SAMPLE_COLUMNS, SAMPLES } from './layout';

let channels: i32 = 0;
let height: i32 = 0;
let sampleRow: i32 = 0;

function sampled(index: i32, side: i32): i32 {
  return <i32>((<i64>index * <i64>side) >> 9);
}

export function setUpSampling(widthPixels: i32, heightPixels: i32, channelsOfPicture: i32): void {
  channels = channelsOfPicture;
  height = heightPixels;
  sampleRow = 0;
  for (let x = 0; x < 512; x++) {
    store<i32>(SAMPLE_COLUMNS + (x << 2), sampled(x, widthPixels) * channels);
  }
}

/** Takes row `y` of the picture, as often as the samples want it. */
export function sampleFrom(row: usize, y: i32): void {
  if (sampleRow == 512 || sampled(sampleRow, height) != y) return;
  let to = SAMPLES + ((<usize>sampleRow) << 11);
  let column = SAMPLE_COLUMNS;
  const end = SAMPLE_COLUMNS + 2048;
  if (channels == 1) {
    for (; column < end; column += 4, to += 4) {
      store<u32>(to, (<u32>load<u8>(row + load<u32>(column)) * 0x010101) | 0xff000000);
    }
  } else {
    for (; column < end; column += 16, to += 16) {
      store<u32>(to, load<u32>(row + load<u32>(column)) | 0xff000000);
      store<u32>(to, load<u32>(row + load<u32>(column, 4)) | 0xff000000, 4);
      store<u32>(to, load<u32>(row + load<u32>(column, 8)) | 0xff000000, 8);
      store<u32>(to, load<u32>(row + load<u32>(column, 12)) | 0xff000000, 12);
    }
  }
  sampleRow++;
  while (sampleRow < 512 && sampled(sampleRow, height) == y) {
    const again = SAMPLES + ((<usize>sampleRow) << 11);
    memory.copy(again, again - 2048, 2048);
    sampleRow++;
  }
}

/**
 * The mean of each 8 x 8 samples, not rounded (a multiple of 1/64 is exact in float32): what blockhash-core sums up over
 * a block is then the sum over the 512 x 512 samples divided by 64, at a sixty-fourth of the cost.
 */
export function meanOfSamples(): void {
  let to: usize = MEANS;
  const size = f32x4.splat(1.0 / 64);
  for (let line: usize = SAMPLES; line < SAMPLES + 512 * 2048; line += 8 * 2048) {
    for (let cell = line; cell < line + 2048; cell += 32) {
      let total = i16x8.splat(0);
      for (let from = cell; from < cell + 8 * 2048; from += 2048) {
        const left = v128.load(from);
        const right = v128.load(from, 16);
        const evenAndOdd = i16x8.add(i16x8.extend_low_i8x16_u(left), i16x8.extend_high_i8x16_u(left));
        total = i16x8.add(total, evenAndOdd);
        total = i16x8.add(total, i16x8.extend_low_i8x16_u(right));
        total = i16x8.add(total, i16x8.extend_high_i8x16_u(right));
      }
      const sum = i32x4.add(i32x4.extend_low_i16x8_u(total), i32x4.extend_high_i16x8_u(total));
      v128.store(to, f32x4.mul(f32x4.convert_i32x4_s(sum), size));
      to += 16;
    }
  }
}
