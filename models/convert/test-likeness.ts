export interface Likeness {
  readonly cosine: number;
  /** Largest difference of two values, in parts of the largest value of the original. */
  readonly largestDeviation: number;
}

/** How far one output is from the original's. */
export function likeness(received: Float32Array, original: Float32Array): Likeness {
  if (received.length !== original.length)
    throw new RangeError(`expected ${original.length} values, received ${received.length}`);
  let [dot, ours, theirs, deviation, largest] = [0, 0, 0, 0, 0];
  for (const [index, wanted] of original.entries()) {
    const value = received[index] ?? Number.NaN;
    dot += value * wanted;
    ours += value * value;
    theirs += wanted * wanted;
    deviation = Math.max(deviation, Math.abs(value - wanted));
    largest = Math.max(largest, Math.abs(wanted));
  }
  return { cosine: dot / Math.sqrt(ours * theirs), largestDeviation: deviation / largest };
}

/** In parts of the largest value. A wrong padding gives 0.18 and more; half precision of the weights costs up to 0.011 where an output is a small probability. */
export const MOST_DEVIATION = 0.015;
export const LEAST_COSINE = 0.9999;

/** In words, in what two outputs differ by more than a conversion may cost; undefined where they agree. */
export function disagreement(received: Float32Array, original: Float32Array): string | undefined {
  const { cosine, largestDeviation } = likeness(received, original);
  if (cosine >= LEAST_COSINE && largestDeviation <= MOST_DEVIATION) return undefined;
  return `cosine ${cosine}, largest deviation ${largestDeviation}`;
}
