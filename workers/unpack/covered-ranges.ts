interface Range {
  readonly start: number;
  readonly end: number;
}

/** Which bytes of an archive belong to entries seen so far; kept sorted and merged. Offsets are in bytes, ends are exclusive. */
export class CoveredRanges {
  readonly #ranges: Range[] = [];

  /** Adds a range and says whether any of it was taken before. */
  add(start: number, end: number): boolean {
    if (end <= start) return false;
    const first = this.#firstEndingAfter(start);
    let last = first;
    let merged: Range = { start, end };
    for (let range = this.#ranges[last]; range !== undefined && range.start < end; range = this.#ranges[++last]) {
      merged = { start: Math.min(merged.start, range.start), end: Math.max(merged.end, range.end) };
    }
    this.#ranges.splice(first, last - first, merged);
    return last > first;
  }

  /** The ranges between those added, up to `size`. */
  gaps(size: number): Range[] {
    const gaps: Range[] = [];
    let at = 0;
    for (const range of this.#ranges) {
      if (range.start > at) gaps.push({ start: at, end: range.start });
      at = Math.max(at, range.end);
    }
    if (at < size) gaps.push({ start: at, end: size });
    return gaps;
  }

  #firstEndingAfter(position: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const range = this.#ranges[middle];
      if (range !== undefined && range.end <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
