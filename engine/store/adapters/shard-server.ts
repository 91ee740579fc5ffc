import pg from 'pg';
import { HomewardError } from '../../../schemas/error.ts';
import { sqlStateOf } from '../sqlstate.ts';

const CONNECT_TIMEOUT_MS = 10_000;
const LEAST_VERSION_NUM = 150_000;

/** A server that is to hold copies, with the login that is used on it. */
export interface ShardAddress {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string | null;
  readonly sslMode: string | null;
}

/**
 * Makes the tables of a shard with `sql` and empties them, for the database of this identity.
 * @throws HW_SHARD_UNREACHABLE; HW_SHARD_SETUP where it is too old, has no pgvector or holds the copies of another database
 */
export async function prepareShardServer(address: ShardAddress, sql: string, identity: string): Promise<void> {
  const client = await connect(address);
  try {
    const { rows } = await client.query<{ version: string; number: number }>(
      `select current_setting('server_version') as version, current_setting('server_version_num')::int as number`,
    );
    if ((rows[0]?.number ?? 0) < LEAST_VERSION_NUM)
      throw unfit(address, 'PostgreSQL 15 or newer', `PostgreSQL ${rows[0]?.version}`);
    await client.query('begin');
    await client.query(sql);
    const owner = await client.query<{ identity: string }>('select identity from homeward_shard.state');
    if (owner.rows.some((one) => one.identity !== identity))
      throw unfit(
        address,
        'no copies of another database',
        'some; drop its schema homeward_shard if nobody needs them',
      );
    await client.query(
      'truncate homeward_shard.bits, homeward_shard.vectors, homeward_shard.state, homeward_shard.gallery',
    );
    await client.query('insert into homeward_shard.state (identity, change_id) values ($1, 0)', [identity]);
    await client.query('commit');
  } catch (error) {
    if (error instanceof HomewardError) throw error;
    throw unfit(address, 'pgvector and the right to make a schema', `SQLSTATE ${sqlStateOf(error) ?? 'none'}`, error);
  } finally {
    await client.end();
  }
}

async function connect(address: ShardAddress): Promise<pg.Client> {
  const url = new URL('postgresql://host');
  url.hostname = address.host;
  url.port = String(address.port);
  url.pathname = `/${encodeURIComponent(address.database)}`;
  url.username = encodeURIComponent(address.user);
  if (address.password !== null) url.password = encodeURIComponent(address.password);
  if (address.sslMode !== null) url.searchParams.set('sslmode', address.sslMode);
  const client = new pg.Client({
    connectionString: url.href,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    application_name: 'homeward shard setup',
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return client;
  } catch (error) {
    const state = sqlStateOf(error);
    const system = error instanceof Error && 'code' in error ? String(error.code) : 'no answer';
    throw new HomewardError(
      'HW_SHARD_UNREACHABLE',
      `expected the shard ${address.name} to let this engine in, received ${state === null ? system : `SQLSTATE ${state}`}; check its address, the login and that it runs`,
      { cause: error },
    );
  }
}

function unfit(address: ShardAddress, expected: string, received: string, cause?: unknown): HomewardError {
  return new HomewardError(
    'HW_SHARD_SETUP',
    `expected ${expected} on the shard ${address.name}, received ${received}; nothing was changed on it`,
    cause === undefined ? undefined : { cause },
  );
}
