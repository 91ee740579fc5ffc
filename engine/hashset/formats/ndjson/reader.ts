import { Compile } from 'typebox/compile';
import { HomewardError } from '../../../../schemas/error.ts';
import type { BatchBuilder } from '../batch-builder.ts';
import type { ByteWindow } from '../byte-window.ts';
import { JsonCursor, MORE_BYTES_NEEDED, OPEN_BRACE } from '../json-cursor.ts';
import type { ParseStop, RecordParser } from '../record-parser.ts';
import type { SetHead } from '../set-head.ts';
import { readKnownRecord } from './known-record.ts';
import { EndLine, HeadLine, NDJSON_VERSION } from './lines.ts';
import { nextLine } from './next-line.ts';

const checkHead = Compile(HeadLine);
const checkEnd = Compile(EndLine);

/** True when the file begins as an export of ours does. */
export function startsAsNdjson(head: string): boolean {
  return /^\s*\{\s*"homeward"\s*:\s*"known-records"/.test(head);
}

/** What the head line says; undefined when it is not whole. Throws HW_SET_FORMAT for a version of a later engine. */
export function describeNdjson(head: string): SetHead | undefined {
  const line = head.trimStart().split('\n', 1)[0] ?? '';
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!checkHead.Check(value)) return undefined;
  if (value.formatVersion !== NDJSON_VERSION) {
    throw new HomewardError(
      'HW_SET_FORMAT',
      `expected an NDJSON export of version ${NDJSON_VERSION}, received one of version ${value.formatVersion}; export it again from this version, or import it with a newer one`,
    );
  }
  return {
    format: 'ndjson',
    formatVersion: value.formatVersion,
    categoryScheme: value.categoryScheme,
    documentKind: null,
  };
}

/** Reads our own export: a head line, one KnownRecord a line, an end line that counts them. */
export class NdjsonParser implements RecordParser {
  readonly #cursor = new JsonCursor('NDJSON');
  #place: 'head' | 'records' | 'end' = 'head';
  #records = 0;

  parse(window: ByteWindow, batch: BatchBuilder): ParseStop {
    const cursor = this.#cursor;
    cursor.attach(window);
    try {
      while (!batch.full) {
        const byte = nextLine(cursor, window, this.#place === 'end');
        if (byte === 'more' || byte === 'done') return byte;
        if (byte !== OPEN_BRACE) this.#notARecord(batch);
        else if (this.#place === 'head') this.#head();
        else this.#record(batch);
        window.start = cursor.position;
      }
      return 'full';
    } catch (signal) {
      if (signal === MORE_BYTES_NEEDED) return 'more';
      throw signal;
    }
  }

  #head(): void {
    const start = this.#cursor.position;
    if (!checkHead.Check(this.#cursor.value())) this.#cursor.failWith(start, 'a head line that is not of this format');
    this.#place = 'records';
  }

  #record(batch: BatchBuilder): void {
    const cursor: JsonCursor = this.#cursor;
    const start = cursor.position;
    if (readKnownRecord(cursor, batch)) {
      this.#records++;
      return;
    }
    cursor.position = start;
    const line = cursor.value();
    if (!checkEnd.Check(line)) cursor.failWith(start, 'a line that is neither a record nor the end line');
    if (line.records !== this.#records) {
      cursor.failWith(
        start,
        `an end line of ${line.records} records after ${this.#records} records (truncated or altered)`,
      );
    }
    this.#place = 'end';
  }

  #notARecord(batch: BatchBuilder): void {
    const start = this.#cursor.position;
    this.#cursor.skipValue();
    if (this.#place === 'head') this.#cursor.failWith(start, 'something before the head line');
    batch.reject('notARecord');
    this.#records++;
  }
}
