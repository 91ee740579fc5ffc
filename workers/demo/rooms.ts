import { rgb } from './colour.ts';
import {
  books,
  bricks,
  dull,
  glossy,
  marble,
  painting,
  plain,
  planks,
  rug,
  speckled,
  stripes,
  tiles,
  view,
  wallpaper,
  woodGrain,
} from './paints.ts';
import type { Raster } from './raster.ts';
import { type Box, type Cone, type Material, type Point, type Solid, type TracedScene, traceScene } from './tracer.ts';

/** The demo's rooms: no people, nothing but furniture. */

function box(
  min: Point,
  size: Point,
  material: Material,
  rest: { readonly front?: Material; readonly top?: Material } = {},
): Box {
  return { kind: 'box', min, max: [min[0] + size[0], min[1] + size[1], min[2] + size[2]], material, ...rest };
}

function post(base: Point, height: number, baseRadius: number, topRadius: number, material: Material): Cone {
  return { kind: 'cone', base, height, baseRadius, topRadius, material };
}

/** Four legs under a board. */
function table(at: Point, size: Point, board: Material, leg: Material): readonly Solid[] {
  const thickness = 0.05;
  const legs = ([0.06, size[0] - 0.12] as const).flatMap((x) =>
    ([0.06, size[2] - 0.12] as const).map((z) => box([at[0] + x, at[1], at[2] + z], [0.06, size[1], 0.06], leg)),
  );
  return [box([at[0], at[1] + size[1], at[2]], [size[0], thickness, size[2]], board), ...legs];
}

/** Seat, back and legs; the back away from the camera or towards it. */
function chair(at: Point, backZ: number, material: Material): readonly Solid[] {
  return [
    ...table(at, [0.44, 0.45, 0.44], material, material),
    box([at[0], at[1] + 0.5, at[2] + backZ], [0.44, 0.5, 0.04], material),
  ];
}

export function livingRoom(): Raster {
  const cloth = dull(speckled(0x8f3b32, 0x5d1f1c, 40, 11));
  const cushion = dull(stripes(0xe6c15a, 0x2c4a60, 0.06));
  const oak = glossy(woodGrain(0xa8713c, 12), 0.25);
  const scene: TracedScene = {
    size: [6, 2.8, 5.4],
    floor: glossy(planks(0xb98650, 0.16, 1), 0.12),
    ceiling: dull(plain(0xe8e4da)),
    left: dull(wallpaper(0xcfd6c2, 0x93a886, 0.42)),
    right: dull(wallpaper(0xcfd6c2, 0x93a886, 0.42)),
    back: dull(wallpaper(0xd5dac9, 0x8aa07e, 0.42)),
    lamp: [2.2, 2.5, 1.6],
    ambient: 0.42,
    eye: [3.2, 1.55, 0.15],
    lookAt: [2.8, 1.02, 4],
    viewWidth: 1.35,
    solids: [
      box([0.9, 0.9, 5.34], [1.9, 1.5, 0.05], dull(view(1.9, 1.5, 31))),
      box([3.7, 1.35, 5.34], [1.2, 0.8, 0.05], dull(painting(1.2, 0.8, 14))),
      // Sofa: seat, back, arms, cushions.
      box([2.9, 0, 4.15], [2.4, 0.42, 0.95], cloth),
      box([2.9, 0.42, 4.8], [2.4, 0.48, 0.3], cloth),
      box([2.7, 0, 4.1], [0.25, 0.62, 1], cloth),
      box([5.25, 0, 4.1], [0.25, 0.62, 1], cloth),
      box([3.15, 0.43, 4.5], [0.42, 0.4, 0.14], cushion),
      box([4.55, 0.43, 4.5], [0.42, 0.4, 0.14], cushion),
      box(
        [1.9, 0, 2.2],
        [2.7, 0.012, 1.7],
        dull(rug([0x7a1f24, 0xe0c48a, 0x1f3550, 0xb4502f, 0x234a44, 0xd9b26a, 0x5b1d2c], 2.7, 1.7)),
        {
          top: dull(rug([0x7a1f24, 0xe0c48a, 0x1f3550, 0xb4502f, 0x234a44, 0xd9b26a, 0x5b1d2c], 2.7, 1.7)),
        },
      ),
      ...table([2.5, 0.01, 2.7], [1.2, 0.38, 0.7], oak, oak),
      {
        kind: 'sphere',
        centre: [2.85, 0.57, 3.05],
        radius: 0.13,
        material: glossy(marble(0x3a6a7a, 0xe8e8e0, 4), 0.7),
      },
      // Standing lamp.
      post([0.75, 0, 4.6], 1.5, 0.025, 0.025, dull(plain(0x2a2a2c))),
      post([0.75, 1.45, 4.6], 0.4, 0.3, 0.17, dull(stripes(0xf6e6b4, 0xe2c98a, 0.05))),
      box([5.55, 0, 2.3], [0.43, 2.05, 1.6], glossy(woodGrain(0x6d4524, 5), 0.1)),
      box([5.53, 0.05, 2.35], [0.03, 1.95, 1.5], dull(books(8, 0.39))),
    ],
  };
  return traceScene(scene);
}

export function kitchen(): Raster {
  const door = glossy(stripes(0x3f6f78, 0x35606a, 0.6), 0.3);
  const stone = glossy(speckled(0x3b3b3e, 0xb9b4aa, 55, 3), 0.4);
  const steel = glossy(stripes(0xc3c8cb, 0xb2b8bc, 0.02), 0.8);
  const fronts = [0, 1, 2, 3, 4].flatMap((index) => [
    box([0.55 + index * 0.82, 0.08, 4.06], [0.78, 0.76, 0.02], door),
    box([1.02 + index * 0.82, 0.68, 4.03], [0.24, 0.025, 0.03], steel),
  ]);
  const pine = glossy(woodGrain(0xd6a765, 2), 0.15);
  const scene: TracedScene = {
    size: [5, 2.6, 4.7],
    floor: glossy(tiles(0xf0ece2, 0x2b2d30, 0.42), 0.3),
    ceiling: dull(plain(0xf1efe9)),
    left: dull(plain(0xdcb46a, 0.04)),
    right: dull(plain(0xdcb46a, 0.04)),
    back: glossy(tiles(0xe8eef0, 0xb9ced6, 0.15, 0.05), 0.2),
    lamp: [2.4, 2.35, 1.5],
    ambient: 0.4,
    eye: [1.2, 1.6, 0.1],
    lookAt: [2.9, 0.85, 3.4],
    viewWidth: 1.3,
    solids: [
      box([0.5, 0, 4.08], [4.3, 0.86, 0.62], dull(plain(0x2d4f56))),
      box([0.45, 0.86, 4.02], [4.4, 0.04, 0.68], stone),
      ...fronts,
      box([0.5, 1.5, 4.3], [1.6, 0.75, 0.4], glossy(stripes(0x3f6f78, 0x2d545c, 0.4), 0.3)),
      box([3.7, 1.5, 4.3], [1.2, 0.75, 0.4], glossy(stripes(0x3f6f78, 0x2d545c, 0.4), 0.3)),
      box([2.3, 1.2, 4.64], [1.2, 1.1, 0.05], dull(view(1.2, 1.1, 77))),
      post([1.1, 0.9, 4.3], 0.24, 0.12, 0.12, steel),
      post([1.5, 0.9, 4.32], 0.18, 0.09, 0.11, glossy(plain(0xb8402f), 0.6)),
      { kind: 'sphere', centre: [3.9, 1, 4.3], radius: 0.1, material: glossy(plain(0xd98a1f), 0.4) },
      { kind: 'sphere', centre: [4.1, 0.99, 4.25], radius: 0.09, material: glossy(plain(0x8aa83a), 0.4) },
      ...table([2.2, 0, 1.9], [1.7, 0.72, 0.95], pine, pine),
      ...chair([1.75, 0, 2.15], 0.4, pine),
      ...chair([3.0, 0, 1.35], 0, pine),
      post([3.0, 0.77, 2.4], 0.05, 0.2, 0.3, glossy(stripes(0xf4f2ec, 0x2f5fa0, 0.07), 0.6)),
      {
        kind: 'sphere',
        centre: [2.94, 0.88, 2.36],
        radius: 0.1,
        material: glossy(speckled(0xc8372d, 0xe8b84a, 14, 6), 0.5),
      },
      {
        kind: 'sphere',
        centre: [3.1, 0.87, 2.46],
        radius: 0.09,
        material: glossy(speckled(0xd2b13a, 0x9ab23c, 12, 9), 0.5),
      },
      // Refrigerator.
      box([0.02, 0, 2.6], [0.7, 1.9, 0.75], glossy(plain(0xe9ebec, 0.02), 0.5), { front: steel }),
      box([0.72, 0.85, 2.7], [0.03, 0.5, 0.03], steel),
    ],
  };
  return traceScene(scene);
}

export function study(): Raster {
  const mahogany = glossy(woodGrain(0x7c3f24, 21), 0.35);
  const leather = glossy(speckled(0x2e4a38, 0x1c2f24, 70, 17), 0.35);
  const scene: TracedScene = {
    size: [5.2, 3, 5],
    floor: glossy(planks(0x7c4f2b, 0.11, 6), 0.2),
    ceiling: dull(stripes(0xcdbb98, 0xa8906a, 0.5)),
    left: dull(books(3, 0.36)),
    right: dull(plain(0x40584e, 0.05)),
    back: dull(books(41, 0.36)),
    lamp: [3.1, 2.2, 1.4],
    ambient: 0.36,
    eye: [4.3, 1.6, 0.2],
    lookAt: [2.0, 1.05, 4],
    viewWidth: 1.4,
    solids: [
      box([5.14, 0.8, 2.2], [0.05, 1.6, 1.7], dull(view(1.7, 1.6, 12))),
      ...[0, 1.3, 2.6, 3.9, 5.1].map((x) => box([x - 0.05, 0, 4.8], [0.1, 3, 0.2], mahogany)),
      ...[1.2, 2.5, 3.8].map((z) => box([0, 0, z], [0.18, 3, 0.1], mahogany)),
      // Desk: board, drawers, blotter, papers, lamp, globe.
      box([1.5, 0.72, 2.3], [1.9, 0.05, 0.95], mahogany, { top: mahogany }),
      box([1.55, 0, 2.4], [0.5, 0.72, 0.8], mahogany, { front: glossy(tiles(0x7c3f24, 0x6a341d, 0.24, 0.08), 0.3) }),
      box([2.85, 0, 2.4], [0.5, 0.72, 0.8], mahogany, { front: glossy(tiles(0x7c3f24, 0x6a341d, 0.24, 0.08), 0.3) }),
      box([2.1, 0.775, 2.4], [0.7, 0.01, 0.5], leather),
      box([2.25, 0.79, 2.45], [0.21, 0.008, 0.3], dull(stripes(0xf4f1e6, 0xc8c4b6, 0.014))),
      box([2.55, 0.79, 2.55], [0.21, 0.03, 0.28], dull(plain(0x8a2f2a))),
      post([3.1, 0.77, 2.75], 0.36, 0.06, 0.02, glossy(plain(0xb08a3a), 0.7)),
      post([3.1, 1.08, 2.75], 0.16, 0.2, 0.09, glossy(plain(0x2f7a56), 0.5)),
      post([1.72, 0.77, 2.75], 0.12, 0.09, 0.02, glossy(plain(0xb08a3a), 0.7)),
      {
        kind: 'sphere',
        centre: [1.72, 1.05, 2.75],
        radius: 0.19,
        material: glossy(speckled(0x3d6f9c, 0xc7a55a, 6, 33), 0.5),
      },
      ...chair([2.2, 0, 3.35], 0.4, leather),
      box([0.9, 0, 0.9], [2.9, 0.012, 3.2], dull(plain(0x5a2a2c)), {
        top: dull(rug([0x5a2a2c, 0xd6b36a, 0x5a2a2c, 0x26405c, 0x7a3030, 0x26405c, 0xb98a4a], 2.9, 3.2)),
      }),
    ],
  };
  return traceScene(scene);
}

export function hallway(): Raster {
  const white = dull(plain(0xe7e3da, 0.03));
  const doors = [1.4, 4.1, 6.8].flatMap((z, index) => [
    box(
      [0, 0, z],
      [0.06, 2.1, 1.05],
      dull(tiles(rgb(120 - index * 25, 70 + index * 20, 60), rgb(96 - index * 20, 56 + index * 16, 48), 0.5, 0.07)),
    ),
    box([2.34, 0, z + 0.7], [0.06, 2.1, 1.05], dull(tiles(0x46607a, 0x3a5168, 0.5, 0.07))),
  ]);
  const columns = [2.9, 5.6, 8.3].flatMap((z) => [
    post([0.2, 0, z], 3.1, 0.13, 0.1, glossy(marble(0xe6e0d4, 0x8a7f74, 6), 0.3)),
    post([2.2, 0, z], 3.1, 0.13, 0.1, glossy(marble(0xe6e0d4, 0x8a7f74, 8), 0.3)),
    box([0.02, 0, z - 0.18], [0.36, 0.22, 0.36], white),
    box([2.02, 0, z - 0.18], [0.36, 0.22, 0.36], white),
  ]);
  const scene: TracedScene = {
    size: [2.4, 3.1, 10],
    floor: glossy(tiles(0xd8cfbd, 0x7e3b2c, 0.4), 0.35),
    ceiling: dull(tiles(0xf2eee4, 0xd9d2c2, 0.8, 0.08)),
    left: dull(bricks(0xb5644a, 2)),
    right: dull(bricks(0xb5644a, 9)),
    back: dull(plain(0xc9b98e)),
    lamp: [1.15, 2.45, 2.2],
    ambient: 0.44,
    eye: [1.3, 1.5, 0.1],
    lookAt: [1.15, 1.35, 6],
    viewWidth: 1.25,
    solids: [
      ...doors,
      ...columns,
      box([0.5, 0.1, 9.92], [1.4, 2.5, 0.06], dull(view(1.4, 2.5, 5))),
      box([0.75, 0, 0.6], [0.9, 0.01, 8.6], dull(plain(0x244a3c)), {
        top: dull(rug([0x244a3c, 0xd8b45a, 0x244a3c, 0x7c1f2a, 0x9c3a2f, 0x7c1f2a, 0xd8b45a], 0.9, 8.6)),
      }),
      { kind: 'sphere', centre: [1.2, 2.82, 3.6], radius: 0.2, material: glossy(plain(0xfff4cf, 0.01), 0.3) },
      { kind: 'sphere', centre: [1.2, 2.82, 6.6], radius: 0.2, material: glossy(plain(0xfff4cf, 0.01), 0.3) },
      post([1.95, 0, 1.9], 0.5, 0.14, 0.2, glossy(stripes(0x2f5c8a, 0xe9e6dd, 0.08), 0.5)),
      { kind: 'sphere', centre: [1.95, 0.85, 1.9], radius: 0.32, material: dull(speckled(0x2f6a33, 0x8fbf5a, 22, 4)) },
    ],
  };
  return traceScene(scene);
}
