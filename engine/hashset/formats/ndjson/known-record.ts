import { Compile } from 'typebox/compile';
import { BITS_ALGORITHMS } from '../../../../schemas/constants.ts';
import { type KnownBits, KnownRecord } from '../../../../schemas/known-record.ts';
import type { BatchBuilder } from '../batch-builder.ts';
import { FieldTable } from '../field-table.ts';
import { CLOSE_BRACE, type JsonCursor, OPEN_BRACKET, QUOTE } from '../json-cursor.ts';
import { FLAG_NAMES, type TextField } from '../record-batch.ts';

const FIELDS = [
  'md5',
  'sha1',
  'sha256',
  'sourceKey',
  'categoryCode',
  'series',
  'tags',
  'sizeBytes',
  'bits',
  'photoDna',
  ...FLAG_NAMES,
  'homeward',
] as const;
const TABLE = new FieldTable(FIELDS);
const FIRST_FLAG = FIELDS.indexOf(FLAG_NAMES[0]);
const ALGORITHM_NAMES: readonly unknown[] = BITS_ALGORITHMS;
const checkBits = Compile(KnownRecord.properties.bits);

/**
 * Reads the KnownRecord at the cursor into the batch. Text that is empty stays empty, null stays null.
 * False when the object is no record but a line about the set.
 */
export function readKnownRecord(cursor: JsonCursor, batch: BatchBuilder): boolean {
  batch.begin();
  cursor.position++;
  if (cursor.skipSpace() === CLOSE_BRACE) cursor.position++;
  else {
    do {
      if (cursor.skipSpace() !== QUOTE) cursor.fail(cursor.position);
      cursor.string();
      const index = cursor.spanEscaped ? -1 : TABLE.find(cursor.bytes, cursor.spanStart, cursor.spanEnd);
      cursor.valueAfterColon();
      if (FIELDS[index] === 'homeward') return false;
      readMember(cursor, batch, index);
    } while (cursor.another(CLOSE_BRACE));
  }
  batch.commit();
  return true;
}

function readMember(cursor: JsonCursor, batch: BatchBuilder, index: number): void {
  const field = FIELDS[index];
  switch (field) {
    case 'md5':
    case 'sha1':
    case 'sha256':
      readDigest(cursor, batch, field);
      break;
    case 'sourceKey':
    case 'categoryCode':
    case 'series':
    case 'tags':
      readText(cursor, batch, field);
      break;
    case 'sizeBytes':
      if (takeScalar(cursor, batch)) batch.size(cursor.bytes, cursor.spanStart, cursor.spanEnd);
      break;
    case 'bits':
      readBits(cursor, batch);
      break;
    case 'photoDna':
      batch.photoDna(cursor.value());
      break;
    case 'homeward':
    case undefined:
      // A record is closed: what it does not name was not written by an export of this version.
      cursor.skipValue();
      batch.badField();
      break;
    default:
      if (takeScalar(cursor, batch)) readFlag(cursor, batch, index - FIRST_FLAG);
  }
}

function readDigest(cursor: JsonCursor, batch: BatchBuilder, field: 'md5' | 'sha1' | 'sha256'): void {
  if (cursor.skipSpace() === QUOTE) {
    cursor.string();
    batch[field](cursor.bytes, cursor.spanStart, cursor.spanEnd);
  } else if (takeScalar(cursor, batch)) batch.badDigest();
}

function readText(cursor: JsonCursor, batch: BatchBuilder, field: TextField): void {
  if (cursor.skipSpace() === QUOTE) {
    cursor.string();
    if (cursor.spanEscaped) batch.textString(field, cursor.spanText());
    else batch.text(field, cursor.bytes, cursor.spanStart, cursor.spanEnd);
  } else if (takeScalar(cursor, batch)) batch.badField();
}

function readFlag(cursor: JsonCursor, batch: BatchBuilder, flag: number): void {
  const first = cursor.bytes[cursor.spanStart];
  if (first === 0x74) batch.flag(flag, true);
  else if (first === 0x66) batch.flag(flag, false);
  else batch.badField();
}

/** Takes a value that is neither text nor null: true when its token is the span. Text, objects and arrays spoil the record. */
function takeScalar(cursor: JsonCursor, batch: BatchBuilder): boolean {
  const first = cursor.skipSpace();
  if (first === 0x22 || first === 0x7b || first === 0x5b) {
    cursor.skipValue();
    batch.badField();
    return false;
  }
  cursor.scalar();
  return first !== 0x6e;
}

function readBits(cursor: JsonCursor, batch: BatchBuilder): void {
  if (cursor.skipSpace() !== OPEN_BRACKET) {
    cursor.skipValue();
    batch.badField();
    return;
  }
  const start = cursor.position;
  cursor.skipValue();
  if (cursor.position - start === 2) return;
  cursor.position = start;
  const value = cursor.value();
  if (!checkBits.Check(value)) {
    batch.badBits();
    return;
  }
  for (const bits of value) {
    const hex = Buffer.from(bits.hex, 'latin1');
    batch.bits(algorithmOf(bits), hex, 0, hex.length, bits.quality ?? -1);
  }
}

function algorithmOf(bits: KnownBits): number {
  const name = bits.algorithm === 'pdq' ? (bits.flavour ?? 'pdq') : bits.algorithm;
  return ALGORITHM_NAMES.indexOf(name);
}
