import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { HomewardError } from '../../schemas/error.ts';
import type { Db, Transaction } from './db.ts';
import { integer, nullable, row } from './row-shape.ts';
import { sqlStateOf } from './sqlstate.ts';

const FOLDER = path.join(import.meta.dirname, 'migrations');
/** Any fixed number: two migrators of one server wait for each other on it. */
const ADVISORY_LOCK = 4_857_001;
/** Raised by 0004-access.sql where the login may neither make nor take on the role of the members. */
const ROLE_REFUSED = 'HWR01';

export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly file: string;
}

/** The numbered .sql files beside this one, in order and without gap. */
export async function migrations(folder: string = FOLDER): Promise<readonly Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
  return names.map((name, at) => {
    const version = Number.parseInt(name.slice(0, 4), 10);
    if (version !== at + 1) {
      throw new HomewardError(
        'HW_INTERNAL',
        `expected migration ${at + 1} next, received the file ${name}; report this`,
      );
    }
    return { version, name: name.slice(5, -4), file: path.join(folder, name) };
  });
}

/**
 * Brings the tables to what this code works with. Each migration is one transaction whose first statement enters its
 * version, so that it cannot half happen, and holds a lock, so that it cannot happen twice.
 * Returns the versions applied.
 * @throws HW_DATA_NEWER when the database has a version that this code does not know; nothing was changed then.
 *   HW_DATABASE_ROLE when a DBA has to make the role of the members first
 */
export async function migrate(db: Db, folder: string = FOLDER): Promise<readonly number[]> {
  const known = await migrations(folder);
  const applied: number[] = [];
  for (const migration of known) {
    const done = await db.transaction(async (tx) => {
      const current = await currentVersion(tx);
      if (current > known.length) throw newer(current, known.length);
      if (current >= migration.version) return false;
      await tx.execute('insert into schema_migration (version, name) values ($1, $2)', [
        migration.version,
        migration.name,
      ]);
      await runScript(tx, await readFile(migration.file, 'utf8'));
      return true;
    });
    if (done) applied.push(migration.version);
  }
  return applied;
}

async function runScript(tx: Transaction, sql: string): Promise<void> {
  try {
    await tx.script(sql);
  } catch (error) {
    if (sqlStateOf(error) !== ROLE_REFUSED) throw error;
    throw new HomewardError(
      'HW_DATABASE_ROLE',
      'expected a login that may make the role homeward_member or take it on, received one that may not; have a superuser run: ' +
        'create role homeward_member nologin noinherit; grant homeward_member to <login of the engine>;',
      { cause: error },
    );
  }
}

async function currentVersion(tx: Transaction): Promise<number> {
  await tx.execute('select pg_advisory_xact_lock($1)', [ADVISORY_LOCK]);
  await tx.script(
    `create table if not exists schema_migration (
       version integer primary key,
       name text not null,
       applied_at timestamptz not null default now()
     )`,
  );
  const [latest] = await tx.read(
    row({ version: nullable(integer) }),
    'select max(version) as version from schema_migration',
  );
  return latest?.version ?? 0;
}

function newer(found: number, known: number): HomewardError {
  return new HomewardError(
    'HW_DATA_NEWER',
    `expected a database of table version ${known} or older, received version ${found}, which a newer engine wrote; use that version, nothing was changed`,
  );
}
