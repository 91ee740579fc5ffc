import { type Colour, lift, mix, rgb, shade } from './colour.ts';
import { latticeValue, layeredNoise, smoothNoise } from './noise.ts';
import { drawRaster, type Raster } from './raster.ts';

/** The demo's landscapes: painted pixel by pixel from layers of noise; x to the right and y down, 0 to 1. */

function cloudySky(x: number, y: number, horizon: number, top: Colour, bottom: Colour, seed: number): Colour {
  const depth = horizon - y + 0.03;
  const cloud = layeredNoise(x * 2.4 + 0.3 / depth, 0.6 / depth, seed, 5);
  return mix(mix(bottom, top, (horizon - y) / horizon), 0xfbf7f0, (cloud - 0.5) * 4.2);
}

export function mountainLake(): Raster {
  const shore = 0.6;
  const ranges = [
    { base: 0.3, relief: 0.3, scale: 2.3, seed: 3, colour: 0x8fa3bb, snow: 0.32 },
    { base: 0.42, relief: 0.26, scale: 3.4, seed: 8, colour: 0x5d7188, snow: 0.3 },
    { base: 0.52, relief: 0.14, scale: 6, seed: 14, colour: 0x2f4a3c, snow: 0 },
  ] as const;
  const above = (x: number, y: number): Colour => {
    for (let index = ranges.length - 1; index >= 0; index -= 1) {
      const range = ranges[index];
      if (range === undefined) break;
      const crest = range.base + range.relief * (0.5 - layeredNoise(x * range.scale, range.seed, range.seed, 6)) * 2;
      if (y < crest) continue;
      // The slope towards the light, from noise a little to the side.
      const here = layeredNoise(x * 9 + y * 3, y * 12, range.seed, 5);
      const beside = layeredNoise((x - 0.012) * 9 + y * 3, y * 12, range.seed, 5);
      const light = 0.75 + (here - beside) * 6;
      const snowy = range.snow > 0 && y < range.snow + 0.14 * here + (crest - 0.3) * 0.4;
      return shade(snowy ? 0xeef2f8 : mix(range.colour, 0x8c7a5e, range.snow > 0 ? here * 0.5 : here * 0.2), light);
    }
    return cloudySky(x, y, shore, 0x3c78bd, 0xd9e6ef, 21);
  };
  return drawRaster((x, y) => {
    if (y < shore) return above(x, y);
    const depth = (y - shore) / (1 - shore);
    const pebbles = 0.86 + 0.07 * layeredNoise(x * 3, 2, 40, 3);
    if (y > pebbles + 0.04 * smoothNoise(x * 30, 3, 5)) {
      const stone = latticeValue(Math.floor(x * 70 + smoothNoise(x * 20, y * 20, 4) * 3), Math.floor(y * 55), 6);
      return shade(mix(0x8a8378, 0x4f4a44, stone), 0.6 + 0.6 * layeredNoise(x * 40, y * 40, 7, 3));
    }
    const ripple = (smoothNoise(x * 26, y * 160 - depth * 60, 9) - 0.5) * 0.02 * (0.4 + depth);
    return mix(above(x + ripple, shore - (y - shore) * 0.95 + ripple), 0x16384f, 0.25 + 0.35 * depth);
  });
}

export function coast(): Raster {
  const horizon = 0.46;
  const sunX = 0.68;
  return drawRaster((x, y) => {
    // The lighthouse on its rock, on the left.
    const towerX = (x - 0.2) / (0.035 - 0.022 * (0.62 - y));
    const tower = y > 0.2 && y < 0.66 && Math.abs(towerX) < 1;
    if (tower)
      return shade(
        y < 0.25 ? 0xf6dc7a : Math.floor(y * 22) & 1 ? 0xe9e4da : 0xa82f2a,
        0.55 + 0.45 * Math.sqrt(1 - towerX * towerX),
      );
    if (y > 0.17 && y <= 0.2 && Math.abs(x - 0.2) < 0.03 * (1 - (0.2 - y) / 0.03)) return 0x2c2c30;
    const rock = 0.62 + 0.9 * (x - 0.2) ** 2 + 0.12 * (layeredNoise(x * 8, 1, 4, 5) - 0.5);
    if (x < 0.55 && y > rock)
      return shade(
        mix(0x574a40, 0x2c3a2c, layeredNoise(x * 7, y * 5, 2, 3)),
        0.4 + 1.1 * layeredNoise(x * 30, y * 22, 8, 4),
      );
    const headland = horizon - 0.09 * Math.max(0, layeredNoise(x * 4, 9, 17, 4) - 0.42) * 5 * (x > 0.72 ? 1 : 0);
    if (y < horizon && y > headland) return mix(0x4a4460, 0x6a5a6c, layeredNoise(x * 30, y * 30, 3, 3));
    const sun = Math.hypot((x - sunX) * 1.333, y - 0.36);
    if (y < horizon) {
      const bands = layeredNoise(x * 2.2, y * 13, 31, 5);
      const sky = mix(mix(0xf8c070, 0x36528c, (horizon - y) * 2), 0x7c4a5c, (bands - 0.5) * 5);
      return sun < 0.055 ? 0xfff3c4 : lift(sky, 90 * Math.max(0, 0.4 - sun));
    }
    const distance = 0.035 / (y - horizon + 0.012);
    const wave = layeredNoise(x * 14 * distance + 3, distance * 30, 12, 4);
    const crest = wave > 0.62 && y > 0.6;
    const glitter = Math.abs(x - sunX) < 0.05 + 0.25 * (y - horizon) && smoothNoise(x * 90, distance * 90, 6) > 0.55;
    const water = mix(mix(0xc98a6a, 0x1f4a66, (y - horizon) * 3.4), 0x0d2a40, (wave - 0.4) * 2.2);
    return glitter ? 0xffdf9c : crest ? mix(water, 0xf0f0ea, (wave - 0.62) * 9) : water;
  });
}

export function winterWood(): Raster {
  /** A conifer of a layer: where its trunk stands, how high it is. */
  const layers = [
    { ground: 0.56, height: 0.24, spacing: 0.045, colour: 0x8a9aa6, seed: 2 },
    { ground: 0.66, height: 0.36, spacing: 0.085, colour: 0x4c6468, seed: 5 },
    { ground: 0.82, height: 0.62, spacing: 0.21, colour: 0x1f3a34, seed: 9 },
  ] as const;
  return drawRaster((x, y) => {
    for (let index = layers.length - 1; index >= 0; index -= 1) {
      const layer = layers[index];
      if (layer === undefined) break;
      const first = Math.floor(x / layer.spacing);
      for (let slot = first - 1; slot <= first + 1; slot += 1) {
        const middle = (slot + 0.2 + 0.6 * latticeValue(slot, 1, layer.seed)) * layer.spacing;
        const height = layer.height * (0.6 + 0.5 * latticeValue(slot, 2, layer.seed));
        const foot = layer.ground + 0.05 * latticeValue(slot, 3, layer.seed);
        const up = (foot - y) / height;
        if (up < 0 || up > 1) continue;
        const sideways = Math.abs(x - middle) / height;
        if (up < 0.1 && sideways < 0.022) return 0x3a2a20;
        const tier = (up * 7) % 1;
        const width = 0.25 * (1 - up) * (1.15 - 0.5 * tier) + 0.012 * (smoothNoise(x * 160, y * 160, slot) - 0.5);
        if (up >= 0.08 && sideways < width) {
          const snow = tier < 0.36 + 0.3 * smoothNoise(x * 120, y * 60, slot + 3);
          return snow
            ? shade(0xf0f4f8, 0.82 + 0.2 * (x > middle ? 0 : 1))
            : shade(layer.colour, 0.6 + 0.7 * smoothNoise(x * 200, y * 200, slot));
        }
      }
    }
    const snowLine = 0.58 + 0.06 * (layeredNoise(x * 3, 4, 8, 4) - 0.5);
    if (y > snowLine) {
      // A path winds towards the camera.
      const near = (y - snowLine) / (1 - snowLine);
      const path = Math.abs(x - 0.52 - 0.16 * Math.sin(near * 5 + 0.6)) < 0.018 + 0.13 * near;
      const drift = layeredNoise(x * 6, y * 26, 13, 4);
      return path
        ? shade(0x8a7c6e, 0.6 + 0.6 * layeredNoise(x * 60, y * 50, 6, 3))
        : shade(mix(0xf2f5fa, 0x9fb4cf, (drift - 0.35) * 1.9), 1);
    }
    const low = Math.hypot((x - 0.25) * 1.333, y - 0.3);
    return lift(
      mix(0xd9c8c0, 0x7c9cc4, 1 - y / snowLine),
      60 * Math.max(0, 0.5 - low) + 14 * (layeredNoise(x * 3, y * 9, 44, 4) - 0.5),
    );
  });
}

export function cityNight(): Raster {
  const quay = 0.72;
  const rows = [
    { base: 0.5, width: 0.05, relief: 0.34, wall: 0x1c2440, seed: 3 },
    { base: 0.6, width: 0.085, relief: 0.4, wall: 0x121830, seed: 7 },
    { base: 0.68, width: 0.13, relief: 0.26, wall: 0x2a2030, seed: 12 },
  ] as const;
  const above = (x: number, y: number): Colour => {
    for (let index = rows.length - 1; index >= 0; index -= 1) {
      const row = rows[index];
      if (row === undefined) break;
      const house = Math.floor(x / row.width + row.seed * 0.37);
      const inHouse = x / row.width + row.seed * 0.37 - house;
      const roof = row.base - row.relief * latticeValue(house, 1, row.seed);
      if (y < roof) {
        const mast = latticeValue(house, 5, row.seed) > 0.7 && Math.abs(inHouse - 0.5) < 0.03 && y > roof - 0.05;
        if (mast) return 0x0a0c16;
        continue;
      }
      if (inHouse < 0.04) return 0x05070e;
      const columns = 4 + Math.floor(4 * latticeValue(house, 2, row.seed));
      const column = inHouse * columns;
      const storey = (y - roof) * 52;
      const isWindow = column % 1 > 0.24 && column % 1 < 0.8 && storey % 1 > 0.3 && storey % 1 < 0.82 && storey > 0.6;
      const isLit = latticeValue(Math.floor(column) + house * 16, Math.floor(storey), row.seed + 1) > 0.5;
      if (isWindow)
        return isLit
          ? mix(0xffe2a0, 0xf0a040, latticeValue(Math.floor(column) + house * 16, Math.floor(storey), row.seed + 2))
          : 0x0c1120;
      return shade(row.wall, 0.8 + 1.2 * latticeValue(house, 3, row.seed));
    }
    const moon = Math.hypot((x - 0.78) * 1.333, y - 0.14);
    if (moon < 0.06) return mix(0xf4efdc, 0xb8b09a, (layeredNoise(x * 40, y * 40, 4, 3) - 0.35) * 2);
    if (latticeValue(Math.floor(x * 400), Math.floor(y * 300), 77) > 0.9965) return 0xdfe6f4;
    return lift(
      mix(0x3a3a66, 0x070a1a, 1 - y / 0.6),
      70 * Math.max(0, 0.3 - moon) + 30 * Math.max(0, layeredNoise(x * 3, y * 7, 6, 5) - 0.5),
    );
  };
  return drawRaster((x, y) => {
    if (y < quay) return above(x, y);
    if (y < quay + 0.025) return shade(0x55504a, 0.6 + 0.6 * latticeValue(Math.floor(x * 90), Math.floor(y * 120), 3));
    const depth = y - quay - 0.025;
    const blur = (smoothNoise(x * 18, y * 190, 5) - 0.5) * (0.01 + 0.12 * depth);
    const seen = above(x + blur, quay - depth * 1.9 - 0.02 * smoothNoise(x * 60, y * 90, 8));
    const bridge = Math.abs(((x * 3) % 1) - 0.5) < 0.02 && depth < 0.03;
    return bridge ? rgb(240, 200, 120) : shade(mix(seen, 0x0a1a2c, 0.35), 0.75 + 0.5 * smoothNoise(x * 30, y * 200, 2));
  });
}
