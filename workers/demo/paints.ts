import { type Colour, mix, rgb, shade } from './colour.ts';
import { latticeValue, layeredNoise, smoothNoise } from './noise.ts';
import type { Material, Paint } from './tracer.ts';

/** Surfaces for the demo's rooms and still lifes; all lengths in metres on the surface. */

export function dull(paint: Paint): Material {
  return { paint, gloss: 0 };
}

export function glossy(paint: Paint, gloss: number): Material {
  return { paint, gloss };
}

export function plain(colour: Colour, grain = 0.06, seed = 1): Paint {
  return (across, along) => shade(colour, 1 + grain * (smoothNoise(across * 60, along * 60, seed) - 0.5) * 2);
}

/** Floor boards along the second axis. */
export function planks(colour: Colour, width: number, seed: number): Paint {
  return (across, along) => {
    const board = Math.floor(across / width);
    const inBoard = across / width - board;
    const length = 1.4;
    const shifted = along + latticeValue(board, 0, seed) * length;
    const piece = Math.floor(shifted / length);
    if (inBoard < 0.035 || shifted / length - piece < 0.006) return shade(colour, 0.35);
    const tone = 0.74 + 0.42 * latticeValue(board, piece, seed + 7);
    return shade(colour, tone + 0.22 * (layeredNoise(across * 34, along * 2.4, seed + board, 3) - 0.5));
  };
}

export function tiles(first: Colour, second: Colour, side: number, joint = 0.025): Paint {
  return (across, along) => {
    const column = Math.floor(across / side);
    const row = Math.floor(along / side);
    if (across / side - column < joint || along / side - row < joint) return 0x8d8a84;
    return shade((column + row) & 1 ? first : second, 0.93 + 0.14 * latticeValue(column, row, 5));
  };
}

export function bricks(colour: Colour, seed: number): Paint {
  return (across, along) => {
    const row = Math.floor(along / 0.075);
    const shifted = across / 0.24 + (row & 1) * 0.5;
    const column = Math.floor(shifted);
    if (along / 0.075 - row < 0.14 || shifted - column < 0.05) return 0xb9b0a4;
    return shade(
      colour,
      0.68 + 0.45 * latticeValue(column, row, seed) + 0.16 * smoothNoise(across * 90, along * 90, seed),
    );
  };
}

export function stripes(first: Colour, second: Colour, width: number): Paint {
  return (across) => (Math.floor(across / width) & 1 ? first : second);
}

/** Wallpaper with a medallion on a grid. */
export function wallpaper(ground: Colour, figure: Colour, spacing: number): Paint {
  return (across, along) => {
    const row = Math.floor(along / spacing);
    const x = (((across / spacing + (row & 1) * 0.5) % 1) + 1) % 1;
    const y = along / spacing - row;
    const distance = Math.hypot(x - 0.5, y - 0.5);
    const petals = 0.24 + 0.09 * Math.cos(6 * Math.atan2(y - 0.5, x - 0.5));
    return distance < petals && distance > 0.08 ? figure : ground;
  };
}

/** A rug or cloth of nested frames with a woven grain. */
export function rug(colours: readonly Colour[], width: number, length: number): Paint {
  return (across, along) => {
    const border = Math.min(across, width - across, along, length - along);
    const ring = Math.floor(border / 0.11);
    const zigzag = Math.floor((across + Math.abs(((along * 6) % 2) - 1) * 0.12) / 0.16);
    const index = ring < 4 ? ring : 4 + (((zigzag % 3) + 3) % 3);
    const colour = colours[((index % colours.length) + colours.length) % colours.length] ?? 0;
    return shade(colour, 0.86 + 0.28 * latticeValue(Math.floor(across * 130), Math.floor(along * 130), 3));
  };
}

/** Rows of books seen from the front. */
export function books(seed: number, shelfHeight: number): Paint {
  return (across, along) => {
    const shelf = Math.floor(along / shelfHeight);
    const level = along / shelfHeight - shelf;
    if (level < 0.09) return 0x4a3320;
    const slot = Math.floor(across / 0.034 + 0.7 * smoothNoise(across * 9, shelf * 3.7, seed));
    const height = 0.66 + 0.28 * latticeValue(slot, shelf, seed);
    if (level - 0.09 > height * 0.91) return 0x1a120c;
    const pick = latticeValue(slot, shelf, seed + 1);
    const colour = mix(
      rgb(
        40 + 190 * pick,
        30 + 120 * latticeValue(slot, shelf, seed + 2),
        30 + 130 * latticeValue(slot, shelf, seed + 3),
      ),
      0xd8c9a0,
      pick > 0.82 ? 0.7 : 0,
    );
    const band = level > 0.62 * height && level < 0.7 * height && latticeValue(slot, shelf, seed + 4) > 0.4;
    return band ? 0xd9b650 : colour;
  };
}

/** A framed picture: hills of a few colours. */
export function painting(width: number, height: number, seed: number): Paint {
  return (across, along) => {
    const border = Math.min(across, width - across, along, height - along);
    if (border < 0.04) return 0x6b4a22;
    if (border < 0.075) return 0xe9e2d2;
    const level = along / height;
    const ridge = 0.3 + 0.4 * layeredNoise(across * 2.6, seed, seed, 3);
    if (level > ridge) return mix(0xf2c879, 0x5b86b0, (level - ridge) * 2);
    return mix(0x27463a, 0xb5743a, layeredNoise(across * 9, along * 14, seed + 5, 3));
  };
}

/** A window with a cross of bars, and what is to be seen through it. */
export function view(width: number, height: number, seed: number): Paint {
  return (across, along) => {
    const border = Math.min(across, width - across, along, height - along);
    const bar = Math.min(Math.abs(across - width / 2), Math.abs(along - height * 0.62));
    if (border < 0.06 || bar < 0.025) return 0xf2efe8;
    const level = along / height;
    const hill = 0.28 + 0.2 * layeredNoise(across * 2.1, 1, seed, 4);
    if (level < hill) return mix(0x2f5a2c, 0x7d9a4a, layeredNoise(across * 16, along * 16, seed, 3));
    const cloud = layeredNoise(across * 2.4, along * 5, seed + 9, 4);
    return mix(mix(0xdcecf8, 0x6ea6dc, (level - hill) * 1.3), 0xffffff, cloud > 0.52 ? (cloud - 0.52) * 5 : 0);
  };
}

export function marble(ground: Colour, vein: Colour, seed: number): Paint {
  return (across, along) => {
    const bent = across * 3 + 4 * layeredNoise(across * 2.5, along * 2.5, seed, 4);
    return mix(ground, vein, Math.abs(Math.sin(bent * 3.1)) ** 6 * 0.8);
  };
}

export function woodGrain(colour: Colour, seed: number): Paint {
  return (across, along) => {
    const rings = layeredNoise(across * 2.2, along * 22, seed, 3) * 9;
    return shade(colour, 0.78 + 0.34 * (rings - Math.floor(rings)));
  };
}

export function speckled(colour: Colour, spot: Colour, density: number, seed: number): Paint {
  return (across, along) => {
    const spots = layeredNoise(across * density, along * density, seed, 3);
    return mix(colour, spot, spots > 0.56 ? (spots - 0.56) * 6 : 0);
  };
}
