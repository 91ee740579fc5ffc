import { open } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { HomewardError } from '../../../../schemas/error.ts';
import { BatchBuilder } from '../batch-builder.ts';
import type { SetReader } from '../reader.ts';
import { PRESENT, type RecordBatch } from '../record-batch.ts';
import { describeNsrlDatabase } from './text.ts';

const MAGIC = Buffer.from('SQLite format 3\0', 'latin1');

/** Tables that hold digests, in the order in which they are preferred: RDS 3 minimal, RDS 3 full, and a table of digests alone. */
const TABLES = ['FILE', 'METADATA', 'DISTINCT_HASH'] as const;
const SIZE_COLUMNS = ['file_size', 'bytes', 'size'];
/** Of any text, row or statement in it. */
const LONGEST_VALUE_BYTES = 1_000_000;
/** Longer values are no digest; a hostile file must not make texts of a gigabyte. */
const MOST_DIGITS = 65;
const MOST_VERSION_LENGTH = 100;
const SEPARATOR = '|';
const BAR = SEPARATOR.charCodeAt(0);
/** Where separators stand when all three digests are there. */
const SHA1_AT = 65;
const MD5_AT = 106;
const SIZE_AT = 139;

/** Whether the file is an SQLite database, by its first bytes. */
export async function isSqliteFile(file: string): Promise<boolean> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(MAGIC.length), 0, MAGIC.length, 0);
    return bytesRead === MAGIC.length && buffer.equals(MAGIC);
  } finally {
    await handle.close();
  }
}

/**
 * Opens an NSRL RDS version 3 database, minimal or full. It came from outside and so is data, never code: opened as an immutable file (no journal
 * beside it is applied), read-only, without extensions, its views and triggers never run, only plain tables read.
 *
 * @param unchanged throws where the file is not what it was when it was digested; asked once all of it was read
 * @throws HomewardError HW_SET_FORMAT when it is not an RDS, HW_SET_DAMAGED (from `batches` too) when SQLite finds it damaged
 */
export function openNsrlDatabase(file: string, sizeBytes: number, unchanged: () => Promise<void>): SetReader {
  const db = openReadOnly(file);
  try {
    const table = tableOf(db, file);
    const sourceVersion = versionOf(db);
    return {
      description: describeNsrlDatabase(),
      sourceVersion,
      batches: () => readTable(db, table, sizeBytes, unchanged),
      close: async () => {
        if (db.isOpen) db.close();
      },
    };
  } catch (error) {
    db.close();
    throw error;
  }
}

function openReadOnly(file: string): DatabaseSync {
  const url = pathToFileURL(file);
  url.searchParams.set('immutable', '1');
  return reading(() => {
    const db = new DatabaseSync(url, {
      readOnly: true,
      allowExtension: false,
      enableDoubleQuotedStringLiterals: false,
      defensive: true,
      limits: { length: LONGEST_VALUE_BYTES, attach: 0 },
    });
    db.exec('pragma trusted_schema = off; pragma query_only = on; pragma cell_size_check = on; pragma mmap_size = 0');
    return db;
  });
}

interface RdsTable {
  readonly name: string;
  /** Column by what it holds; null where the table has none. */
  readonly sha256: string | null;
  readonly sha1: string | null;
  readonly md5: string | null;
  readonly size: string | null;
}

function tableOf(db: DatabaseSync, file: string): RdsTable {
  const names = texts(
    db,
    `select name from sqlite_schema where type = 'table' and lower(substr(sql, 1, 13)) = 'create table '`,
  );
  for (const wanted of TABLES) {
    const name = names.find((one) => one.toUpperCase() === wanted);
    if (name === undefined) continue;
    const columns = texts(db, 'select name from pragma_table_info(?)', name);
    const column = (...of: string[]) => columns.find((one) => of.includes(one.toLowerCase())) ?? null;
    const [sha256, sha1, md5] = [column('sha256'), column('sha1'), column('md5')];
    if (sha256 !== null || sha1 !== null || md5 !== null)
      return { name, sha256, sha1, md5, size: column(...SIZE_COLUMNS) };
  }
  throw new HomewardError(
    'HW_SET_FORMAT',
    `expected an NSRL RDS version 3 database, with a table FILE or METADATA that has columns of digests, received ${JSON.stringify(file)} without one; ask NIST's site for the minimal set`,
  );
}

function versionOf(db: DatabaseSync): string | null {
  const tables = texts(db, `select name from sqlite_schema where type = 'table' and name = 'VERSION'`);
  if (tables.length === 0 || !texts(db, `select name from pragma_table_info('VERSION')`).includes('version'))
    return null;
  const [version] = texts(
    db,
    `select substr(version, 1, ${MOST_VERSION_LENGTH}) from VERSION order by rowid desc limit 1`,
  );
  return version ?? null;
}

function texts(db: DatabaseSync, sql: string, ...params: string[]): string[] {
  return reading(() => {
    const statement = db.prepare(sql);
    statement.setReturnArrays(true);
    return statement.all(...params).map((row) => String(Object.values(row)[0]));
  });
}

const named = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/**
 * One text a row: it costs as much to read as four columns do, and goes into the buffer that digests are decoded from at once. Where an index gives the order of the digests, the many rows of one
 * content are put together by SQLite as it goes along it, and their number stands behind; never by sorting, which would take disk and
 * memory without bound: then each row is one, and the importer finds the repeated ones.
 */
function selectOf(db: DatabaseSync, { name, sha256, sha1, md5, size }: RdsTable): { sql: string; ordered: boolean } {
  const part = (column: string | null): string =>
    column === null ? `''` : `substr(coalesce(${named(column)}, ''), 1, ${MOST_DIGITS})`;
  const line = [sha256, sha1, md5, size].map(part).join(` || '${SEPARATOR}' || `);
  const digests = [sha256, sha1, md5].filter((column) => column !== null).map(named);
  const together = `select ${line} || '${SEPARATOR}' || count(*) from ${named(name)} group by ${digests.join(', ')}`;
  const plan = reading(() => db.prepare(`explain query plan ${together}`).all());
  if (!plan.some(({ detail }) => String(detail).includes('TEMP B-TREE'))) return { sql: together, ordered: true };
  return { sql: `select ${line} || '${SEPARATOR}1' from ${named(name)}`, ordered: false };
}

async function* readTable(
  db: DatabaseSync,
  table: RdsTable,
  sizeBytes: number,
  unchanged: () => Promise<void>,
): AsyncGenerator<RecordBatch, void, undefined> {
  const builder = new BatchBuilder();
  try {
    const { sql, ordered } = selectOf(db, table);
    const rows = reading(() => {
      const statement = db.prepare(sql);
      statement.setReturnArrays(true);
      return statement.iterate();
    });
    const line = new RdsLine();
    for (;;) {
      const next = reading(() => rows.next());
      if (next.done === true) break;
      const text = String(Object.values(next.value)[0]);
      line.take(text, builder);
      // How far it is: by the digest, which are spread evenly, where they come in their order.
      if (builder.full) yield builder.take(ordered ? Math.round(sizeBytes * shareOf(text)) : 0);
    }
    await unchanged();
    yield builder.take(sizeBytes, 0);
  } finally {
    if (db.isOpen) db.close();
  }
}

const shareOf = (digest: string): number => (Number.parseInt(digest.slice(0, 4), 16) || 0) / 65_536;

/** A row as `sha256|sha1|md5|size|rows`. */
class RdsLine {
  /** No row is longer: three digests and a size of MOST_DIGITS characters each, of up to three bytes, and a number. */
  readonly #bytes = Buffer.alloc((MOST_DIGITS + 1) * 4 * 3 + 20);

  take(text: string, builder: BatchBuilder): void {
    const bytes = this.#bytes;
    const end = text.lastIndexOf(SEPARATOR);
    const rows = text.length === end + 2 ? text.charCodeAt(end + 1) - 48 : Number(text.slice(end + 1));
    for (let repeated = 1; repeated < rows; repeated += 1) builder.reject('duplicate');
    const written = bytes.write(text, 0, 'latin1');
    builder.begin();
    const whole =
      end >= SIZE_AT &&
      bytes[SHA1_AT - 1] === BAR &&
      bytes[MD5_AT - 1] === BAR &&
      bytes[SIZE_AT - 1] === BAR &&
      builder.plainDigest(PRESENT.sha256, bytes, 0) &&
      builder.plainDigest(PRESENT.sha1, bytes, SHA1_AT) &&
      builder.plainDigest(PRESENT.md5, bytes, MD5_AT);
    if (whole) builder.size(bytes, SIZE_AT, end);
    else this.#takeParts(bytes.subarray(0, Math.min(end, written)), builder);
    builder.commit();
  }

  #takeParts(bytes: Uint8Array, builder: BatchBuilder): void {
    builder.begin();
    const first = bytes.indexOf(BAR);
    const second = bytes.indexOf(BAR, first + 1);
    const third = bytes.indexOf(BAR, second + 1);
    builder.sha256(bytes, 0, first);
    builder.sha1(bytes, first + 1, second);
    builder.md5(bytes, second + 1, third);
    builder.size(bytes, third + 1, bytes.length);
  }
}

function reading<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof HomewardError) throw error;
    throw new HomewardError(
      'HW_SET_DAMAGED',
      `expected a whole SQLite database, received one that does not read (${error instanceof Error ? error.message : 'unknown'}); nothing was kept, get the file again from its source`,
      { cause: error },
    );
  }
}
