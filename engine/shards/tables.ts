import { quoted } from '../store/db.ts';
import { foreignTable, type Shard, serverName } from './shard.ts';

/**
 * The tables of shards as SQL. Hashes are spread by PostgreSQL's own hash of record_id, vectors by that of the face or media they belong to.
 */

/** What is spread, as columns of the parent, of its foreign parts and of the tables on the shards alike. */
const BITS =
  'record_id bigint not null, set_id bigint not null, algorithm text not null, bits bit(256) not null, quality smallint';
const VECTORS =
  'space_ref smallint not null, owner_id bigint not null, media_id bigint not null, embedding vector not null';
const STATE = 'identity uuid not null, change_id bigint not null';
const GALLERY = 'space_ref smallint not null, gallery_revision bigint not null';

/** Runs on the shard itself. Plain tables without indexes: a radius is answered by reading all of them. */
export const SHARD_SIDE_SQL = `
create extension if not exists vector;
create schema if not exists homeward_shard;
create table if not exists homeward_shard.bits (${BITS});
create index if not exists bits_record on homeward_shard.bits (record_id);
create table if not exists homeward_shard.vectors (${VECTORS}) with (toast_tuple_target = 8160);
create index if not exists vectors_owner on homeward_shard.vectors (space_ref, owner_id);
create table if not exists homeward_shard.state (one boolean primary key default true check (one), ${STATE});
create table if not exists homeward_shard.gallery (space_ref smallint primary key, gallery_revision bigint not null);`;

/** The parents, which are searched. */
export const PARENTS_SQL = `
drop schema if exists homeward_shard cascade;
create schema homeward_shard;
create table homeward_shard.bits (${BITS}) partition by hash (record_id);
create table homeward_shard.vectors (${VECTORS}) partition by hash (owner_id);`;

/**
 * A shard as parts of the parents. `extensions`: pgvector's operators are sent along, so that distances are compared where the rows are.
 * `async_capable`: all shards work at the same time. `fetch_size`: the hits of a query come in one piece.
 */
export function shardSql(shard: Shard, shards: number, sslMode: string | null): string {
  const server = serverName(shard);
  const part = `for values with (modulus ${shards}, remainder ${shard.shardNumber})`;
  const options = {
    host: shard.host,
    port: String(shard.port),
    dbname: shard.database,
    extensions: 'vector',
    async_capable: 'true',
    // What is fetched costs more than what is compared there: without it the planner fetches a part of a gallery to sort it here.
    fdw_tuple_cost: '10',
    fetch_size: '10000',
    batch_size: '5000',
    connect_timeout: '5',
    // A machine that vanished is noticed within half a minute and not after the hours that TCP takes by itself.
    keepalives_idle: '10',
    keepalives_interval: '5',
    keepalives_count: '3',
    tcp_user_timeout: '30000',
    application_name: 'homeward shard',
    ...(sslMode === null ? {} : { sslmode: sslMode }),
  };
  const written = Object.entries(options).map(([name, value]) => `${quoted(name)} ${literal(value)}`);
  const remote = (table: string, more = ''): string =>
    `server ${server} options (schema_name 'homeward_shard', table_name '${table}'${more})`;
  return `
create server ${server} foreign data wrapper postgres_fdw options (${written.join(', ')});
create foreign table ${foreignTable('bits', shard)} partition of homeward_shard.bits ${part} ${remote('bits')};
create foreign table ${foreignTable('vectors', shard)} partition of homeward_shard.vectors ${part} ${remote('vectors', ", use_remote_estimate 'true'")};
create foreign table ${foreignTable('state', shard)} (${STATE}) ${remote('state')};
create foreign table ${foreignTable('gallery', shard)} (${GALLERY}) ${remote('gallery')};`;
}

/** Text as a literal of SQL, for statements that take no parameters. */
function literal(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}
