import type { BatchBuilder } from '../batch-builder.ts';
import { type ByteWindow, truncated } from '../byte-window.ts';
import { hexRunEnd } from '../hex-bytes.ts';
import type { ParseStop, RecordParser } from '../record-parser.ts';
import { newTextLine, readLine, type TextLine } from '../text-lines.ts';

const PDQ_DIGITS = 64;
const HASH_SIGN = 0x23;

/**
 * Reads lists of PDQ hashes, one a line: 64 hexadecimal digits, word 15 first, perhaps a quality (0 to 100) after a comma, semicolon or
 * blank, perhaps more after another one, which is passed over. The flavour is not named. Blank lines and lines that begin with # are comments.
 *
 * As with a digest list, a cut between two lines cannot be seen.
 */
export class PdqListParser implements RecordParser {
  readonly #line: TextLine = newTextLine();

  parse(window: ByteWindow, batch: BatchBuilder): ParseStop {
    const line = this.#line;
    while (!batch.full) {
      if (!readLine(window, line)) return window.final ? 'done' : 'more';
      if (line.end > line.start && window.bytes[line.start] !== HASH_SIGN) this.#take(window, batch);
      window.start = line.next;
    }
    return 'full';
  }

  #take(window: ByteWindow, batch: BatchBuilder): void {
    const { bytes } = window;
    const { start, end, terminated } = this.#line;
    const hexEnd = hexRunEnd(bytes, start, end);
    if (!terminated && hexEnd === end && end - start < PDQ_DIGITS) throw truncated('PDQ list', window.offsetOf(end));
    batch.begin();
    if (hexEnd - start === PDQ_DIGITS && (hexEnd === end || isSeparator(bytes[hexEnd]))) {
      batch.bits(0, bytes, start, hexEnd, qualityAfter(bytes, hexEnd, end));
    } else {
      batch.badBits();
    }
    batch.commit();
  }
}

const isSeparator = (byte: number | undefined): boolean =>
  byte === 0x2c || byte === 0x3b || byte === 0x20 || byte === 0x09;

/** The quality that follows a hash, -1 when there is none. */
export function qualityAfter(bytes: Uint8Array, from: number, to: number): number {
  let position = from;
  while (position < to && isSeparator(bytes[position])) position++;
  let quality = 0;
  let digits = 0;
  for (; position < to && !isSeparator(bytes[position]); position++) {
    const digit = (bytes[position] ?? 0) - 0x30;
    if (digit < 0 || digit > 9 || digits++ === 3) return -1;
    quality = quality * 10 + digit;
  }
  return digits === 0 || quality > 100 ? -1 : quality;
}
