import { HomewardError } from '../../../../schemas/error.ts';
import type { BatchBuilder } from '../batch-builder.ts';
import { ByteWindow, truncated } from '../byte-window.ts';
import { readFlag } from '../field-values.ts';
import type { TextField } from '../record-batch.ts';
import type { ParseStop, RecordParser } from '../record-parser.ts';
import type { SetHead } from '../set-head.ts';
import { newTextLine, readLine } from '../text-lines.ts';
import { CsvRow, cellText } from './cells.ts';
import { type ColumnRole, type CsvLayout, layoutOf } from './columns.ts';
import { withoutGuard } from './formula-guard.ts';

const APOSTROPHE = 0x27;
const SLASH = 0x2f;

export interface CsvHeader extends CsvLayout {
  readonly separator: number;
  /** Bytes from the start of the file to the first record. */
  readonly byteCount: number;
}

/** The header of a CSV file whose first bytes are `head`, behind blank lines and a spreadsheet's `sep=` line; undefined when it is none. */
export function readCsvHeader(head: Uint8Array): CsvHeader | undefined {
  const window = new ByteWindow(0);
  window.append(head);
  window.final = true;
  const line = newTextLine();
  let named: number | undefined;
  while (readLine(window, line)) {
    const text = Buffer.from(window.bytes.subarray(line.start, line.end)).toString('utf8');
    const directive = /^sep=(.)$/i.exec(text)?.[1];
    if (directive !== undefined) named = directive.charCodeAt(0) & 0xff;
    else if (text !== '') return headerAt(window, named ?? separatorOf(text));
    window.start = line.next;
  }
  return undefined;
}

function headerAt(window: ByteWindow, separator: number): CsvHeader | undefined {
  const row = new CsvRow();
  if (!row.read(window, separator) || row.openQuote) return undefined;
  const names = Array.from({ length: row.cellCount }, (_, cell) => cellText(window.bytes, row, cell));
  const layout = layoutOf(names);
  return layout === undefined ? undefined : { ...layout, separator, byteCount: row.next };
}

/** The most frequent of the usual separators in the header line. */
function separatorOf(line: string): number {
  const counts = [',', ';', '\t'].map((separator) => ({ separator, count: line.split(separator).length }));
  const best = counts.reduce((left, right) => (right.count > left.count ? right : left));
  return best.separator.charCodeAt(0);
}

export function describeCsv(header: CsvHeader): SetHead {
  return { format: 'csv', formatVersion: null, categoryScheme: header.categoryScheme, documentKind: null };
}

/**
 * Reads CSV with a header row, the columns of `columns.ts` in any order, separated by comma, semicolon or tab: the INTERPOL ICSE export,
 * NSRL 2 text, HashKeeper .hsh and our own export among them. Empty cells are not given.
 *
 * A cut within a quoted cell, or in a last row that lacks cells or its hash, is seen; one between two rows cannot be.
 */
export class CsvParser implements RecordParser {
  readonly #header: CsvHeader;
  /** Column of the quality of the row's PDQ, -1 when there is none. */
  readonly #qualityCell: number;
  readonly #row = new CsvRow();
  #headerPassed = 0;

  constructor(head: Uint8Array) {
    const header = readCsvHeader(head);
    if (header === undefined) {
      throw new HomewardError(
        'HW_SET_FORMAT',
        'expected a CSV file whose first row names a column MD5, SHA1, SHA256, hash or PDQ, received none; add the header row, or name another format with --format',
      );
    }
    this.#header = header;
    this.#qualityCell = header.columns.findIndex((column) => column?.role === 'quality');
  }

  parse(window: ByteWindow, batch: BatchBuilder): ParseStop {
    const { byteCount, separator } = this.#header;
    if (this.#headerPassed < byteCount) {
      const passed = Math.min(window.length, byteCount - this.#headerPassed);
      window.start += passed;
      this.#headerPassed += passed;
      if (this.#headerPassed < byteCount) return window.final ? 'done' : 'more';
    }
    const row = this.#row;
    while (!batch.full) {
      if (!row.read(window, separator)) return window.final ? 'done' : 'more';
      if (!row.blank) this.#take(window, batch);
      window.start = row.next;
    }
    return 'full';
  }

  #take(window: ByteWindow, batch: BatchBuilder): void {
    const row = this.#row;
    const { columns } = this.#header;
    if (row.openQuote || (!row.terminated && row.cellCount < columns.length))
      throw truncated('CSV', window.offsetOf(window.end));
    if (row.damaged) {
      batch.reject('notARecord');
      return;
    }
    batch.begin();
    const quality = this.#quality(window.bytes);
    const cellCount = Math.min(row.cellCount, columns.length);
    for (let cell = 0; cell < cellCount; cell++) {
      const column = columns[cell];
      if (column !== undefined && row.ends[cell] !== row.starts[cell])
        readCell(window.bytes, row, cell, column, quality, batch);
    }
    // A last row without line end and without a usable hash is a row cut in the middle of it.
    if (!batch.commit() && !row.terminated && columns.length === 1) throw truncated('CSV', window.offsetOf(window.end));
  }

  #quality(bytes: Uint8Array): number {
    const cell = this.#qualityCell;
    if (cell < 0 || cell >= this.#row.cellCount) return -1;
    const value = cellText(bytes, this.#row, cell);
    return /^\d{1,3}$/.test(value) ? Number(value) : -1;
  }
}

function readCell(
  bytes: Uint8Array,
  row: CsvRow,
  cell: number,
  column: ColumnRole,
  quality: number,
  batch: BatchBuilder,
): void {
  const from = row.starts[cell] ?? 0;
  const to = row.ends[cell] ?? 0;
  switch (column.role) {
    case 'md5':
      batch.md5(bytes, from, to);
      break;
    case 'sha1':
      batch.sha1(bytes, from, to);
      break;
    case 'sha256':
      batch.sha256(bytes, from, to);
      break;
    case 'digest':
      batch.anyDigest(bytes, from, to);
      break;
    case 'bits':
      readBits(bytes, from, to, column.algorithm, quality, batch);
      break;
    case 'text':
      readText(bytes, row, cell, column.field, batch);
      break;
    case 'size':
      batch.size(bytes, from, to);
      break;
    case 'flag': {
      const value = readFlag(bytes, from, to);
      if (value === undefined) batch.note('flagIgnored');
      batch.flag(column.index, value ?? null);
      break;
    }
    case 'photoDna':
      batch.photoDna(cellText(bytes, row, cell));
      break;
    case 'quality':
      break;
  }
}

function readText(bytes: Uint8Array, row: CsvRow, cell: number, field: TextField, batch: BatchBuilder): void {
  const from = row.starts[cell] ?? 0;
  if (row.escaped[cell] === 1 || bytes[from] === APOSTROPHE)
    batch.textString(field, withoutGuard(cellText(bytes, row, cell)));
  else batch.text(field, bytes, from, row.ends[cell] ?? from);
}

/** Hashes of a cell, blanks between them, each `HEX` or `HEX/QUALITY`. */
function readBits(
  bytes: Uint8Array,
  from: number,
  to: number,
  algorithm: number,
  quality: number,
  batch: BatchBuilder,
): void {
  if (to - from === 64) {
    batch.bits(algorithm, bytes, from, to, quality);
    return;
  }
  let position = from;
  while (position < to) {
    let end = position;
    while (end < to && bytes[end] !== 0x20) end++;
    if (end > position) {
      const slash = bytes.subarray(position, end).indexOf(SLASH);
      const hexEnd = slash < 0 ? end : position + slash;
      const own = slash < 0 ? '' : Buffer.from(bytes.subarray(hexEnd + 1, end)).toString('latin1');
      batch.bits(algorithm, bytes, position, hexEnd, /^\d{1,3}$/.test(own) ? Number(own) : quality);
    }
    position = end + 1;
  }
}
