/**
 * Seeded pseudo-random numbers, so that a bench set is the same on every machine.
 * Algorithm: mulberry32 (Tommy Ettinger, public domain).
 */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** Uniform integer, both ends included. */
  integer(least: number, most: number): number;
  pick<T>(values: readonly T[]): T;
}

export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const integer = (least: number, most: number) => least + Math.floor(next() * (most - least + 1));
  return {
    next,
    integer,
    pick: <T>(values: readonly T[]): T => {
      const value = values[integer(0, values.length - 1)];
      if (value === undefined) throw new Error('expected at least one value to pick from, received none');
      return value;
    },
  };
}

/** One number out of several, so that each picture has a random sequence of its own and order does not matter. */
export function seedFrom(...parts: readonly number[]): number {
  let hash = 0x811c9dc5;
  for (const part of parts) {
    hash = Math.imul(hash ^ (part >>> 0), 0x01000193) >>> 0;
    hash = (hash ^ (hash >>> 13)) >>> 0;
  }
  return hash;
}
