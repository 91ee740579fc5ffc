/** Marsaglia's xorshift32 (2003): small, and the same on every machine. */
export class XorShift {
  #state: number;

  /** A seed of 0 would stay 0 for ever. */
  constructor(seed: number) {
    this.#state = seed | 0 || 1;
  }

  /** An integer from 0 to below `limit`. */
  below(limit: number): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return (state >>> 0) % limit;
  }
}
