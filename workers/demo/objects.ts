import { mix } from './colour.ts';
import { latticeValue } from './noise.ts';
import {
  bricks,
  dull,
  glossy,
  marble,
  plain,
  planks,
  rug,
  speckled,
  stripes,
  tiles,
  wallpaper,
  woodGrain,
} from './paints.ts';
import type { Raster } from './raster.ts';
import { type Paint, type Point, type Solid, type TracedScene, traceScene } from './tracer.ts';

/** The demo's still lifes. */

/** A table top close by, with a wall behind it. */
function stillLife(scene: Pick<TracedScene, 'floor' | 'back' | 'solids' | 'lamp'> & Partial<TracedScene>): Raster {
  return traceScene({
    size: [4, 2.4, 3],
    ceiling: dull(plain(0x9a968c)),
    left: scene.back,
    right: scene.back,
    ambient: 0.36,
    eye: [2, 0.75, 0.2],
    lookAt: [2, 0.26, 1.6],
    viewWidth: 0.95,
    ...scene,
  });
}

export function fruit(): Raster {
  const fruits: readonly (readonly [x: number, y: number, z: number, radius: number, paint: Paint])[] = [
    [1.72, 0.27, 1.5, 0.11, speckled(0xc12a22, 0xe9b54a, 13, 1)],
    [1.95, 0.26, 1.42, 0.1, speckled(0xe08a1e, 0xc86a12, 60, 2)],
    [2.15, 0.27, 1.52, 0.11, speckled(0x7fa32e, 0xc9c84a, 10, 3)],
    [1.84, 0.39, 1.52, 0.105, speckled(0xe0962a, 0xc8741a, 60, 4)],
    [2.06, 0.4, 1.54, 0.11, speckled(0xa81f2c, 0xd9583a, 9, 5)],
    [1.42, 0.12, 1.2, 0.12, speckled(0xd8c23a, 0x9fae34, 8, 6)],
    [2.62, 0.1, 1.12, 0.1, speckled(0xb5242a, 0xe3b04a, 12, 7)],
    [2.46, 0.085, 1.32, 0.085, speckled(0x4a2a5c, 0x7c5a90, 16, 8)],
    [1.25, 0.09, 1.5, 0.09, speckled(0xe0882a, 0xc8661a, 60, 9)],
  ];
  const grapes = Array.from(
    { length: 22 },
    (_, index): Solid => ({
      kind: 'sphere',
      centre: [
        2.78 + 0.2 * latticeValue(index, 1, 5),
        0.05 + 0.018 * (index % 5),
        1.35 + 0.22 * latticeValue(index, 2, 5),
      ],
      radius: 0.045,
      material: glossy(plain(mix(0x3d2250, 0x6a3d7c, latticeValue(index, 3, 5))), 0.6),
    }),
  );
  return stillLife({
    floor: dull(rug([0xf1ede2, 0xb23a34, 0xf1ede2, 0xb23a34, 0xe9dfd0, 0xcf6a5c, 0xe9dfd0], 4, 3)),
    back: dull(stripes(0x5a7466, 0x41594d, 0.22)),
    lamp: [0.7, 2.1, 0.4],
    solids: [
      {
        kind: 'cone',
        base: [1.94, 0.02, 1.5],
        height: 0.18,
        baseRadius: 0.17,
        topRadius: 0.43,
        material: glossy(stripes(0x2d5f94, 0xf0eee6, 0.09), 0.6),
      },
      ...fruits.map(
        ([x, y, z, radius, paint]): Solid => ({
          kind: 'sphere',
          centre: [x, y, z],
          radius,
          material: glossy(paint, 0.4),
        }),
      ),
      ...grapes,
      {
        kind: 'cone',
        base: [1.05, 0, 1.95],
        height: 0.55,
        baseRadius: 0.15,
        topRadius: 0.09,
        material: glossy(speckled(0xa85c32, 0x6a3218, 9, 12), 0.5),
      },
      {
        kind: 'cone',
        base: [1.05, 0.55, 1.95],
        height: 0.16,
        baseRadius: 0.06,
        topRadius: 0.09,
        material: glossy(speckled(0xa85c32, 0x6a3218, 9, 13), 0.5),
      },
    ],
  });
}

export function bottles(): Raster {
  const shapes: readonly (readonly [
    x: number,
    z: number,
    radius: number,
    height: number,
    colour: number,
    label: number,
  ])[] = [
    [0.95, 1.75, 0.15, 0.62, 0x1f4f2f, 0xe9dfc0],
    [1.35, 1.4, 0.12, 0.5, 0x6a2a1a, 0xd8c27a],
    [1.72, 1.82, 0.17, 0.72, 0x21486e, 0xf0ede4],
    [2.08, 1.38, 0.11, 0.44, 0xb98a2a, 0x5a1f1a],
    [2.4, 1.78, 0.14, 0.66, 0x4a1f3c, 0xe6d2a2],
    [2.78, 1.45, 0.13, 0.52, 0x2a6a64, 0xf0e6c8],
    [3.08, 1.85, 0.15, 0.6, 0x7a7f84, 0x2a2d30],
  ];
  const solids = shapes.flatMap(([x, z, radius, height, colour, label], index): Solid[] => {
    const glass = glossy(plain(colour, 0.02), 0.9);
    const paper: Paint = (across, along) =>
      along < height * 0.2 || along > height * 0.55
        ? colour
        : latticeValue(Math.floor(across * 50), Math.floor(along * 28), index) > 0.72
          ? 0x2a241c
          : label;
    return [
      {
        kind: 'cone',
        base: [x, 0, z],
        height: height * 0.68,
        baseRadius: radius,
        topRadius: radius,
        material: glossy(paper, 0.6),
      },
      {
        kind: 'cone',
        base: [x, height * 0.68, z],
        height: height * 0.14,
        baseRadius: radius,
        topRadius: radius * 0.34,
        material: glass,
      },
      {
        kind: 'cone',
        base: [x, height * 0.82, z],
        height: height * 0.3,
        baseRadius: radius * 0.34,
        topRadius: radius * 0.3,
        material: glass,
      },
      {
        kind: 'cone',
        base: [x, height * 1.1, z],
        height: height * 0.07,
        baseRadius: radius * 0.36,
        topRadius: radius * 0.36,
        material: dull(plain(0xc9a06a)),
      },
    ];
  });
  return stillLife({
    floor: glossy(planks(0x6f4627, 0.19, 3), 0.25),
    back: dull(tiles(0xe2d7bb, 0x9c4a34, 0.24, 0.04)),
    lamp: [3.4, 2.1, 0.5],
    eye: [2, 0.85, 0],
    lookAt: [2, 0.42, 1.6],
    solids: [
      ...solids,
      { kind: 'sphere', centre: [1.62, 0.075, 1.05], radius: 0.075, material: glossy(plain(0xd8b02c), 0.4) },
      { kind: 'sphere', centre: [1.8, 0.07, 0.98], radius: 0.07, material: glossy(plain(0xd9bd3c), 0.4) },
      {
        kind: 'cone',
        base: [2.5, 0, 1.02],
        height: 0.02,
        baseRadius: 0.2,
        topRadius: 0.24,
        material: glossy(stripes(0xf0eee8, 0x2f5c94, 0.05), 0.5),
      },
    ],
  });
}

export function blocks(): Raster {
  const colours = [0xc8352b, 0x2a6db4, 0xe3b52e, 0x2f8a4e, 0xe8e4da, 0x7a4a94, 0xd9762a] as const;
  const side = 0.2;
  /** Columns of blocks: place on the table, height in blocks. */
  const piles: readonly (readonly [x: number, z: number, blocks: number])[] = [
    [0.95, 1.9, 3],
    [1.15, 1.9, 3],
    [1.35, 1.9, 5],
    [1.55, 1.9, 2],
    [1.75, 1.9, 2],
    [1.95, 1.9, 4],
    [2.15, 1.9, 4],
    [2.35, 1.9, 1],
    [2.75, 1.75, 3],
    [2.95, 1.75, 2],
    [1.25, 1.3, 1],
    [1.9, 1.35, 2],
    [2.45, 1.25, 1],
    [2.9, 1.2, 1],
  ];
  const letters: (seed: number, colour: number) => Paint = (seed, colour) => (across, along) => {
    const column = Math.floor((across / side) * 7);
    const row = Math.floor((along / side) * 7);
    if (column < 1 || row < 1 || column > 5 || row > 5) return mix(colour, 0x000000, 0.25);
    // A random figure, the same on its left and right half.
    return latticeValue(Math.abs(column - 3), row, seed) > 0.5 ? 0xf4efe2 : colour;
  };
  const solids = piles.flatMap(([x, z, count], pile) =>
    Array.from({ length: count }, (_, level): Solid => {
      const seed = pile * 10 + level;
      const colour = colours[Math.floor(latticeValue(pile, level, 3) * colours.length)] ?? 0;
      const shift = 0.03 * (latticeValue(pile, level, 4) - 0.5);
      const min: Point = [x + shift, level * side, z + shift];
      return {
        kind: 'box',
        min,
        max: [min[0] + side * 0.97, min[1] + side * 0.985, min[2] + side * 0.97],
        material: glossy(letters(seed, colour), 0.2),
      };
    }),
  );
  return stillLife({
    floor: dull(wallpaper(0x8fb0bc, 0xdfe8e4, 0.3)),
    back: dull(wallpaper(0xefe0b8, 0xc98a5a, 0.36)),
    lamp: [2.7, 2.2, 0.3],
    eye: [1.6, 0.95, 0.05],
    lookAt: [2, 0.35, 1.7],
    viewWidth: 1.05,
    solids: [
      ...solids,
      {
        kind: 'sphere',
        centre: [2.15, 0.17, 1.0],
        radius: 0.17,
        material: glossy(stripes(0xd43a2f, 0xf2efe6, 0.09), 0.5),
      },
      {
        kind: 'cone',
        base: [1.35 + 0.1, 1.0, 2.0],
        height: 0.3,
        baseRadius: 0.14,
        topRadius: 0.001,
        material: dull(plain(0x2f7a4a)),
      },
    ],
  });
}

export function chess(): Raster {
  const side = 0.28;
  const light = glossy(marble(0xe8e0cc, 0xb8a888, 2), 0.6);
  const dark = glossy(marble(0x3a2a22, 0x6a5040, 3), 0.6);
  const piece = (column: number, row: number, height: number, isDark: boolean): readonly Solid[] => {
    const x = 0.9 + (column + 0.5) * side;
    const z = 0.7 + (row + 0.5) * side;
    const material = isDark ? dark : light;
    return [
      { kind: 'cone', base: [x, 0, z], height: 0.04, baseRadius: 0.1, topRadius: 0.085, material },
      { kind: 'cone', base: [x, 0.04, z], height, baseRadius: 0.075, topRadius: 0.035, material },
      { kind: 'cone', base: [x, 0.04 + height, z], height: 0.025, baseRadius: 0.06, topRadius: 0.06, material },
      { kind: 'sphere', centre: [x, 0.1 + height, z], radius: 0.055, material },
    ];
  };
  const places: readonly (readonly [column: number, row: number, height: number, isDark: boolean])[] = [
    [0, 6, 0.24, true],
    [1, 5, 0.14, true],
    [2, 6, 0.32, true],
    [3, 5, 0.14, true],
    [4, 6, 0.36, true],
    [6, 5, 0.14, true],
    [7, 6, 0.24, true],
    [5, 4, 0.28, true],
    [3, 3, 0.14, false],
    [1, 2, 0.14, false],
    [4, 2, 0.14, false],
    [6, 1, 0.3, false],
    [2, 1, 0.36, false],
    [0, 1, 0.14, false],
    [7, 2, 0.14, false],
  ];
  return stillLife({
    floor: dull(tiles(0xf0e2c2, 0x5c3a24, side, 0.02)),
    back: dull(bricks(0x7c5a48, 8)),
    lamp: [0.8, 2.0, 0.9],
    eye: [2.6, 1.15, 0.1],
    lookAt: [1.95, 0.12, 1.7],
    viewWidth: 1.15,
    solids: [
      ...places.flatMap(([column, row, height, isDark]) => piece(column, row, height, isDark)),
      { kind: 'box', min: [3.3, 0, 1.6], max: [3.9, 0.5, 2.4], material: glossy(woodGrain(0x8a4f2a, 4), 0.3) },
    ],
  });
}
