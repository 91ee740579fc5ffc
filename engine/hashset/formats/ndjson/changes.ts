import { Compile } from 'typebox/compile';
import { HomewardError } from '../../../../schemas/error.ts';
import { KnownWithdrawal } from '../../../../schemas/known-record.ts';
import type { BatchBuilder } from '../batch-builder.ts';
import type { ByteWindow } from '../byte-window.ts';
import { CLOSE_BRACE, JsonCursor, MORE_BYTES_NEEDED, OPEN_BRACE, QUOTE } from '../json-cursor.ts';
import type { ParseStop } from '../record-parser.ts';
import type { SetHead } from '../set-head.ts';
import { readKnownRecord } from './known-record.ts';
import { ChangesHeadLine, EndLine, NDJSON_VERSION } from './lines.ts';
import { nextLine } from './next-line.ts';

const checkHead = Compile(ChangesHeadLine);
const checkEnd = Compile(EndLine);
const checkWithdrawal = Compile(KnownWithdrawal);

/** What one file changes: records to add or to correct, and records that are only named, to be taken back. */
export interface ChangeBuilders {
  readonly add: BatchBuilder;
  /** Its `tags` are the reasons. */
  readonly withdraw: BatchBuilder;
}

/** True when the file begins as a file of changes does. */
export function startsAsChanges(head: string): boolean {
  return /^\s*\{\s*"homeward"\s*:\s*"known-changes"/.test(head);
}

/** @throws HomewardError HW_SET_FORMAT for a head line that is cut, of another form or of a later version */
export function describeChanges(head: string): SetHead {
  let value: unknown;
  try {
    value = JSON.parse(head.trimStart().split('\n', 1)[0] ?? '');
  } catch {
    value = undefined;
  }
  if (!checkHead.Check(value) || value.formatVersion !== NDJSON_VERSION) {
    throw new HomewardError(
      'HW_SET_FORMAT',
      `expected a first line {"homeward":"known-changes","formatVersion":"${NDJSON_VERSION}","categoryScheme":...} in a file of changes, received another one; docs/formats.md has the form`,
    );
  }
  const { formatVersion, categoryScheme } = value;
  return { format: 'ndjson', formatVersion, categoryScheme, documentKind: null };
}

/** Reads a file of changes: a head line, a record or `{"withdraw": {...}}` a line, an end line that counts them. */
export class ChangesParser {
  readonly #cursor = new JsonCursor('NDJSON');
  #place: 'head' | 'lines' | 'end' = 'head';
  #lines = 0;

  parse(window: ByteWindow, builders: ChangeBuilders): ParseStop {
    const cursor = this.#cursor;
    cursor.attach(window);
    try {
      while (!builders.add.full && !builders.withdraw.full) {
        const byte = nextLine(cursor, window, this.#place === 'end');
        if (byte === 'more' || byte === 'done') return byte;
        if (byte !== OPEN_BRACE) cursor.failWith(cursor.position, 'a line that is no object');
        this.#line(builders);
        window.start = cursor.position;
      }
      return 'full';
    } catch (signal) {
      if (signal === MORE_BYTES_NEEDED) return 'more';
      throw signal;
    }
  }

  #line(builders: ChangeBuilders): void {
    const cursor: JsonCursor = this.#cursor;
    const start = cursor.position;
    if (this.#place === 'head') {
      if (!checkHead.Check(cursor.value())) cursor.failWith(start, 'a head line that is not of this format');
      this.#place = 'lines';
    } else if (this.#firstMember() === 'withdraw') {
      this.#withdrawal(builders.withdraw);
      this.#lines++;
    } else {
      cursor.position = start;
      if (readKnownRecord(cursor, builders.add)) this.#lines++;
      else {
        cursor.position = start;
        this.#end(start);
      }
    }
  }

  /** Name of the object's first member, its value at the cursor; undefined when it has none. */
  #firstMember(): string | undefined {
    const cursor = this.#cursor;
    cursor.position++;
    if (cursor.skipSpace() !== QUOTE) return undefined;
    cursor.string();
    const name = cursor.spanText();
    cursor.valueAfterColon();
    return name;
  }

  #withdrawal(batch: BatchBuilder): void {
    const cursor: JsonCursor = this.#cursor;
    const start = cursor.position;
    const value = cursor.value();
    if (cursor.another(CLOSE_BRACE)) cursor.failWith(start, 'a withdrawal with something beside it');
    if (!checkWithdrawal.Check(value)) {
      batch.reject('badField');
      return;
    }
    batch.begin();
    for (const kind of ['md5', 'sha1', 'sha256'] as const) {
      const digest = Buffer.from(value[kind] ?? '', 'latin1');
      batch[kind](digest, 0, digest.length);
    }
    const pdq = Buffer.from(value.pdq ?? '', 'latin1');
    batch.bits(0, pdq, 0, pdq.length, -1);
    if (value.sourceKey !== undefined) batch.textString('sourceKey', value.sourceKey);
    if (value.reason !== undefined) batch.textString('tags', value.reason);
    batch.commit(true);
  }

  #end(start: number): void {
    const cursor: JsonCursor = this.#cursor;
    const line = cursor.value();
    if (!checkEnd.Check(line)) cursor.failWith(start, 'a line that is neither a change nor the end line');
    if (line.records !== this.#lines)
      cursor.failWith(start, `an end line of ${line.records} changes after ${this.#lines} (truncated or altered)`);
    this.#place = 'end';
  }
}
