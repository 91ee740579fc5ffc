/** 32-bit words of a 256-bit hash. */
export const WORDS = 8;

/**
 * Positions of all hashes in `known` within `radiusBits` of `query`, with their distances, as pairs appended to `found`.
 * Both hold WORDS words a hash. The first three words are counted together: 96 bits of unrelated hashes are 48 apart, so that at a
 * radius of 31 one in some thousand goes on and the branch is foreseen; after two words it was nearly every other one, and the scan
 * took twice the time.
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
    const a = (known[base] ?? 0) ^ q0;
    const b = (known[base + 1] ?? 0) ^ q1;
    const c = (known[base + 2] ?? 0) ^ q2;
    // A full adder: three bits of each place become a sum of weight one and a carry of weight two.
    const either = a ^ b;
    const carry = bitsOfBytes((a & b) | (either & c));
    let distance = Math.imul(bitsOfBytes(either ^ c) + carry + carry, 0x01010101) >>> 24;
    if (distance > radiusBits) continue;
    distance += popcount((known[base + 3] ?? 0) ^ q3) + popcount((known[base + 4] ?? 0) ^ q4);
    distance += popcount((known[base + 5] ?? 0) ^ q5);
    distance += popcount((known[base + 6] ?? 0) ^ q6) + popcount((known[base + 7] ?? 0) ^ q7);
    if (distance <= radiusBits) found.push(at, distance);
  }
}

/** Set bits of each byte of a word, by adding neighbours in parallel (Warren, Hacker's Delight, 5-1). */
function bitsOfBytes(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return (bits + (bits >>> 4)) & 0x0f0f0f0f;
}

function popcount(word: number): number {
  return Math.imul(bitsOfBytes(word), 0x01010101) >>> 24;
}
