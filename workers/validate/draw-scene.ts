import type { RawPicture } from '../hash/pdq-reference.ts';

/** mulberry32 (Tommy Ettinger, public domain): 32 bits of state, the same numbers on every machine. */
function random(seed: number): () => number {
  let state = (seed * 2654435761) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** Smooth noise: a grid of chance values, blended between its points. */
function field(next: () => number, cells: number): (x: number, y: number) => number {
  const side = cells + 2;
  const grid = Float64Array.from({ length: side * side }, next);
  const at = (x: number, y: number) => grid[y * side + x] ?? 0;
  return (x, y) => {
    const [column, row] = [Math.floor(x * cells), Math.floor(y * cells)];
    const [u, v] = [smooth(x * cells - column), smooth(y * cells - row)];
    const upper = at(column, row) * (1 - u) + at(column + 1, row) * u;
    const lower = at(column, row + 1) * (1 - u) + at(column + 1, row + 1) * u;
    return upper * (1 - v) + lower * v;
  };
}

const smooth = (t: number) => t * t * (3 - 2 * t);
const byte = (value: number) => Math.max(0, Math.min(255, Math.round(value)));

/**
 * A benign picture by calculation, RGB: hills of smooth noise with a few discs and boxes before them. Different numbers give
 * pictures with nothing in common; the same number and size give the same bytes everywhere.
 */
export function drawScene(scene: number, widthPixels: number, heightPixels: number): RawPicture {
  const next = random(scene + 1);
  const layers = [2, 3, 5, 9, 17].map((cells, index) => ({ of: field(next, cells), weight: 1 / (index + 1.5) }));
  const total = layers.reduce((sum, { weight }) => sum + weight, 0);
  const shapes = Array.from({ length: 9 }, () => ({
    x: next(),
    y: next(),
    radius: 0.05 + next() * 0.16,
    round: next() < 0.5,
    level: next() < 0.5 ? -90 : 90,
  }));
  const tint = [next() * 30, next() * 30, next() * 30];
  const pixels = new Uint8Array(widthPixels * heightPixels * 3);
  let out = 0;
  for (let row = 0; row < heightPixels; row++) {
    const y = (row + 0.5) / heightPixels;
    for (let column = 0; column < widthPixels; column++) {
      const x = (column + 0.5) / widthPixels;
      let level = 0;
      for (const { of, weight } of layers) level += of(x, y) * weight;
      level = 128 + ((level / total) * 2 - 1) * 190;
      for (const shape of shapes) {
        const [dx, dy] = [Math.abs(x - shape.x), Math.abs(y - shape.y)];
        const inside = shape.round ? dx * dx + dy * dy < shape.radius * shape.radius : Math.max(dx, dy) < shape.radius;
        if (inside) level += shape.level;
      }
      for (const colour of tint) pixels[out++] = byte(level + colour - 15);
    }
  }
  return { pixels, widthPixels, heightPixels, channels: 3 };
}

/** The middle channel alone, as a grey picture. */
export function greyOf({ pixels, widthPixels, heightPixels }: RawPicture): RawPicture {
  const grey = new Uint8Array(widthPixels * heightPixels);
  for (let at = 0; at < grey.length; at++) grey[at] = pixels[at * 3 + 1] ?? 0;
  return { pixels: grey, widthPixels, heightPixels, channels: 1 };
}
