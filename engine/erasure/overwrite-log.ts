import type { Db } from '../store/db.ts';
import { bool, integer, row, text } from '../store/row-shape.ts';

/**
 * Sees to it that the write-ahead log holds nothing from before this call. A checkpoint makes its segments superfluous, but PostgreSQL
 * keeps them, bytes and all, under the names of segments to come; so each of those is begun and ended at once, which fills it with zeros.
 * @returns what could not be done and is left to the operator, as sentences; empty where all was done
 */
export async function overwriteLog(db: Db): Promise<string[]> {
  const [may] = await db.read(
    row({ all: bool }),
    `select has_function_privilege('pg_switch_wal()', 'execute') and has_function_privilege('pg_ls_waldir()', 'execute')
        and ((select rolsuper from pg_roles where rolname = current_user) or pg_has_role('pg_checkpoint', 'usage')) as all`,
  );
  if (may?.all !== true) {
    return [
      'The write-ahead log may hold it until it is written over: the login may not end its segments. As a superuser: CHECKPOINT; then as often as pg_ls_waldir() has rows: SELECT pg_switch_wal().',
    ];
  }
  const begin = await beginSegment(db);
  await db.execute('checkpoint');
  const [kept] = await db.read(row({ segments: integer }), 'select count(*) as segments from pg_ls_waldir()');
  for (let segment = 0; segment <= (kept?.segments ?? 0); segment += 1) await beginSegment(db);
  const left: string[] = [];
  // Names of one timeline are in the order of the log; whatever is older than where we began should be gone.
  const [older] = await db.read(
    row({ segments: integer }),
    `select count(*) as segments from pg_ls_waldir() where name ~ '^[0-9A-F]{24}$' and name < $1`,
    [begin],
  );
  if ((older?.segments ?? 0) > 0) {
    left.push(
      `${older?.segments} segments of the write-ahead log from before the erasure are held back (wal_keep_size, a replication slot or an archive that lags); they hold it until they are released and written over.`,
    );
  }
  const [server] = await db.read(
    row({ archive: text, standbys: integer }),
    `select current_setting('archive_mode') as archive, (select count(*) from pg_stat_replication) as standbys`,
  );
  if (server !== undefined && server.archive !== 'off')
    left.push('The archive of the write-ahead log holds it until its files of before the erasure are deleted.');
  if ((server?.standbys ?? 0) > 0)
    left.push('Standby servers follow the erasure, but their own log segments hold it until they are written over.');
  return left;
}

/** Ends the segment in use, zeros to its end, and begins the next. @returns the name of the new one */
async function beginSegment(db: Db): Promise<string> {
  // At the very beginning of a segment there is nothing to end: one small record first.
  await db.execute(`select pg_logical_emit_message(false, 'homeward', 'erasure')`);
  await db.execute('select pg_switch_wal()');
  await db.execute(`select pg_logical_emit_message(false, 'homeward', 'erasure')`);
  const [found] = await db.read(row({ name: text }), 'select pg_walfile_name(pg_current_wal_insert_lsn()) as name');
  return found?.name ?? '';
}
