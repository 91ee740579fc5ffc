import { HomewardError } from '../../../../schemas/error.ts';
import { BatchBuilder } from '../batch-builder.ts';
import { ByteWindow, malformed, truncated } from '../byte-window.ts';
import type { RecordBatch } from '../record-batch.ts';
import { SourceBytes } from '../source-bytes.ts';
import { type RowChange, readStatement, type SqlValue, type Statement } from './statements.ts';

/** Records that come into a set or leave it. To be applied in the order in which they come: a record may leave and come again. */
export interface DeltaBatch {
  readonly kind: 'add' | 'withdraw';
  /** Of `withdraw` the digests of a record that leaves, one of them at least; nothing else of it. */
  readonly batch: RecordBatch;
}

/** Tables whose rows are files; all others (packages, systems, makers) say nothing of digests. */
const FILE_TABLES: ReadonlySet<string> = new Set(['FILE', 'METADATA']);
const DIGESTS = ['sha256', 'sha1', 'md5'] as const;
const SIZE_COLUMNS = ['file_size', 'bytes', 'size'] as const;
/** Where additions and withdrawals alternate, batches are this small. */
const ROWS_OF_SMALL_BATCH = 64;
const SLICE_BYTES = 256 * 1024;

const QUOTE = 0x27;
const DOUBLE_QUOTE = 0x22;
const BACKTICK = 0x60;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const SEMICOLON = 0x3b;
const DASH = 0x2d;
const SLASH = 0x2f;
const STAR = 0x2a;
const NEW_LINE = 0x0a;

/**
 * Reads a delta of NSRL RDS version 3, a file of SQL statements, as data: nothing of it is ever executed. An INSERT adds a record, a
 * DELETE withdraws one, an UPDATE of a digest does both, an UPDATE of anything else changes nothing that is kept. Memory does not
 * grow with the file.
 *
 * A record here is a content, a row there a file of a package: a DELETE withdraws the content even if other packages still have it.
 * That errs to the safe side, since what is not known to be good is looked at.
 *
 * @throws HomewardError HW_SET_DAMAGED, after some batches perhaps, for a truncated file or a statement of another kind;
 *   HW_SET_FORMAT where a row is named by something else than its digests. Whoever took batches has to drop them all.
 */
export async function* readNsrlDelta(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<DeltaBatch, void, undefined> {
  const source = new SourceBytes(chunks);
  const batches = new DeltaBatches(source);
  let inTransaction = false;
  try {
    for await (const { statement, offset } of statementsOf(source)) {
      if (statement.kind === 'begin') inTransaction = true;
      if (statement.kind === 'commit') inTransaction = false;
      if (statement.kind !== 'rows' || !FILE_TABLES.has(statement.table)) continue;
      for (const change of statement.changes) yield* batches.take(change, offset);
    }
    if (inTransaction) throw truncated('NSRL delta', source.bytesRead);
    yield* batches.rest();
  } finally {
    await source.close();
  }
}

async function* statementsOf(
  source: SourceBytes,
): AsyncGenerator<{ readonly statement: Statement; readonly offset: number }> {
  const window = new ByteWindow(0);
  let wantedBytes = 0;
  for (let chunk: Uint8Array | undefined = await source.head(); chunk !== undefined; chunk = await source.next()) {
    for (let at = 0; at < chunk.length; at += SLICE_BYTES) {
      window.append(chunk.subarray(at, at + SLICE_BYTES));
      if (window.length < wantedBytes) continue;
      yield* wholeStatements(window);
      // A long statement is tried again only when twice as much is there: otherwise its cost would be quadratic.
      wantedBytes = window.length * 2;
    }
  }
  yield* wholeStatements(window);
  const rest = textOf(window, window.end);
  if (rest.replaceAll(/\s+|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\//g, '') !== '')
    throw truncated('NSRL delta', window.offsetOf(window.end));
}

function* wholeStatements(window: ByteWindow): Generator<{ readonly statement: Statement; readonly offset: number }> {
  for (let end = statementEnd(window); end >= 0; end = statementEnd(window)) {
    const text = textOf(window, end);
    const offset = window.offsetOf(window.start);
    window.start = end + 1;
    if (text.replaceAll(/\s+|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\//g, '') === '') continue;
    yield { statement: readStatement(text, offset), offset };
  }
}

const textOf = (window: ByteWindow, end: number): string =>
  Buffer.from(window.bytes.buffer, window.bytes.byteOffset + window.start, end - window.start).toString('utf8');

/** Position of the semicolon that ends the statement at the window's start, outside texts, names and comments; -1 when it is not there yet. */
function statementEnd({ bytes, start, end }: ByteWindow): number {
  let position = start;
  while (position < end) {
    const byte = bytes[position];
    if (byte === SEMICOLON) return position;
    const close = closeOf(byte, bytes[position + 1]);
    if (close === undefined) {
      position += 1;
      continue;
    }
    const [length, last, before] = close;
    let at = bytes.indexOf(last, position + length);
    while (before !== undefined && at >= 0 && bytes[at - 1] !== before) at = bytes.indexOf(last, at + 1);
    if (at < 0 || at >= end) return -1;
    position = at + 1;
  }
  return -1;
}

/** How long the opening is, the byte that closes it, and the byte before that one where two close it. */
function closeOf(byte: number | undefined, next: number | undefined): readonly [number, number, number?] | undefined {
  if (byte === QUOTE || byte === DOUBLE_QUOTE || byte === BACKTICK) return [1, byte];
  if (byte === OPEN_BRACKET) return [1, CLOSE_BRACKET];
  if (byte === DASH && next === DASH) return [2, NEW_LINE];
  // A comment is three bytes at least: the star of its opening does not close it.
  return byte === SLASH && next === STAR ? [3, SLASH, STAR] : undefined;
}

/** Gathers what comes one after the other and goes the same way. */
class DeltaBatches {
  readonly #source: SourceBytes;
  readonly #builder = new BatchBuilder();
  #kind: DeltaBatch['kind'] = 'add';
  #rows = 0;

  constructor(source: SourceBytes) {
    this.#source = source;
  }

  *take(change: RowChange, offset: number): Generator<DeltaBatch> {
    switch (change.change) {
      case 'insert':
        yield* this.#put('add', change.row, offset);
        break;
      case 'delete':
        yield* this.#put('withdraw', withDigest(change.where, offset), offset);
        break;
      case 'update':
        if (!DIGESTS.some((column) => change.set.has(column))) break;
        yield* this.#put('withdraw', withDigest(change.where, offset), offset);
        yield* this.#put('add', new Map([...change.where, ...change.set]), offset);
        break;
    }
  }

  *rest(): Generator<DeltaBatch> {
    yield this.#taken(0);
  }

  *#put(kind: DeltaBatch['kind'], row: ReadonlyMap<string, SqlValue>, offset: number): Generator<DeltaBatch> {
    if (kind !== this.#kind && this.#rows > 0) yield this.#taken(ROWS_OF_SMALL_BATCH);
    this.#kind = kind;
    const builder = this.#builder;
    builder.begin();
    for (const column of DIGESTS) {
      const bytes = Buffer.from(row.get(column) ?? '', 'utf8');
      builder[column](bytes, 0, bytes.length);
    }
    const size = SIZE_COLUMNS.map((column) => row.get(column)).find((value) => value != null);
    if (kind === 'add' && size != null) {
      const bytes = Buffer.from(size, 'utf8');
      builder.size(bytes, 0, bytes.length);
    }
    // What cannot be added is counted; what cannot be withdrawn would stay known to be good.
    const taken = builder.commit();
    if (!taken && kind === 'withdraw' && !isEmptyFile(row))
      throw malformed('NSRL delta', offset, 'a row to delete without a usable digest');
    if (taken) this.#rows += 1;
    if (builder.full) yield this.#taken();
  }

  #taken(nextRows?: number): DeltaBatch {
    this.#rows = 0;
    return { kind: this.#kind, batch: this.#builder.take(this.#source.bytesRead, nextRows) };
  }
}

/** Its records are never taken, so there is nothing to withdraw. */
const EMPTY_FILE_DIGESTS: ReadonlySet<string> = new Set([
  'd41d8cd98f00b204e9800998ecf8427e',
  'da39a3ee5e6b4b0d3255bfef95601890afd80709',
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
]);
const isEmptyFile = (row: ReadonlyMap<string, SqlValue>): boolean =>
  DIGESTS.some((column) => EMPTY_FILE_DIGESTS.has(row.get(column)?.toLowerCase() ?? ''));

function withDigest(where: ReadonlyMap<string, SqlValue>, offset: number): ReadonlyMap<string, SqlValue> {
  if (DIGESTS.some((column) => (where.get(column) ?? '') !== '')) return where;
  throw new HomewardError(
    'HW_SET_FORMAT',
    `expected a delta of NSRL to name the rows that leave by a digest, received a statement at byte ${offset} that names them by ${[...where.keys()].join(', ')}; import the whole set of that version instead`,
  );
}
