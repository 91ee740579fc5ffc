/** Hartley's normalisation (1997): the centre goes to the origin, the mean distance from it becomes the square root of 2. */
export interface Normalisation {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

export function centreAndScale(x: Float64Array, y: Float64Array, chosen: Int32Array): Normalisation {
  let sumX = 0;
  let sumY = 0;
  for (const at of chosen) {
    sumX += x[at] ?? 0;
    sumY += y[at] ?? 0;
  }
  const centreX = sumX / chosen.length;
  const centreY = sumY / chosen.length;
  let far = 0;
  for (const at of chosen) far += Math.hypot((x[at] ?? 0) - centreX, (y[at] ?? 0) - centreY);
  return { x: centreX, y: centreY, scale: (Math.SQRT2 * chosen.length) / Math.max(far, 1e-9) };
}
