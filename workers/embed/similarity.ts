import type { Pyramid } from './pyramid.ts';
import type { FloatRaster, RowSink } from './resample.ts';

export type Point = readonly [x: number, y: number];

/** Turn, scale and shift: x' = a x - b y + tx, y' = b x + a y + ty. */
export interface Similarity {
  readonly a: number;
  readonly b: number;
  readonly tx: number;
  readonly ty: number;
}

export const transformed = ({ a, b, tx, ty }: Similarity, [x, y]: Point): [number, number] => [
  a * x - b * y + tx,
  b * x + a * y + ty,
];

export const scaleOf = ({ a, b }: Similarity): number => Math.hypot(a, b);

/**
 * The similarity that brings `from` onto `to` with the least sum of squares (S. Umeyama, PAMI 13(4), 1991; in the plane and without
 * reflection it has this closed form). Undefined where the points of `from` all coincide or are not as many as those of `to`.
 */
export function fitSimilarity(from: readonly Point[], to: readonly Point[]): Similarity | undefined {
  if (from.length === 0 || from.length !== to.length) return undefined;
  const [fromX, fromY] = centroid(from);
  const [toX, toY] = centroid(to);
  let along = 0;
  let across = 0;
  let spread = 0;
  for (let i = 0; i < from.length; i++) {
    const [px = 0, py = 0] = from[i] ?? [];
    const [qx = 0, qy = 0] = to[i] ?? [];
    const [x, y, u, v] = [px - fromX, py - fromY, qx - toX, qy - toY];
    along += x * u + y * v;
    across += x * v - y * u;
    spread += x * x + y * y;
  }
  if (!(spread > 0) || !Number.isFinite(along + across)) return undefined;
  const a = along / spread;
  const b = across / spread;
  if (a === 0 && b === 0) return undefined;
  return { a, b, tx: toX - a * fromX + b * fromY, ty: toY - b * fromX - a * fromY };
}

export function centroid(points: readonly Point[]): [number, number] {
  let x = 0;
  let y = 0;
  for (const point of points) {
    x += point[0];
    y += point[1];
  }
  return [x / points.length, y / points.length];
}

/** Reduced further than this by plain interpolation, a chip would show aliases; reduced less before, it would lose detail. */
const LEAST_REMAINING_REDUCTION = 0.9;

/**
 * The chip that `toPicture` (from chip to picture, origins at outer corners) cuts out of the picture, row by row: bilinear between the pixels of the pyramid level
 * nearest to its scale, black beyond the picture.
 */
export function warpRows(
  pyramid: Pyramid,
  toPicture: Similarity,
  widthPixels: number,
  heightPixels: number,
  sink: RowSink,
): void {
  const level = pyramid.forReduction(scaleOf(toPicture), LEAST_REMAINING_REDUCTION);
  const { pixels, widthPixels: w, heightPixels: h, factor } = level;
  const [a, b] = [toPicture.a / factor, toPicture.b / factor];
  const row = new Float32Array(widthPixels * 3);
  const start = transformed(toPicture, [0.5, 0.5]);
  for (let y = 0; y < heightPixels; y++) {
    let px = start[0] / factor - 0.5 - b * y;
    let py = start[1] / factor - 0.5 + a * y;
    row.fill(0);
    for (let to = 0; to < row.length; to += 3, px += a, py += b) {
      const left = Math.floor(px);
      const top = Math.floor(py);
      if (left < -1 || top < -1 || left >= w || top >= h) continue;
      const fx = px - left;
      const fy = py - top;
      // The outermost half pixel belongs to the edge's own pixel.
      const x0 = left < 0 ? 0 : left;
      const x1 = left + 1 >= w ? w - 1 : left + 1;
      const y0 = (top < 0 ? 0 : top) * w;
      const y1 = (top + 1 >= h ? h - 1 : top + 1) * w;
      const p00 = (y0 + x0) * 3;
      const p01 = (y0 + x1) * 3;
      const p10 = (y1 + x0) * 3;
      const p11 = (y1 + x1) * 3;
      const w00 = (1 - fx) * (1 - fy);
      const w01 = fx * (1 - fy);
      const w10 = (1 - fx) * fy;
      const w11 = fx * fy;
      for (let c = 0; c < 3; c++)
        row[to + c] =
          w00 * (pixels[p00 + c] ?? 0) +
          w01 * (pixels[p01 + c] ?? 0) +
          w10 * (pixels[p10 + c] ?? 0) +
          w11 * (pixels[p11 + c] ?? 0);
    }
    sink(row, y);
  }
}

/** As warpRows, all rows at once. */
export function warp(pyramid: Pyramid, toPicture: Similarity, widthPixels: number, heightPixels: number): FloatRaster {
  const values = new Float32Array(widthPixels * heightPixels * 3);
  warpRows(pyramid, toPicture, widthPixels, heightPixels, (row, y) => values.set(row, y * row.length));
  return { values, widthPixels, heightPixels };
}
