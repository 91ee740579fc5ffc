import { HomewardError } from '../../schemas/error.ts';
import type { Db, Transaction } from '../store/db.ts';
import { databaseIdentity } from '../store/queries/known-changes.ts';
import { bool, row } from '../store/row-shape.ts';
import { sqlStateOf } from '../store/sqlstate.ts';
import { listShards, type Shard, serverName } from './shard.ts';
import { PARENTS_SQL, shardSql } from './tables.ts';

/** A shard to be added, as a person named it. */
export interface ShardServer {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  /** Null: the shard lets the server in by other means, such as a certificate. */
  readonly password: string | null;
  readonly sslMode: string | null;
}

/** Makes the tables on a server that is to be a shard, for the database of this identity; emptied where they were there. */
export type PrepareShard = (server: ShardServer, identity: string) => Promise<void>;

const MOST_SHARDS = 64;

/**
 * Adds shards to those in use. The parts are cut anew for all of them, so that every shard is filled again by the next `syncShards`;
 * until then scans read here what the shards do not have.
 * @throws HW_SHARD_SETUP, HW_SHARD_UNREACHABLE
 */
export async function addShards(db: Db, added: readonly ShardServer[], prepare: PrepareShard): Promise<Shard[]> {
  if (!db.capabilities.concurrent) {
    throw new HomewardError(
      'HW_SHARD_SETUP',
      'expected a PostgreSQL server for shards, received the embedded database; name a server in HOMEWARD_DATABASE_URL',
    );
  }
  const before = await listShards(db);
  const names = [...before, ...added].map((one) => one.name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined || names.length > MOST_SHARDS) {
    throw new HomewardError(
      'HW_SHARD_SETUP',
      `expected up to ${MOST_SHARDS} shards of different names, received ${twice === undefined ? names.length : `${twice} twice`}; homeward db shard status lists those in use`,
    );
  }
  const identity = await databaseIdentity(db);
  for (const server of added) await prepare(server, identity);
  return await db.transaction(async (tx) => {
    await tx.script('lock table known_shard in share row exclusive mode');
    await requireForeignTables(tx);
    for (const [at, server] of added.entries()) {
      await tx.execute(
        'insert into known_shard (shard_number, name, host, port, database) values ($1, $2, $3, $4, $5)',
        [before.length + at, server.name, server.host, server.port, server.database],
      );
    }
    const shards = await listShards(tx);
    // The servers in use keep their logins, which nobody has at hand any more; their tables are cut anew.
    await tx.script(PARENTS_SQL);
    for (const shard of shards) {
      const server = added.find((one) => one.name === shard.name);
      const sql = shardSql(shard, shards.length, server?.sslMode ?? null);
      await tx.script(server === undefined ? withoutServer(sql) : sql);
      if (server !== undefined) await createLogin(tx, shard, server);
    }
    for (const shard of shards.slice(0, before.length)) {
      await tx.execute(`update homeward_shard.state_${shard.shardNumber} set change_id = 0`);
      await tx.execute(`delete from homeward_shard.gallery_${shard.shardNumber}`);
    }
    return shards;
  });
}

const withoutServer = (sql: string): string => sql.replace(/^\ncreate server .*;$/m, '');

/** Takes all shards out of use; the copies on them are left as they are. */
export async function removeShards(db: Db): Promise<Shard[]> {
  return await db.transaction(async (tx) => {
    await tx.script('lock table known_shard in share row exclusive mode');
    const shards = await listShards(tx);
    await tx.script('drop schema if exists homeward_shard cascade');
    for (const shard of shards) await tx.script(`drop server if exists ${serverName(shard)} cascade`);
    await tx.execute('delete from known_shard');
    return shards;
  });
}

async function requireForeignTables(tx: Transaction): Promise<void> {
  try {
    await tx.script('create extension if not exists postgres_fdw');
  } catch (error) {
    throw new HomewardError(
      'HW_SHARD_SETUP',
      `expected the extension postgres_fdw in the database, received SQLSTATE ${sqlStateOf(error)}; have its superuser install it (create extension postgres_fdw) and let this user use it`,
      { cause: error },
    );
  }
}

/**
 * The password goes into the user mapping, which only its owner and superusers can read, and by way of a parameter, so that it stands in no statement that the server
 * may log. A superuser's session writes no log of it at all; for others the parameter is kept out of the logs of errors by the server's defaults.
 */
async function createLogin(tx: Transaction, shard: Shard, server: ShardServer): Promise<void> {
  const [session] = await tx.read(
    row({ superuser: bool }),
    'select rolsuper as superuser from pg_roles where rolname = current_user',
  );
  if (session?.superuser === true) {
    await tx.script(
      `set local log_statement = 'none'; set local log_min_duration_statement = -1; set local log_parameter_max_length = 0;
       set local log_parameter_max_length_on_error = 0`,
    );
  }
  await tx.query(
    `select set_config('homeward.shard_user', $1, true) is null as a, set_config('homeward.shard_password', $2, true) is null as b`,
    [server.user, server.password ?? ''],
  );
  const password = server.password === null ? '' : `, password %L`;
  const given = server.password === null ? '' : `, current_setting('homeward.shard_password')`;
  await tx.script(
    `do $$ begin
       execute format('create user mapping for current_user server ${serverName(shard)} options (user %L${password})',
                      current_setting('homeward.shard_user')${given});
     end $$`,
  );
  await tx.query(`select set_config('homeward.shard_password', '', true) is null as a`);
}
