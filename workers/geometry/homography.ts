import type { ModelKind } from './consensus.ts';
import type { Correspondences } from './correspondences.ts';
import { solveInPlace } from './linear-algebra.ts';
import { centreAndScale } from './normalise.ts';

// A homography is a projective map of the plane, nine numbers row by row, from the first picture to the second.

/** Map of the unit square's corners (0,0) (1,0) (1,1) (0,1) onto four places (Heckbert 1989, section 2.2.3). */
function fromSquare(x: ArrayLike<number>, y: ArrayLike<number>, corner: Int32Array): Float64Array | undefined {
  const at = (values: ArrayLike<number>, k: number) => values[corner[k] ?? 0] ?? 0;
  const [x0, x1, x2, x3] = [at(x, 0), at(x, 1), at(x, 2), at(x, 3)];
  const [y0, y1, y2, y3] = [at(y, 0), at(y, 1), at(y, 2), at(y, 3)];
  const sx = x0 - x1 + x2 - x3;
  const sy = y0 - y1 + y2 - y3;
  const dx1 = x1 - x2;
  const dx2 = x3 - x2;
  const dy1 = y1 - y2;
  const dy2 = y3 - y2;
  const determinant = dx1 * dy2 - dx2 * dy1;
  if (Math.abs(determinant) < 1e-9) return undefined;
  const g = (sx * dy2 - dx2 * sy) / determinant;
  const h = (dx1 * sy - sx * dy1) / determinant;
  return Float64Array.of(x1 - x0 + g * x1, x3 - x0 + h * x3, x0, y1 - y0 + g * y1, y3 - y0 + h * y3, y0, g, h, 1);
}

/** Transposed matrix of cofactors: the inverse but for a factor, which a projective map does not need. */
function adjugate(m: Float64Array): Float64Array {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0, i = 0] = m;
  return Float64Array.of(
    e * i - f * h,
    c * h - b * i,
    b * f - c * e,
    f * g - d * i,
    a * i - c * g,
    c * d - a * f,
    d * h - e * g,
    b * g - a * h,
    a * e - b * d,
  );
}

function multiply(a: Float64Array, b: Float64Array): Float64Array {
  const product = new Float64Array(9);
  for (let row = 0; row < 9; row += 3) {
    for (let column = 0; column < 3; column++) {
      product[row + column] =
        (a[row] ?? 0) * (b[column] ?? 0) +
        (a[row + 1] ?? 0) * (b[column + 3] ?? 0) +
        (a[row + 2] ?? 0) * (b[column + 6] ?? 0);
    }
  }
  return product;
}

/** Twice the signed area of the triangle of corners i, j, k. */
function area(x: Float64Array, y: Float64Array, corner: Int32Array, i: number, j: number, k: number): number {
  const [p = 0, q = 0, r = 0] = [corner[i], corner[j], corner[k]];
  const [px = 0, py = 0] = [x[p], y[p]];
  return ((x[q] ?? 0) - px) * ((y[r] ?? 0) - py) - ((x[r] ?? 0) - px) * ((y[q] ?? 0) - py);
}

const TRIANGLES = [
  [0, 1, 2],
  [1, 2, 3],
  [2, 3, 0],
  [3, 0, 1],
] as const;
/** A triangle this flat (square units) says nothing about a plane. */
const LEAST_AREA = 200;

/** A plane seen from its front twice keeps the turning sense of every triangle; mirrored pictures are not looked for. */
function isPlausible(pairs: Correspondences, sample: Int32Array): boolean {
  return TRIANGLES.every(([i, j, k]) => {
    const first = area(pairs.ax, pairs.ay, sample, i, j, k);
    const second = area(pairs.bx, pairs.by, sample, i, j, k);
    return first * second > 0 && Math.abs(first) > LEAST_AREA && Math.abs(second) > LEAST_AREA;
  });
}

function fromSample(pairs: Correspondences, sample: Int32Array): Float64Array[] {
  if (!isPlausible(pairs, sample)) return [];
  const first = fromSquare(pairs.ax, pairs.ay, sample);
  const second = fromSquare(pairs.bx, pairs.by, sample);
  if (first === undefined || second === undefined) return [];
  return [multiply(second, adjugate(first))];
}

/** Normalised direct linear transformation (Hartley and Zisserman 2004, algorithm 4.2), least squares with the last element 1. */
function fromMany(pairs: Correspondences, chosen: Int32Array): Float64Array | undefined {
  const from = centreAndScale(pairs.ax, pairs.ay, chosen);
  const to = centreAndScale(pairs.bx, pairs.by, chosen);
  const rows = new Float64Array(8 * 9);
  const equation = new Float64Array(9);
  const add = () => {
    for (let i = 0; i < 8; i++) {
      for (let j = 0; j < 9; j++) rows[i * 9 + j] = (rows[i * 9 + j] ?? 0) + (equation[i] ?? 0) * (equation[j] ?? 0);
    }
  };
  for (const at of chosen) {
    const x = ((pairs.ax[at] ?? 0) - from.x) * from.scale;
    const y = ((pairs.ay[at] ?? 0) - from.y) * from.scale;
    const u = ((pairs.bx[at] ?? 0) - to.x) * to.scale;
    const v = ((pairs.by[at] ?? 0) - to.y) * to.scale;
    equation.set([x, y, 1, 0, 0, 0, -u * x, -u * y, u]);
    add();
    equation.set([0, 0, 0, x, y, 1, -v * x, -v * y, v]);
    add();
  }
  if (!solveInPlace(rows, 8)) return undefined;
  const normalised = Float64Array.from({ length: 9 }, (_, i) => (i < 8 ? (rows[i * 9 + 8] ?? 0) : 1));
  const enter = Float64Array.of(from.scale, 0, -from.scale * from.x, 0, from.scale, -from.scale * from.y, 0, 0, 1);
  const leave = Float64Array.of(1 / to.scale, 0, to.x, 0, 1 / to.scale, to.y, 0, 0, 1);
  return multiply(leave, multiply(normalised, enter));
}

/** The larger of the squared errors there and back, so that a map that crushes a picture to a point explains nothing. */
function measure(pairs: Correspondences, m: Float64Array, errors: Float64Array): void {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0, i = 0] = m;
  const [ia = 0, ib = 0, ic = 0, id = 0, ie = 0, jf = 0, ig = 0, ih = 0, ii = 0] = adjugate(m);
  const { ax, ay, bx, by, count } = pairs;
  for (let k = 0; k < count; k++) {
    const x = ax[k] ?? 0;
    const y = ay[k] ?? 0;
    const u = bx[k] ?? 0;
    const v = by[k] ?? 0;
    const w = g * x + h * y + i;
    const forthX = (a * x + b * y + c) / w - u;
    const forthY = (d * x + e * y + f) / w - v;
    const back = ig * u + ih * v + ii;
    const backX = (ia * u + ib * v + ic) / back - x;
    const backY = (id * u + ie * v + jf) / back - y;
    const error = Math.max(forthX * forthX + forthY * forthY, backX * backX + backY * backY);
    errors[k] = error >= 0 ? error : Number.POSITIVE_INFINITY;
  }
}

/** A plane is rarely quite one, hence the wide threshold: 4 pixels at 640. */
export const HOMOGRAPHY: ModelKind = { sampleSize: 4, fromSample, fromMany, measure, threshold: 6, mostDraws: 500 };
