import type { BatchBuilder } from '../batch-builder.ts';
import { FieldTable } from '../field-table.ts';
import { joinedText, readFlag } from '../field-values.ts';
import { CLOSE_BRACE, CLOSE_BRACKET, type JsonCursor, OPEN_BRACE, OPEN_BRACKET, QUOTE } from '../json-cursor.ts';
import { PRESENT, type TextField } from '../record-batch.ts';
import { ALTERNATIVE_HASH_FIELDS, MEDIA_FIELDS } from './fields.ts';

const MEDIA_TABLE = new FieldTable(MEDIA_FIELDS);
/** Kinds of alternative hashes; exporters vary in case and hyphens (`SHA256`, `SHA-256`). */
const HASH_KINDS: ReadonlyMap<string, 'md5' | 'sha1' | 'sha256' | 'pdq' | 'blockhash' | 'photoDna'> = new Map([
  ['MD5', 'md5'],
  ['SHA1', 'sha1'],
  ['SHA256', 'sha256'],
  ['PDQ', 'pdq'],
  ['BLOCKHASH256R512', 'blockhash'],
  ['PHOTODNA', 'photoDna'],
  ['PhotoDNA', 'photoDna'],
]);
const HASH_TABLE = new FieldTable(ALTERNATIVE_HASH_FIELDS);

/** Reads the member's name at the cursor and stops at the first byte of its value; the index of the name in `table`, or -1. */
export function memberOf(cursor: JsonCursor, table: FieldTable): number {
  if (cursor.skipSpace() !== QUOTE) cursor.fail(cursor.position);
  let index = table.findFollowing(cursor.bytes, cursor.position);
  if (index >= 0) {
    cursor.position += table.quotedBytes(index);
    cursor.valueAfterColon();
    return index;
  }
  cursor.string();
  if (cursor.spanEscaped) {
    const name = Buffer.from(cursor.spanText(), 'utf8');
    index = table.find(name, 0, name.length);
  } else {
    index = table.find(cursor.bytes, cursor.spanStart, cursor.spanEnd);
  }
  cursor.valueAfterColon();
  return index;
}

/** Reads the Media object at the cursor into one record of the batch. A repeated member counts as its last, as JSON.parse has it. */
export function readMedia(cursor: JsonCursor, batch: BatchBuilder): void {
  batch.begin();
  cursor.position++;
  if (cursor.skipSpace() === CLOSE_BRACE) cursor.position++;
  else {
    do readMember(cursor, batch);
    while (cursor.another(CLOSE_BRACE));
  }
  batch.commit();
}

function readMember(cursor: JsonCursor, batch: BatchBuilder): void {
  switch (MEDIA_FIELDS[memberOf(cursor, MEDIA_TABLE)]) {
    case 'MD5':
      if (!plainDigest(cursor, batch, PRESENT.md5, 32) && digestText(cursor, batch))
        batch.md5(cursor.bytes, cursor.spanStart, cursor.spanEnd);
      break;
    case 'SHA1':
      if (!plainDigest(cursor, batch, PRESENT.sha1, 40) && digestText(cursor, batch))
        batch.sha1(cursor.bytes, cursor.spanStart, cursor.spanEnd);
      break;
    case 'SHA256':
      if (!plainDigest(cursor, batch, PRESENT.sha256, 64) && digestText(cursor, batch))
        batch.sha256(cursor.bytes, cursor.spanStart, cursor.spanEnd);
      break;
    case 'MediaID':
      if (!batch.keyGiven) readCode(cursor, batch, 'sourceKey');
      else cursor.skipValue();
      break;
    case '@homeward.sourceKey':
      batch.keyGiven = true;
      readCode(cursor, batch, 'sourceKey');
      break;
    case 'Category':
      readCode(cursor, batch, 'categoryCode');
      break;
    case 'MediaSize':
      readSize(cursor, batch);
      break;
    case 'Series':
      readText(cursor, batch, 'series');
      break;
    case 'Tags':
      readText(cursor, batch, 'tags');
      break;
    case 'VictimIdentified':
      readFlagMember(cursor, batch, 0);
      break;
    case 'OffenderIdentified':
      readFlagMember(cursor, batch, 1);
      break;
    case 'IsDistributed':
      readFlagMember(cursor, batch, 2);
      break;
    case 'IsPrecategorized':
      readFlagMember(cursor, batch, 3);
      break;
    case 'IsSuspected':
      readFlagMember(cursor, batch, 4);
      break;
    case 'PhotoDNA':
      batch.photoDna(cursor.value());
      break;
    case 'AlternativeHashes':
      readAlternativeHashes(cursor, batch);
      break;
    default:
      cursor.skipValue();
  }
}

/** Takes a digest written as it should be, without looking for the end of the string first; false, having taken nothing, for any other. */
function plainDigest(cursor: JsonCursor, batch: BatchBuilder, kind: number, digits: number): boolean {
  if (cursor.bytes[cursor.position] !== QUOTE) return false;
  const from = cursor.position + 1;
  // The zero at the end of the window is no digit: nothing behind it is taken for one.
  if (cursor.bytes[from + digits] !== QUOTE || !batch.plainDigest(kind, cursor.bytes, from)) return false;
  cursor.position = from + digits + 1;
  return true;
}

/** Takes a digest's value: true when the span is its text; null is not given, everything else is malformed. */
function digestText(cursor: JsonCursor, batch: BatchBuilder): boolean {
  if (cursor.skipSpace() === QUOTE) {
    cursor.string();
    return true;
  }
  const start = cursor.position;
  cursor.skipValue();
  if (!isNull(cursor, start)) batch.badDigest();
  return false;
}

/** A category or key: the text of a string, or the token of a number exactly as written, so that 0 stays a code and 1.0 stays 1.0. */
function readCode(cursor: JsonCursor, batch: BatchBuilder, field: TextField): void {
  batch.noText(field);
  const first = cursor.skipSpace();
  const start = cursor.position;
  if (first === QUOTE) {
    cursor.string();
    if (cursor.spanEnd > cursor.spanStart) spanInto(cursor, batch, field);
  } else if ((first >= 0x30 && first <= 0x39) || first === 0x2d) {
    cursor.scalar();
    spanInto(cursor, batch, field);
  } else {
    cursor.skipValue();
    if (!isNull(cursor, start)) batch.badField();
  }
}

function readSize(cursor: JsonCursor, batch: BatchBuilder): void {
  const first = cursor.skipSpace();
  const start = cursor.position;
  if (first === QUOTE) cursor.string();
  else if (first === OPEN_BRACE || first === OPEN_BRACKET) {
    cursor.skipValue();
    batch.note('sizeIgnored');
    return;
  } else cursor.scalar();
  if (isNull(cursor, start)) batch.size(cursor.bytes, start, start);
  else batch.size(cursor.bytes, cursor.spanStart, cursor.spanEnd);
}

function readText(cursor: JsonCursor, batch: BatchBuilder, field: TextField): void {
  batch.noText(field);
  const first = cursor.skipSpace();
  if (first === QUOTE) {
    cursor.string();
    if (cursor.spanEnd > cursor.spanStart) spanInto(cursor, batch, field);
  } else if (first === OPEN_BRACE || first === OPEN_BRACKET) {
    const text = joinedText(cursor.value());
    if (text !== undefined) batch.textString(field, text);
  } else {
    const start = cursor.position;
    cursor.scalar();
    if (!isNull(cursor, start)) spanInto(cursor, batch, field);
  }
}

function readFlagMember(cursor: JsonCursor, batch: BatchBuilder, index: number): void {
  const first = cursor.skipSpace();
  let value: boolean | null | undefined;
  if (first === OPEN_BRACE || first === OPEN_BRACKET) cursor.skipValue();
  else {
    if (first === QUOTE) cursor.string();
    else cursor.scalar();
    value = readFlag(cursor.bytes, cursor.spanStart, cursor.spanEnd);
  }
  if (value === undefined) batch.note('flagIgnored');
  batch.flag(index, value ?? null);
}

function readAlternativeHashes(cursor: JsonCursor, batch: BatchBuilder): void {
  if (cursor.skipSpace() !== OPEN_BRACKET) {
    cursor.skipValue();
    return;
  }
  cursor.position++;
  if (cursor.skipSpace() === CLOSE_BRACKET) {
    cursor.position++;
    return;
  }
  do {
    if (cursor.skipSpace() === OPEN_BRACE) readAlternativeHash(cursor, batch);
    else cursor.skipValue();
  } while (cursor.another(CLOSE_BRACKET));
}

function readAlternativeHash(cursor: JsonCursor, batch: BatchBuilder): void {
  let name = '';
  let flavour = '';
  let quality = -1;
  let valueStart = 0;
  let valueEnd = 0;
  let escaped = false;
  cursor.position++;
  if (cursor.skipSpace() === CLOSE_BRACE) {
    cursor.position++;
    return;
  }
  do {
    const field = ALTERNATIVE_HASH_FIELDS[memberOf(cursor, HASH_TABLE)];
    if (field === undefined || cursor.skipSpace() === OPEN_BRACE || cursor.skipSpace() === OPEN_BRACKET) {
      cursor.skipValue();
      continue;
    }
    if (cursor.skipSpace() === QUOTE) cursor.string();
    else cursor.scalar();
    if (field === 'HashValue') {
      valueStart = cursor.spanStart;
      valueEnd = cursor.spanEnd;
      escaped = cursor.spanEscaped;
    } else if (field === 'HashName') name = cursor.spanText();
    else if (field === '@homeward.flavour') flavour = cursor.spanText();
    else quality = qualityOf(cursor.spanText());
  } while (cursor.another(CLOSE_BRACE));
  if (valueEnd === valueStart) return;
  if (kindOf(name) === 'photoDna') {
    const value = Buffer.from(cursor.bytes.subarray(valueStart, valueEnd)).toString('latin1');
    // Some exporters escape the slashes of base64.
    batch.photoDna(escaped ? value.replaceAll('\\/', '/') : value);
  } else takeAlternative(cursor, batch, name, flavour, quality, valueStart, valueEnd);
}

const kindOf = (name: string) =>
  HASH_KINDS.get(name) ?? HASH_KINDS.get(name.toUpperCase().replaceAll(/[^A-Z0-9]/g, ''));

/** A digest given as a member of the Media object goes before one among its alternatives. */
function takeAlternative(
  cursor: JsonCursor,
  batch: BatchBuilder,
  name: string,
  flavour: string,
  quality: number,
  from: number,
  to: number,
): void {
  switch (kindOf(name)) {
    case 'md5':
      if (!batch.has(PRESENT.md5)) batch.md5(cursor.bytes, from, to);
      break;
    case 'sha1':
      if (!batch.has(PRESENT.sha1)) batch.sha1(cursor.bytes, from, to);
      break;
    case 'sha256':
      if (!batch.has(PRESENT.sha256)) batch.sha256(cursor.bytes, from, to);
      break;
    case 'pdq':
      batch.bits(flavour === 'pdq-512' ? 1 : flavour === 'pdq-full' ? 2 : 0, cursor.bytes, from, to, quality);
      break;
    case 'blockhash':
      batch.bits(3, cursor.bytes, from, to, quality);
      break;
    default:
      batch.note('otherHashIgnored');
  }
}

function spanInto(cursor: JsonCursor, batch: BatchBuilder, field: TextField): void {
  if (cursor.spanEscaped) batch.textString(field, cursor.spanText());
  else batch.text(field, cursor.bytes, cursor.spanStart, cursor.spanEnd);
}

const isNull = (cursor: JsonCursor, start: number): boolean => cursor.bytes[start] === 0x6e;

const qualityOf = (text: string): number => (/^\d{1,3}$/.test(text) ? Number(text) : -1);
