import { createRequire } from 'node:module';
import type { Static, TSchema } from 'typebox';
import { HomewardError } from '../../schemas/error.ts';

const require = createRequire(import.meta.url);

type Decoder<T> = (cell: unknown) => T | typeof MISFIT;
const MISFIT = Symbol('misfit');

/** Reads rows with these columns; `mediaId` reads the column media_id. */
export interface RowShape<Row> {
  /** Given the names of the columns received, returns what turns the cells of a row into a Row. */
  bind(columns: readonly string[]): (cells: readonly unknown[]) => Row;
}

type Decoded<D> = D extends Decoder<infer T> ? T : never;

/** A row's columns by name, each with how it is read: `row({ mediaId: integer, sha256: bytes })`. */
export function row<const S extends Record<string, Decoder<unknown>>>(
  columns: S,
): RowShape<{ readonly [K in keyof S]: Exclude<Decoded<S[K]>, typeof MISFIT> }> {
  type Row = { readonly [K in keyof S]: Exclude<Decoded<S[K]>, typeof MISFIT> };
  const fields = Object.entries(columns).map(([key, decode]) => ({ key, decode, column: snakeCase(key) }));
  return {
    bind(received) {
      const places = fields.map((field) => {
        const place = received.indexOf(field.column);
        if (place < 0) throw misfit(field.column, 'no such column');
        return place;
      });
      return (cells) => {
        const result: Record<string, unknown> = {};
        for (const [at, field] of fields.entries()) {
          const cell = cells[places[at] ?? -1] ?? null;
          const value = field.decode(cell);
          if (value === MISFIT) throw misfit(field.column, cell === null ? 'null' : typeof cell);
          result[field.key] = value;
        }
        // Every key of S was just decoded by its own decoder.
        return result as Row;
      };
    },
  };
}

export const text: Decoder<string> = (cell) => (typeof cell === 'string' ? cell : MISFIT);
/** smallint, integer, bigint, and the numeric that sum() makes of them; refused beyond 2^53. */
export const integer: Decoder<number> = (cell) => {
  const value = typeof cell === 'string' && /^-?\d{1,16}$/.test(cell) ? Number(cell) : cell;
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : MISFIT;
};
export const real: Decoder<number> = (cell) => (typeof cell === 'number' ? cell : MISFIT);
export const bool: Decoder<boolean> = (cell) => (typeof cell === 'boolean' ? cell : MISFIT);
export const bytes: Decoder<Buffer> = (cell) => (Buffer.isBuffer(cell) ? cell : MISFIT);
/** timestamptz as ISO 8601 in UTC with milliseconds. */
export const timestamp: Decoder<string> = (cell) => (typeof cell === 'string' && cell.endsWith('Z') ? cell : MISFIT);
/** json or jsonb that `schema` accepts. */
export function json<S extends TSchema>(schema: S): Decoder<Static<S>> {
  // Loaded with the first schema: it takes 0.4 s, and a scan reads its first file without.
  const { Compile }: typeof import('typebox/compile') = require('typebox/compile');
  const check = Compile(schema);
  return (cell) => (check.Check(cell) ? cell : MISFIT);
}
export function oneOf<const V extends readonly string[]>(values: V): Decoder<V[number]> {
  return (cell) => values.find((value) => value === cell) ?? MISFIT;
}
export function nullable<T>(decode: Decoder<T>): Decoder<T | null> {
  return (cell) => (cell === null ? null : decode(cell));
}

function snakeCase(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function misfit(column: string, received: string): HomewardError {
  return new HomewardError(
    'HW_INTERNAL',
    `expected a column ${column} of the declared type in a row of the database, received ${received}; report this`,
  );
}

/** The row that a shape reads. */
export type RowOf<S> = S extends RowShape<infer Row> ? Row : never;
