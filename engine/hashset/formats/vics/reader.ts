import type { BatchBuilder } from '../batch-builder.ts';
import { type ByteWindow, malformed } from '../byte-window.ts';
import { FieldTable } from '../field-table.ts';
import {
  CLOSE_BRACE,
  CLOSE_BRACKET,
  JsonCursor,
  MORE_BYTES_NEEDED,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
} from '../json-cursor.ts';
import type { ParseStop, RecordParser } from '../record-parser.ts';
import { CASE_FIELDS, DOCUMENT_FIELDS } from './fields.ts';
import { memberOf, readMedia } from './media-record.ts';

const DOCUMENT_TABLE = new FieldTable(DOCUMENT_FIELDS);
const CASE_TABLE = new FieldTable(CASE_FIELDS);

type Place = 'start' | 'document' | 'value' | 'case' | 'media' | 'end';

/**
 * Reads VICS documents of media or of cases, all versions: walks the document by the places below and takes a Media object at a time.
 * Each step either happens whole or not at all, so that it can be tried again when more bytes are there.
 */
export class VicsParser implements RecordParser {
  readonly #cursor = new JsonCursor('VICS');
  readonly #kind: 'media' | 'cases';
  #place: Place = 'start';
  /** True before the first member or element of the place. */
  #first = true;
  #valueSeen = false;
  #caseMedia = 0;
  #caseTotal: number | undefined;

  constructor(kind: 'media' | 'cases') {
    this.#kind = kind;
  }

  parse(window: ByteWindow, batch: BatchBuilder): ParseStop {
    const cursor = this.#cursor;
    cursor.attach(window);
    try {
      while (!batch.full) {
        if (this.#place === 'end') {
          cursor.skipSpace();
          window.start = cursor.position;
          if (!cursor.atEnd()) cursor.fail(cursor.position);
          if (!this.#valueSeen)
            throw malformed('VICS', window.offsetOf(window.start), 'the end of a document without a "value" array');
          return window.final ? 'done' : 'more';
        }
        this.#step(batch);
        window.start = cursor.position;
      }
      return 'full';
    } catch (signal) {
      if (signal === MORE_BYTES_NEEDED) return 'more';
      throw signal;
    }
  }

  #step(batch: BatchBuilder): void {
    const cursor = this.#cursor;
    switch (this.#place) {
      case 'start':
        if (cursor.skipSpace() !== OPEN_BRACE) cursor.fail(cursor.position);
        cursor.position++;
        this.#enter('document');
        break;
      case 'document':
        if (this.#another(CLOSE_BRACE)) this.#documentMember();
        else this.#place = 'end';
        break;
      case 'value':
        if (!this.#another(CLOSE_BRACKET)) this.#leave('document');
        else if (this.#kind === 'media') this.#mediaElement(batch);
        else this.#caseElement(batch);
        break;
      case 'case':
        if (this.#another(CLOSE_BRACE)) this.#caseMember();
        else this.#endCase(batch);
        break;
      case 'media':
        if (this.#another(CLOSE_BRACKET)) this.#mediaElement(batch);
        else this.#leave('case');
        break;
      case 'end':
        break;
    }
  }

  /** Goes to the next member or element of the place; false after its closing byte. */
  #another(close: number): boolean {
    const cursor = this.#cursor;
    if (!this.#first) return cursor.another(close);
    const byte = cursor.skipSpace();
    if (byte === close) cursor.position++;
    else if (byte === 0) cursor.fail(cursor.position);
    return byte !== close;
  }

  #documentMember(): void {
    const cursor = this.#cursor;
    if (memberOf(cursor, DOCUMENT_TABLE) === 0 && cursor.skipSpace() === OPEN_BRACKET) {
      cursor.position++;
      this.#valueSeen = true;
      this.#enter('value');
    } else {
      cursor.skipValue();
      this.#first = false;
    }
  }

  #caseElement(batch: BatchBuilder): void {
    const cursor = this.#cursor;
    if (cursor.skipSpace() === OPEN_BRACE) {
      cursor.position++;
      this.#caseMedia = 0;
      this.#caseTotal = undefined;
      this.#enter('case');
    } else {
      cursor.skipValue();
      batch.reject('notARecord');
      this.#first = false;
    }
  }

  #caseMember(): void {
    const cursor = this.#cursor;
    const field = CASE_FIELDS[memberOf(cursor, CASE_TABLE)];
    const first = cursor.skipSpace();
    if (field === 'Media' && first === OPEN_BRACKET) {
      cursor.position++;
      this.#enter('media');
      return;
    }
    if (field === 'TotalMediaFiles' && first === QUOTE) {
      cursor.string();
      this.#caseTotal = Number(cursor.spanText());
    } else if (field === 'TotalMediaFiles' && first >= 0x30 && first <= 0x39) {
      cursor.scalar();
      this.#caseTotal = Number(cursor.spanText());
    } else {
      cursor.skipValue();
    }
    this.#first = false;
  }

  #mediaElement(batch: BatchBuilder): void {
    const cursor = this.#cursor;
    if (cursor.skipSpace() === OPEN_BRACE) {
      readMedia(cursor, batch);
    } else {
      cursor.skipValue();
      batch.reject('notARecord');
    }
    this.#caseMedia++;
    this.#first = false;
  }

  /** Header totals lie: the media are taken as they are, and the difference is noted. */
  #endCase(batch: BatchBuilder): void {
    if (this.#caseTotal !== undefined && this.#caseTotal !== this.#caseMedia) batch.noteOfSet('headerTotalDiffers');
    this.#leave('value');
  }

  #enter(place: Place): void {
    this.#place = place;
    this.#first = true;
  }

  #leave(place: Place): void {
    this.#place = place;
    this.#first = false;
  }
}
