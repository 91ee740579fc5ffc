import type { ByteWindow } from '../byte-window.ts';

const QUOTE = 0x22;
const NEW_LINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Columns beyond this are passed over: no exchange format has as many, and a row of separators must not fill the memory. */
const MAX_COLUMNS = 256;

/**
 * One row of a CSV file (RFC 4180, any one-byte separator): cell i is `bytes` from `starts[i]` to `ends[i]`, blanks around an
 * unquoted cell left out; `escaped[i]` is 1 when it holds doubled quotes.
 */
export class CsvRow {
  readonly starts = new Int32Array(MAX_COLUMNS);
  readonly ends = new Int32Array(MAX_COLUMNS);
  readonly escaped = new Uint8Array(MAX_COLUMNS);
  cellCount = 0;
  next = 0;
  /** False for a last row without line end. */
  terminated = true;
  /** True when a quoted cell is followed by something else than a separator, or a quote is never closed before the end of the set. */
  damaged = false;
  openQuote = false;

  get blank(): boolean {
    return this.cellCount === 1 && this.starts[0] === this.ends[0];
  }

  /** Reads the row at the window's start; false when it has no end in the window and more bytes may come. */
  read(window: ByteWindow, separator: number): boolean {
    const { bytes, end } = window;
    let position = window.start;
    if (position === end) return false;
    this.cellCount = 0;
    this.damaged = false;
    this.openQuote = false;
    for (;;) {
      position =
        bytes[position] === QUOTE
          ? this.#quotedCell(bytes, position, end, separator)
          : this.#plainCell(bytes, position, end, separator);
      if (position >= end) {
        this.terminated = false;
        this.next = end;
        return window.final;
      }
      if (bytes[position] === NEW_LINE) break;
      position++;
    }
    this.terminated = true;
    this.next = position + 1;
    return true;
  }

  #plainCell(bytes: Uint8Array, from: number, end: number, separator: number): number {
    let position = from;
    let byte = bytes[position];
    while (position < end && byte !== separator && byte !== NEW_LINE) byte = bytes[++position];
    let start = from;
    let cellEnd = position;
    while (start < cellEnd && isBlank(bytes[start])) start++;
    while (cellEnd > start && isBlank(bytes[cellEnd - 1])) cellEnd--;
    this.#add(start, cellEnd, 0);
    return position;
  }

  #quotedCell(bytes: Uint8Array, from: number, end: number, separator: number): number {
    let position = from + 1;
    let escaped = 0;
    for (;;) {
      position = bytes.indexOf(QUOTE, position);
      if (position < 0 || position >= end) {
        this.openQuote = true;
        return end;
      }
      if (bytes[position + 1] !== QUOTE || position + 1 >= end) break;
      escaped = 1;
      position += 2;
    }
    this.#add(from + 1, position, escaped);
    position++;
    while (position < end && bytes[position] !== separator && bytes[position] !== NEW_LINE) {
      if (!isBlank(bytes[position])) this.damaged = true;
      position++;
    }
    return position;
  }

  #add(start: number, end: number, escaped: number): void {
    const cell = this.cellCount;
    if (cell === MAX_COLUMNS) return;
    this.starts[cell] = start;
    this.ends[cell] = end;
    this.escaped[cell] = escaped;
    this.cellCount = cell + 1;
  }
}

const isBlank = (byte: number | undefined): boolean => byte === 0x20 || byte === CARRIAGE_RETURN;

/** Text of a cell, doubled quotes resolved. */
export function cellText(bytes: Uint8Array, row: CsvRow, cell: number): string {
  const text = Buffer.from(bytes.subarray(row.starts[cell] ?? 0, row.ends[cell] ?? 0)).toString('utf8');
  return row.escaped[cell] === 1 ? text.replaceAll('""', '"') : text;
}
