/** Repeatable noise: the same coordinates and seed always give the same value, 0 to 1. */

/** A number for a lattice point (integers), by a 32-bit finaliser in the manner of Murmur3. */
export function latticeValue(x: number, y: number, seed: number): number {
  let value = (Math.imul(x | 0, 0x27d4eb2d) ^ Math.imul(y | 0, 0x165667b1) ^ Math.imul(seed | 0, 0x9e3779b1)) | 0;
  value = Math.imul(value ^ (value >>> 15), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return ((value ^ (value >>> 16)) >>> 0) / 4294967296;
}

/** Value noise: lattice values joined smoothly. */
export function smoothNoise(x: number, y: number, seed: number): number {
  const left = Math.floor(x);
  const top = Math.floor(y);
  const across = ease(x - left);
  const down = ease(y - top);
  const upper = latticeValue(left, top, seed) * (1 - across) + latticeValue(left + 1, top, seed) * across;
  const lower = latticeValue(left, top + 1, seed) * (1 - across) + latticeValue(left + 1, top + 1, seed) * across;
  return upper * (1 - down) + lower * down;
}

/** Octaves of smooth noise, each twice as fine and half as strong. */
export function layeredNoise(x: number, y: number, seed: number, octaves: number): number {
  let sum = 0;
  let weight = 1;
  let total = 0;
  let scale = 1;
  for (let octave = 0; octave < octaves; octave += 1) {
    sum += smoothNoise(x * scale, y * scale, seed + octave * 101) * weight;
    total += weight;
    weight *= 0.5;
    scale *= 2.03;
  }
  return sum / total;
}

function ease(value: number): number {
  return value * value * (3 - 2 * value);
}
