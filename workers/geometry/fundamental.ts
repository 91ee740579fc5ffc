import type { ModelKind } from './consensus.ts';
import type { Correspondences } from './correspondences.ts';
import { smallestEigenvector } from './linear-algebra.ts';
import { centreAndScale, type Normalisation } from './normalise.ts';

// A fundamental matrix F is nine numbers row by row: (u, v, 1) F (x, y, 1)' = 0 for (x, y) in the first picture and (u, v) in the second.

/** Both pictures' coordinates brought near 1, the same way for every sample. */
const WHOLE: Normalisation = { x: 500, y: 500, scale: 1 / 300 };

function equationOf(row: Float64Array, at: number, x: number, y: number, u: number, v: number): void {
  row[at] = u * x;
  row[at + 1] = u * y;
  row[at + 2] = u;
  row[at + 3] = v * x;
  row[at + 4] = v * y;
  row[at + 5] = v;
  row[at + 6] = x;
  row[at + 7] = y;
  row[at + 8] = 1;
}

/** From normalised coordinates back to those of the pairs: F = T2' Fn T1. */
function denormalise(n: Float64Array, first: Normalisation, second: Normalisation): Float64Array {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0, i = 0] = n;
  const s = first.scale;
  const t = second.scale;
  // Columns by T1: scale and shift of x, y.
  const c0 = a * s;
  const c1 = b * s;
  const c2 = c - s * (a * first.x + b * first.y);
  const c3 = d * s;
  const c4 = e * s;
  const c5 = f - s * (d * first.x + e * first.y);
  const c6 = g * s;
  const c7 = h * s;
  const c8 = i - s * (g * first.x + h * first.y);
  return Float64Array.of(
    c0 * t,
    c1 * t,
    c2 * t,
    c3 * t,
    c4 * t,
    c5 * t,
    c6 - t * (c0 * second.x + c3 * second.y),
    c7 - t * (c1 * second.x + c4 * second.y),
    c8 - t * (c2 * second.x + c5 * second.y),
  );
}

function determinant(m: Float64Array): number {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0, i = 0] = m;
  return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
}

const mix = (a: Float64Array, b: Float64Array, part: number) =>
  Float64Array.from(a, (value, i) => part * value + (1 - part) * (b[i] ?? 0));

const work = new Float64Array(7 * 9);
const columnOf = new Int32Array(9);

/** Two vectors that span the null space of the seven equations in `work`, by elimination with full pivoting. */
function nullSpace(): [Float64Array, Float64Array] | undefined {
  for (let i = 0; i < 9; i++) columnOf[i] = i;
  for (let step = 0; step < 7; step++) {
    let largest = 0;
    let pivotRow = step;
    let pivotColumn = step;
    for (let row = step; row < 7; row++) {
      for (let column = step; column < 9; column++) {
        const size = Math.abs(work[row * 9 + column] ?? 0);
        if (size > largest) {
          largest = size;
          pivotRow = row;
          pivotColumn = column;
        }
      }
    }
    if (!(largest > 1e-9)) return undefined;
    if (pivotRow !== step) {
      for (let k = 0; k < 9; k++) {
        const held = work[step * 9 + k] ?? 0;
        work[step * 9 + k] = work[pivotRow * 9 + k] ?? 0;
        work[pivotRow * 9 + k] = held;
      }
    }
    if (pivotColumn !== step) {
      for (let row = 0; row < 7; row++) {
        const held = work[row * 9 + step] ?? 0;
        work[row * 9 + step] = work[row * 9 + pivotColumn] ?? 0;
        work[row * 9 + pivotColumn] = held;
      }
      const held = columnOf[step] ?? 0;
      columnOf[step] = columnOf[pivotColumn] ?? 0;
      columnOf[pivotColumn] = held;
    }
    const inverse = 1 / (work[step * 9 + step] ?? 1);
    for (let k = step; k < 9; k++) work[step * 9 + k] = (work[step * 9 + k] ?? 0) * inverse;
    for (let row = 0; row < 7; row++) {
      if (row === step) continue;
      const factor = work[row * 9 + step] ?? 0;
      if (factor === 0) continue;
      for (let k = step; k < 9; k++) work[row * 9 + k] = (work[row * 9 + k] ?? 0) - factor * (work[step * 9 + k] ?? 0);
    }
  }
  const vector = (free: number) => {
    const out = new Float64Array(9);
    for (let row = 0; row < 7; row++) out[columnOf[row] ?? 0] = -(work[row * 9 + free] ?? 0);
    out[columnOf[free] ?? 0] = 1;
    return out;
  };
  return [vector(7), vector(8)];
}

/** Real roots of a x^3 + b x^2 + c x + d. */
export function cubicRoots(a: number, b: number, c: number, d: number): number[] {
  const size = Math.abs(b) + Math.abs(c) + Math.abs(d);
  if (Math.abs(a) <= 1e-12 * size) {
    if (Math.abs(b) <= 1e-12 * size) return c === 0 ? [] : [-d / c];
    const under = c * c - 4 * b * d;
    if (under < 0) return [];
    const root = Math.sqrt(under);
    return [(-c + root) / (2 * b), (-c - root) / (2 * b)];
  }
  const shift = b / (3 * a);
  const p = (3 * a * c - b * b) / (9 * a * a);
  const q = (2 * b * b * b - 9 * a * b * c + 27 * a * a * d) / (54 * a * a * a);
  const under = q * q + p * p * p;
  if (under > 0) {
    const root = Math.sqrt(under);
    return [Math.cbrt(-q + root) + Math.cbrt(-q - root) - shift];
  }
  const cube = -p * p * p;
  // All three in one place, or so near that the cube is too small for a number.
  if (!(cube > 0)) return [-shift];
  const radius = 2 * Math.sqrt(-p);
  const angle = Math.acos(Math.max(-1, Math.min(1, -q / Math.sqrt(cube)))) / 3;
  return [0, 1, 2].map((k) => radius * Math.cos(angle - (2 * Math.PI * k) / 3) - shift);
}

/** Seven-point method (Hartley and Zisserman 2004, section 11.1.2): one or three matrices. */
function fromSample(pairs: Correspondences, sample: Int32Array): Float64Array[] {
  for (const [row, at] of sample.entries()) {
    equationOf(
      work,
      row * 9,
      ((pairs.ax[at] ?? 0) - WHOLE.x) * WHOLE.scale,
      ((pairs.ay[at] ?? 0) - WHOLE.y) * WHOLE.scale,
      ((pairs.bx[at] ?? 0) - WHOLE.x) * WHOLE.scale,
      ((pairs.by[at] ?? 0) - WHOLE.y) * WHOLE.scale,
    );
  }
  const basis = nullSpace();
  if (basis === undefined) return [];
  const [first, second] = basis;
  // det(t first + (1 - t) second) is a cubic in t; its values at four places give its coefficients.
  const at0 = determinant(second);
  const at1 = determinant(first);
  const atMinus = determinant(mix(first, second, -1));
  const at2 = determinant(mix(first, second, 2));
  const even = (at1 + atMinus) / 2 - at0;
  const cubic = (at2 - 2 * at1 + at0 - 2 * even) / 6;
  const linear = at1 - at0 - even - cubic;
  return cubicRoots(cubic, even, linear, at0)
    .filter((root) => Number.isFinite(root))
    .map((root) => denormalise(mix(first, second, root), WHOLE, WHOLE));
}

/** Normalised eight-point method (Hartley 1997): least squares, then the nearest matrix of rank two. */
function fromMany(pairs: Correspondences, chosen: Int32Array): Float64Array | undefined {
  if (chosen.length < 8) return undefined;
  const from = centreAndScale(pairs.ax, pairs.ay, chosen);
  const to = centreAndScale(pairs.bx, pairs.by, chosen);
  const row = new Float64Array(9);
  const squares = new Float64Array(81);
  for (const at of chosen) {
    equationOf(
      row,
      0,
      ((pairs.ax[at] ?? 0) - from.x) * from.scale,
      ((pairs.ay[at] ?? 0) - from.y) * from.scale,
      ((pairs.bx[at] ?? 0) - to.x) * to.scale,
      ((pairs.by[at] ?? 0) - to.y) * to.scale,
    );
    for (let i = 0; i < 9; i++) {
      for (let j = 0; j < 9; j++) squares[i * 9 + j] = (squares[i * 9 + j] ?? 0) + (row[i] ?? 0) * (row[j] ?? 0);
    }
  }
  const full = smallestEigenvector(squares, 9);
  const gram = new Float64Array(9);
  for (let i = 0; i < 3; i++) {
    for (let j = 0; j < 3; j++) {
      for (let k = 0; k < 3; k++)
        gram[i * 3 + j] = (gram[i * 3 + j] ?? 0) + (full[k * 3 + i] ?? 0) * (full[k * 3 + j] ?? 0);
    }
  }
  const weak = smallestEigenvector(gram, 3);
  const ranked = full.map((value, at) => {
    const line = at - (at % 3);
    const along =
      (full[line] ?? 0) * (weak[0] ?? 0) +
      (full[line + 1] ?? 0) * (weak[1] ?? 0) +
      (full[line + 2] ?? 0) * (weak[2] ?? 0);
    return value - along * (weak[at % 3] ?? 0);
  });
  return denormalise(ranked, from, to);
}

/** Sampson's first-order distance (Hartley and Zisserman 2004, equation 11.9), squared. */
function measure(pairs: Correspondences, m: Float64Array, errors: Float64Array): void {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0, i = 0] = m;
  const { ax, ay, bx, by, count } = pairs;
  for (let k = 0; k < count; k++) {
    const x = ax[k] ?? 0;
    const y = ay[k] ?? 0;
    const u = bx[k] ?? 0;
    const v = by[k] ?? 0;
    const lineX = a * x + b * y + c;
    const lineY = d * x + e * y + f;
    const lineW = g * x + h * y + i;
    const backX = a * u + d * v + g;
    const backY = b * u + e * v + h;
    const residual = u * lineX + v * lineY + lineW;
    const slope = lineX * lineX + lineY * lineY + backX * backX + backY * backY;
    errors[k] = slope > 0 ? (residual * residual) / slope : Number.POSITIVE_INFINITY;
  }
}

/** 2 pixels at 640. */
export const FUNDAMENTAL: ModelKind = { sampleSize: 7, fromSample, fromMany, measure, threshold: 3, mostDraws: 1000 };
