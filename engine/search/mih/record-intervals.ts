/** A set of record numbers, kept as intervals that neither touch nor overlap. */
export class RecordIntervals {
  #firsts: number[] = [];
  #lasts: number[] = [];

  get isEmpty(): boolean {
    return this.#firsts.length === 0;
  }

  /** Adds the numbers from `first` to `last`, both included. */
  add(first: number, last: number): void {
    // All intervals that touch the new one become part of it.
    const from = this.#indexOfLastAtLeast(first - 1);
    let to = from;
    while (to < this.#firsts.length && (this.#firsts[to] ?? 0) <= last + 1) to += 1;
    const start = to > from ? Math.min(first, this.#firsts[from] ?? first) : first;
    const end = to > from ? Math.max(last, this.#lasts[to - 1] ?? last) : last;
    this.#firsts.splice(from, to - from, start);
    this.#lasts.splice(from, to - from, end);
  }

  /** These and those of the pairs; this one stays as it is. */
  with(pairs: Iterable<readonly [number, number]>): RecordIntervals {
    const made = new RecordIntervals();
    made.#firsts = [...this.#firsts];
    made.#lasts = [...this.#lasts];
    for (const [first, last] of pairs) made.add(first, last);
    return made;
  }

  has(recordId: number): boolean {
    const at = this.#indexOfLastAtLeast(recordId);
    return at < this.#firsts.length && (this.#firsts[at] ?? 0) <= recordId;
  }

  /** First and last of each interval, rising. */
  toPairs(): [number, number][] {
    return this.#firsts.map((first, at) => [first, this.#lasts[at] ?? first]);
  }

  static of(pairs: Iterable<readonly [number, number]>): RecordIntervals {
    return new RecordIntervals().with(pairs);
  }

  /** Of the first interval that ends at this number or later. */
  #indexOfLastAtLeast(recordId: number): number {
    let low = 0;
    let high = this.#lasts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#lasts[middle] ?? 0) < recordId) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
