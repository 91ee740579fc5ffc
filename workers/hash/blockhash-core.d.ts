declare module 'blockhash-core' {
  /** As ImageData of the browser: four numbers a pixel, row after row. Only sums of them are taken. */
  interface Pixels {
    readonly width: number;
    readonly height: number;
    readonly data: ArrayLike<number>;
  }
  /** `bits` x `bits` blocks, one bit each, in hexadecimal; a pixel with alpha 0 counts as white. */
  export function bmvbhash(picture: Pixels, bits: number): string;
}
