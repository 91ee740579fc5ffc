/** Takes bytes from a source in the amounts a parser wants. An error of the source is its end, and kept. */
export class BlockReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #rest: Buffer = Buffer.alloc(0);
  #ended = false;
  error: unknown = null;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** The next bytes, at most `most`; null at the end. */
  async next(most: number): Promise<Buffer | null> {
    while (this.#rest.length === 0 && !this.#ended) await this.#fill();
    if (this.#rest.length === 0) return null;
    const taken = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(taken.length);
    return taken;
  }

  /** Exactly `length` bytes, fewer only at the end. */
  async exactly(length: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    let missing = length;
    while (missing > 0) {
      const part = await this.next(missing);
      if (part === null) break;
      parts.push(part);
      missing -= part.length;
    }
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
  }

  /** Passes over bytes; returns how many there were. */
  async skip(length: number): Promise<number> {
    let missing = length;
    while (missing > 0) {
      const part = await this.next(missing);
      if (part === null) break;
      missing -= part.length;
    }
    return length - missing;
  }

  /** Gives bytes back to be read again. */
  unread(bytes: Buffer): void {
    this.#rest = Buffer.concat([bytes, this.#rest]);
  }

  /** Lets the source close what it holds open. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }

  async #fill(): Promise<void> {
    try {
      const { done, value } = await this.#source.next();
      if (done) this.#ended = true;
      else this.#rest = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    } catch (error) {
      this.error = error;
      this.#ended = true;
    }
  }
}
