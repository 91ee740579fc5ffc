import type { RowShape } from './row-shape.ts';

/** Uint8Array is bytea; an array is a PostgreSQL array (cast it in the SQL, `$1::bytea[]`); JSON goes through `jsonParam`. */
export type SqlParam = string | number | bigint | boolean | null | Uint8Array | readonly SqlParam[];

export interface CopyTarget {
  /** Written by us, never taken from outside: it becomes part of the SQL. */
  readonly table: string;
  readonly columns: readonly string[];
}

/** What a database can do, asked by name instead of by which one it is. */
export interface Capabilities {
  /** Such as `PGlite 0.5.14 (PostgreSQL 18.6)`, for reports. */
  readonly description: string;
  readonly serverVersion: string;
  readonly vectorVersion: string;
  /** What was acknowledged survives a power loss. */
  readonly durable: boolean;
  /** Several connections and processes may work at once. */
  readonly concurrent: boolean;
  /** One statement may use several cores. */
  readonly parallelQuery: boolean;
  /** The database vacuums and analyses by itself; where it does not, `analyze` after bulk loading. */
  readonly selfMaintaining: boolean;
}

/**
 * Values come out alike on both engines: smallint to bigint as number (bigint beyond 2^53 as text), bytea as Buffer,
 * timestamptz as ISO 8601 in UTC with milliseconds, json and jsonb parsed, bit and numeric and all else as text. Select no arrays.
 */
export interface Queryable {
  /**
   * Rows of one statement, by column name. `Row` states what the SQL right beside it selects; where a row steers what is done
   * or comes from a wide statement, `read` checks it.
   * @throws HomewardError HW_DATABASE with the SQLSTATE, `cause` kept; HW_DATA_DAMAGED where pages do not read.
   */
  query<Row>(sql: string, params?: readonly SqlParam[]): Promise<Row[]>;
  /** Rows of one statement, each checked by `shape`. */
  read<Row>(shape: RowShape<Row>, sql: string, params?: readonly SqlParam[]): Promise<Row[]>;
  /** Runs one statement for its effect; returns how many rows it touched. */
  execute(sql: string, params?: readonly SqlParam[]): Promise<number>;
}

export interface Transaction extends Queryable {
  /** Several statements without parameters, for migrations. */
  script(sql: string): Promise<void>;
  /**
   * Loads rows made by CopyEncoder: every chunk holds whole rows, without header or trailer. A chunk is used up when the
   * next but one is asked for: one is made while the other goes out. Returns the number of rows.
   */
  copyIn(target: CopyTarget, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<number>;
  /** Result of a SELECT (without parameters) in the binary COPY format, header and trailer included, in chunks cut anywhere. */
  copyOut(select: string): AsyncIterable<Uint8Array>;
}

/** The one port to PostgreSQL, embedded or a server. SQL behind it runs on PostgreSQL 15 to 18. */
export interface Db extends Queryable {
  readonly capabilities: Capabilities;
  /** Commits when `work` resolves, rolls back when it rejects. Transactions do not nest; inside one, use `tx` only. */
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
  /**
   * Hears what is told on a channel (NOTIFY) from now on, until it is disposed of or the database is closed. A hint and no more: a server that is cut off or
   * restarted loses what it was to tell, so look by yourself from time to time as well. `null`: the line was down and is up again; look now.
   * `onNotify` must not throw. @throws HW_DATABASE_UNREACHABLE where a server does not answer
   */
  listen(channel: string, onNotify: (payload: string | null) => void): Promise<AsyncDisposable>;
  /** May be called twice. Waits for what is under way. */
  close(): Promise<void>;
}

/**
 * A value as a jsonb parameter. NUL, which jsonb cannot hold, and halves of surrogate pairs become U+FFFD:
 * text out of a hostile file must not fail the transaction of two hundred others.
 */
export function jsonParam(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'string' ? storableText(inner) : inner));
}

/** Text as PostgreSQL can hold it. */
export function storableText(text: string): string {
  const wellFormed = text.isWellFormed() ? text : text.toWellFormed();
  return wellFormed.includes('\0') ? wellFormed.replaceAll('\0', '\ufffd') : wellFormed;
}

/** A name of a table or column for use in SQL. */
export function quoted(name: string): string {
  return name
    .split('.')
    .map((part) => `"${part.replaceAll('"', '""')}"`)
    .join('.');
}
