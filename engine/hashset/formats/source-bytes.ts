import { TextDecoder } from 'node:util';
import { HomewardError } from '../../../schemas/error.ts';

/** Enough to hold the head of every format; the VICS URL is within the first 8 KB in every file seen. */
export const HEAD_BYTES = 8192;

/**
 * The bytes of a hash set as UTF-8 without byte-order mark, and how many bytes of the source were taken for them.
 * UTF-16 (either order, told by its mark) is converted on the way.
 */
export class SourceBytes {
  /** Bytes of the source taken in so far. */
  bytesRead = 0;
  /** Length of a UTF-8 byte-order mark that was left out. */
  markBytes = 0;
  readonly #source: AsyncIterator<Uint8Array>;
  #decoder: TextDecoder | undefined;
  #ended = false;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** The first HEAD_BYTES or more, all there is if it is less. To be called once, before `next`. */
  async head(): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    let byteCount = 0;
    while (byteCount < HEAD_BYTES) {
      const chunk = await this.#read();
      if (chunk === undefined) break;
      // A chunk is ours only until the next one is asked for.
      parts.push(chunk.length < HEAD_BYTES ? Uint8Array.from(chunk) : chunk);
      byteCount += chunk.length;
    }
    const head = parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
    const encoding = utf16Of(head);
    if (encoding !== undefined) {
      this.#decoder = new TextDecoder(encoding, { fatal: true });
      return this.#decode(head);
    }
    if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) {
      this.markBytes = 3;
      return head.subarray(3);
    }
    return head;
  }

  /** The next bytes, undefined at the end. */
  async next(): Promise<Uint8Array | undefined> {
    const chunk = await this.#read();
    if (this.#decoder === undefined) return chunk;
    if (chunk !== undefined) return this.#decode(chunk);
    const rest = this.#decode(undefined);
    this.#decoder = undefined;
    return rest.length > 0 ? rest : undefined;
  }

  async close(): Promise<void> {
    this.#ended = true;
    await this.#source.return?.();
  }

  async #read(): Promise<Uint8Array | undefined> {
    if (this.#ended) return undefined;
    const step = await this.#source.next();
    if (step.done === true) {
      this.#ended = true;
      return undefined;
    }
    this.bytesRead += step.value.length;
    return step.value;
  }

  #decode(chunk: Uint8Array | undefined): Uint8Array {
    try {
      const text = this.#decoder?.decode(chunk, { stream: chunk !== undefined }) ?? '';
      return Buffer.from(text, 'utf8');
    } catch (cause) {
      throw new HomewardError(
        'HW_SET_DAMAGED',
        `expected well-formed UTF-16 text, as the mark at the start of the file says, received something else (or a truncated end) within the first ${this.bytesRead} bytes; ask the source of the set for the file again`,
        { cause },
      );
    }
  }
}

function utf16Of(head: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  return head[0] === 0xfe && head[1] === 0xff ? 'utf-16be' : undefined;
}
