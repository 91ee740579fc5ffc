/** Small dense systems, row by row in a Float64Array. */

/** Solves n equations with n unknowns (`rows` has n + 1 columns, the last one the right side) in place; false where there is no one solution. */
export function solveInPlace(rows: Float64Array, n: number): boolean {
  const width = n + 1;
  for (let column = 0; column < n; column++) {
    let pivot = column;
    let largest = 0;
    for (let row = column; row < n; row++) {
      const size = Math.abs(rows[row * width + column] ?? 0);
      if (size > largest) {
        largest = size;
        pivot = row;
      }
    }
    if (!(largest > 1e-12)) return false;
    if (pivot !== column) {
      for (let k = column; k < width; k++) {
        const held = rows[column * width + k] ?? 0;
        rows[column * width + k] = rows[pivot * width + k] ?? 0;
        rows[pivot * width + k] = held;
      }
    }
    const inverse = 1 / (rows[column * width + column] ?? 1);
    for (let k = column; k < width; k++) rows[column * width + k] = (rows[column * width + k] ?? 0) * inverse;
    for (let row = 0; row < n; row++) {
      const factor = rows[row * width + column] ?? 0;
      if (row === column || factor === 0) continue;
      for (let k = column; k < width; k++) {
        rows[row * width + k] = (rows[row * width + k] ?? 0) - factor * (rows[column * width + k] ?? 0);
      }
    }
  }
  return true;
}

/**
 * Unit eigenvector of the smallest eigenvalue of a symmetric n x n matrix, by Jacobi rotations; the matrix is destroyed. The number of
 * sweeps is bounded, so that no input can hold it up.
 */
export function smallestEigenvector(matrix: Float64Array, n: number): Float64Array {
  const vectors = new Float64Array(n * n);
  for (let i = 0; i < n; i++) vectors[i * n + i] = 1;
  for (let sweep = 0; sweep < 12; sweep++) {
    let offDiagonal = 0;
    let diagonal = 0;
    for (let i = 0; i < n; i++) {
      diagonal += (matrix[i * n + i] ?? 0) ** 2;
      for (let j = i + 1; j < n; j++) offDiagonal += (matrix[i * n + j] ?? 0) ** 2;
    }
    if (offDiagonal <= 1e-26 * diagonal) break;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) rotate(matrix, vectors, n, p, q);
  }
  let least = 0;
  for (let i = 1; i < n; i++) if ((matrix[i * n + i] ?? 0) < (matrix[least * n + least] ?? 0)) least = i;
  return Float64Array.from({ length: n }, (_, row) => vectors[row * n + least] ?? 0);
}

function rotate(matrix: Float64Array, vectors: Float64Array, n: number, p: number, q: number): void {
  const apq = matrix[p * n + q] ?? 0;
  if (apq === 0) return;
  const theta = ((matrix[q * n + q] ?? 0) - (matrix[p * n + p] ?? 0)) / (2 * apq);
  const t = Math.sign(theta || 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  for (let k = 0; k < n; k++) {
    const kp = matrix[k * n + p] ?? 0;
    const kq = matrix[k * n + q] ?? 0;
    matrix[k * n + p] = c * kp - s * kq;
    matrix[k * n + q] = s * kp + c * kq;
    const vp = vectors[k * n + p] ?? 0;
    const vq = vectors[k * n + q] ?? 0;
    vectors[k * n + p] = c * vp - s * vq;
    vectors[k * n + q] = s * vp + c * vq;
  }
  for (let k = 0; k < n; k++) {
    const pk = matrix[p * n + k] ?? 0;
    const qk = matrix[q * n + k] ?? 0;
    matrix[p * n + k] = c * pk - s * qk;
    matrix[q * n + k] = s * pk + c * qk;
  }
}
