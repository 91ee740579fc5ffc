/** 32-bit words of a 256-bit hash. */
export const WORDS = 8;

/**
 * Positions of all hashes in `known` within `radiusBits` of `query`, with their distances, as pairs appended to `found`.
 * Both hold WORDS words a hash. Two words in, three of four unrelated hashes are given up.
 */
export function scanWithin(
  known: Uint32Array,
  count: number,
  query: Uint32Array,
  radiusBits: number,
  found: number[],
): void {
  const [q0 = 0, q1 = 0, q2 = 0, q3 = 0, q4 = 0, q5 = 0, q6 = 0, q7 = 0] = query;
  for (let at = 0, base = 0; at < count; at += 1, base += WORDS) {
    let distance = popcount((known[base] ?? 0) ^ q0) + popcount((known[base + 1] ?? 0) ^ q1);
    if (distance > radiusBits) continue;
    distance += popcount((known[base + 2] ?? 0) ^ q2) + popcount((known[base + 3] ?? 0) ^ q3);
    if (distance > radiusBits) continue;
    distance += popcount((known[base + 4] ?? 0) ^ q4) + popcount((known[base + 5] ?? 0) ^ q5);
    distance += popcount((known[base + 6] ?? 0) ^ q6) + popcount((known[base + 7] ?? 0) ^ q7);
    if (distance <= radiusBits) found.push(at, distance);
  }
}

/** Set bits of a 32-bit word by adding neighbours in parallel (Warren, Hacker's Delight, 5-1). */
function popcount(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
