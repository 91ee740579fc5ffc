import { setTimeout as sleep } from 'node:timers/promises';
import { HomewardError } from '../../schemas/error.ts';
import { type Db, quoted } from '../store/db.ts';
import { bool, integer, row, text } from '../store/row-shape.ts';
import { DERIVED_TABLES } from './derived-tables.ts';

/** How long it is waited for others that may still see what was deleted. */
const WAIT_MS = 60_000;
const LOOK_AGAIN_MS = 250;

/**
 * Writes every table that held some of the deleted rows anew, with its indexes: a deleted row stays in its page until then. The old
 * files are emptied by the system at the commit. Whoever uses a table waits meanwhile. Again does no harm.
 * @param deletedBy the transaction that deleted them
 * @throws HomewardError HW_ERASURE_BLOCKED where others may still see the rows, which would be carried over
 */
export async function rewriteTables(
  db: Db,
  deletedBy: string,
  options: { readonly waitMs?: number } = {},
): Promise<void> {
  await nobodySeesThem(db, deletedBy, options.waitMs ?? WAIT_MS);
  for (const table of DERIVED_TABLES) {
    const [key] = await db.read(
      row({ name: text }),
      `select c.relname as name from pg_index i join pg_class c on c.oid = i.indexrelid where i.indrelid = $1::regclass and i.indisprimary`,
      [table],
    );
    if (key === undefined) throw new Error(`${table} has no primary key to be written anew by`);
    await db.transaction(async (tx) => {
      // A table of many millions takes longer than the limit that connections have.
      await tx.script('set local statement_timeout = 0');
      // CLUSTER leaves no dead row behind, as VACUUM FULL, and runs where a limit can be set for it alone.
      await tx.script(`cluster ${quoted(table)} using ${quoted(key.name)}`);
    });
  }
  await forgetStatistics(db);
}

/** The planner's statistics hold values of columns as they were. */
async function forgetStatistics(db: Db): Promise<void> {
  const [role] = await db.read(
    row({ superuser: bool }),
    'select rolsuper as superuser from pg_roles where rolname = current_user',
  );
  // ANALYZE replaces those of a table that has rows; those of one that is empty now it leaves as they are.
  if (role?.superuser === true) {
    await db.execute(
      `delete from pg_statistic where starelid in (
         select c.oid from pg_class c where c.oid = any($1::text[]::regclass[]::oid[])
         union select i.indexrelid from pg_index i where i.indrelid = any($1::text[]::regclass[]::oid[]))`,
      [DERIVED_TABLES],
    );
  }
  await db.execute(`analyze ${DERIVED_TABLES.map(quoted).join(', ')}`);
  await db.execute('vacuum full pg_catalog.pg_statistic');
}

/** What the login may not do of this, as sentences for the operator; empty where it may do all. */
export async function leftAfterRewrite(db: Db): Promise<string[]> {
  const [login] = await db.read(
    row({ superuser: bool, ownsDatabase: bool, seesSessions: bool }),
    `select rolsuper as superuser,
            (select pg_has_role(d.datdba, 'usage') from pg_database d where d.datname = current_database()) as owns_database,
            pg_has_role('pg_read_all_stats', 'usage') as sees_sessions
       from pg_roles where rolname = current_user`,
  );
  if (login === undefined || login.superuser) return [];
  const left: string[] = [];
  if (!login.seesSessions) {
    left.push(
      'Sessions of other logins could not be looked at: one that was in an older transaction may have kept deleted rows in the tables. With none open, CLUSTER the tables named in engine/erasure/derived-tables.ts.',
    );
  }
  const empty: string[] = [];
  for (const table of DERIVED_TABLES) {
    const [found] = await db.read(row({ rows: bool }), `select exists (select from ${quoted(table)}) as rows`);
    if (found?.rows === false) empty.push(table);
  }
  if (empty.length > 0 || !login.ownsDatabase) {
    left.push(
      `Statistics of the planner may hold values of it: as a superuser delete those of ${empty.join(', ') || 'no table'} from pg_statistic, then VACUUM FULL pg_statistic, CHECKPOINT and pg_switch_wal().`,
    );
  }
  return left;
}

async function nobodySeesThem(db: Db, deletedBy: string, waitMs: number): Promise<void> {
  const until = performance.now() + waitMs;
  for (;;) {
    const [found] = await db.read(
      row({ holders: integer }),
      `select (select count(*) from pg_stat_activity
                where pid <> pg_backend_pid() and backend_type <> 'autovacuum worker'
                  and (datname = current_database() or backend_type = 'walsender')
                  and (age(backend_xmin) >= age($1::text::xid8::xid) or age(backend_xid) >= age($1::text::xid8::xid)))
            + (select count(*) from pg_replication_slots where age(xmin) >= age($1::text::xid8::xid))
            + (select count(*) from pg_prepared_xacts where age(transaction) >= age($1::text::xid8::xid)) as holders`,
      [deletedBy],
    );
    const holders = found?.holders ?? 0;
    if (holders === 0) return;
    if (performance.now() >= until) {
      throw new HomewardError(
        'HW_ERASURE_BLOCKED',
        `expected nobody to see the deleted rows any more, so that they can be written over, received ${holders} older transactions or replication slots; end them (pg_stat_activity.backend_xmin, pg_replication_slots), then run the same command again: it goes on where it stopped`,
      );
    }
    await sleep(LOOK_AGAIN_MS);
  }
}
