// The picture sampled to 512 x 512 (nearest neighbour, out[x] = in[floor(x * side / 512)]): the input of flavour A
// where the picture is larger, and of the blockhash always.

import { REDUCED, SAMPLE_COLUMNS, SAMPLES } from './layout';

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
  let to = SAMPLES + (<usize>sampleRow << 11);
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
    const again = SAMPLES + (<usize>sampleRow << 11);
    memory.copy(again, again - 2048, 2048);
    sampleRow++;
  }
}
