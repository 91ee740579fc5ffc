/** What PackSelfTest.input says: value i is scale x fraction(sin(i + seed) x 43758.5453) + offset, in double precision. */
export interface HashedInput {
  readonly seed: number;
  readonly scale: number;
  readonly offset: number;
}

/** The first `count` values of such an input, the sine hash often used in shaders. */
export function hashedInput({ seed, scale, offset }: HashedInput, count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, index) => {
    const hashed = Math.sin(index + seed) * 43758.5453;
    return scale * (hashed - Math.floor(hashed)) + offset;
  });
}
