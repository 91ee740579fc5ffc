import type { BatchBuilder } from '../batch-builder.ts';
import { type ByteWindow, truncated } from '../byte-window.ts';
import { hexRunEnd } from '../hex-bytes.ts';
import type { ParseStop, RecordParser } from '../record-parser.ts';
import { newTextLine, readLine, type TextLine } from '../text-lines.ts';

const HASH_SIGN = 0x23;
const SEMICOLON = 0x3b;
const BACKSLASH = 0x5c;
const EQUALS = 0x3d;

/**
 * Reads lists of MD5, SHA-1 or SHA-256, one a line, the length saying which: bare, as md5sum writes them (`digest  name`, `digest *name`,
 * `\digest  name`), as BSD does (`MD5 (name) = digest`), or followed by anything after a blank, comma or semicolon, which is passed over.
 * Blank lines and lines that begin with # or ; are comments.
 *
 * A list has no end of its own: a cut in the middle of its last line is seen, one between two lines cannot be.
 */
export class DigestListParser implements RecordParser {
  readonly #line: TextLine = newTextLine();
  /** Digits of all digests so far: 0 before the first, -1 when they vary. */
  #digits = 0;

  parse(window: ByteWindow, batch: BatchBuilder): ParseStop {
    const line = this.#line;
    while (!batch.full) {
      if (!readLine(window, line)) return window.final ? 'done' : 'more';
      if (line.end > line.start) this.#take(window, batch);
      window.start = line.next;
    }
    return 'full';
  }

  #take(window: ByteWindow, batch: BatchBuilder): void {
    const { bytes } = window;
    const { end, terminated } = this.#line;
    let { start } = this.#line;
    const first = bytes[start];
    if (first === HASH_SIGN || first === SEMICOLON) return;
    if (first === BACKSLASH) start++;
    let digestEnd = hexRunEnd(bytes, start, end);
    if (!isDigest(digestEnd - start) || !endsDigest(bytes, digestEnd, end)) {
      const bsdStart = startAfterEquals(bytes, start, end);
      if (isDigest(end - bsdStart)) {
        start = bsdStart;
        digestEnd = hexRunEnd(bytes, start, end);
      } else {
        digestEnd = end;
      }
    }
    const digits = digestEnd - start;
    // An unterminated last line that is a piece of a digest, or a shorter digest than all others, is a file cut short.
    if (
      !terminated &&
      digestEnd === end &&
      (this.#digits > 0 ? digits < this.#digits : !isDigest(digits)) &&
      hexRunEnd(bytes, start, end) === end
    ) {
      throw truncated('digest list', window.offsetOf(end));
    }
    batch.begin();
    if (isDigest(digits)) {
      batch.anyDigest(bytes, start, digestEnd);
      this.#digits = this.#digits === 0 || this.#digits === digits ? digits : -1;
    } else {
      batch.badDigest();
    }
    batch.commit();
  }
}

const isDigest = (digits: number): boolean => digits === 32 || digits === 40 || digits === 64;

/** True when what follows the digits at `position` cannot belong to them. */
function endsDigest(bytes: Uint8Array, position: number, end: number): boolean {
  const byte = bytes[position];
  return position === end || byte === 0x20 || byte === 0x09 || byte === 0x2a || byte === 0x2c || byte === SEMICOLON;
}

/** Start of what follows the last `= ` of a line of the BSD form; `end` when there is none. */
function startAfterEquals(bytes: Uint8Array, start: number, end: number): number {
  for (let position = end - 1; position >= start; position--) {
    if (bytes[position] !== EQUALS) continue;
    let after = position + 1;
    while (after < end && bytes[after] === 0x20) after++;
    return after;
  }
  return end;
}
