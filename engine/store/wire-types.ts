import type { SqlParam } from './db.ts';
import type { RowShape } from './row-shape.ts';

/**
 * Both adapters exchange values with PostgreSQL as text and turn them by this one table, so that a value cannot come out
 * as a string on a server and as a number embedded. Numbers on the left are type OIDs of pg_type.
 */
const READ: Readonly<Record<number, (text: string) => unknown>> = {
  16: (text) => text === 't',
  17: (text) => Buffer.from(text.slice(2), 'hex'),
  20: exactInteger,
  21: Number,
  23: Number,
  26: Number,
  114: (text) => JSON.parse(text),
  700: Number,
  701: Number,
  1184: isoTimestamp,
  3802: (text) => JSON.parse(text),
};
/** The types whose reading the drivers must leave to us. */
export const READ_TYPES = Object.keys(READ).map(Number);

/** Session settings that the table relies on. */
export const SESSION_SETTINGS = {
  timezone: 'UTC',
  datestyle: 'ISO',
  bytea_output: 'hex',
  extra_float_digits: '1',
} as const;

/** A statement's rows as a driver received them. */
export interface TextRows {
  readonly columns: readonly string[];
  readonly typeIds: readonly number[];
  readonly rows: readonly (readonly (string | null)[])[];
}

/** Rows as objects by column name. What they hold is what the SQL says, so it stands beside its type at the query. */
export function rowObjects<Row>(received: TextRows): Row[] {
  return cellsOf(received, (cells) => {
    const made: Record<string, unknown> = {};
    for (const [at, column] of received.columns.entries()) made[column] = cells[at];
    return made as Row;
  });
}

/** Rows checked column by column. */
export function rowsOfShape<Row>(shape: RowShape<Row>, received: TextRows): Row[] {
  return cellsOf(received, shape.bind(received.columns));
}

function cellsOf<T>(received: TextRows, make: (cells: readonly unknown[]) => T): T[] {
  const readers = received.typeIds.map((typeId) => READ[typeId] ?? asText);
  return received.rows.map((row) =>
    make(row.map((cell, at) => (cell === null ? null : (readers[at] ?? asText)(cell)))),
  );
}

const asText = (text: string): unknown => text;

/** A parameter as text; arrays as array literals. */
export function writeParam(param: SqlParam): string | null {
  if (param === null) return null;
  if (Array.isArray(param)) return `{${param.map(writeElement).join(',')}}`;
  return writeScalar(param);
}

function writeElement(element: SqlParam): string {
  if (element === null) return 'NULL';
  if (Array.isArray(element)) return writeParam(element) ?? 'NULL';
  const written = writeScalar(element);
  if (typeof element === 'number' || typeof element === 'bigint' || typeof element === 'boolean') return written;
  if (element instanceof Uint8Array) return `"\\${written}"`;
  return `"${written.replaceAll(/["\\]/g, '\\$&')}"`;
}

function writeScalar(value: SqlParam): string {
  if (value instanceof Uint8Array)
    return `\\x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}`;
  // String(-0) is '0', and a double precision column keeps the sign of a zero.
  if (Object.is(value, -0)) return '-0';
  // PGlite counts the bytes of half a surrogate pair wrongly, and with them the length of the whole message.
  return String(value).toWellFormed();
}

/** An int8 that a number cannot hold exactly stays text, which `integer` then refuses. */
function exactInteger(text: string): unknown {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : text;
}

/** `2026-11-24 06:35:36.123456+00`, cut to milliseconds. */
function isoTimestamp(text: string): unknown {
  const time = new Date(`${text.slice(0, 10)}T${text.slice(11)}`.replace(/\+00$/, 'Z'));
  return Number.isNaN(time.getTime()) ? text : time.toISOString();
}
