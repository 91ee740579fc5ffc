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
