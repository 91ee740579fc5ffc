import pg from 'pg';
import { HomewardError } from '../../../schemas/error.ts';
import type { Capabilities, Db, SqlParam, Transaction } from '../db.ts';
import { migrate } from '../migrate.ts';
import { databaseError, sqlStateOf } from '../sqlstate.ts';
import { SESSION_SETTINGS, writeParam } from '../wire-types.ts';
import { PgListener } from './pg-listener.ts';
import { PgSession } from './pg-session.ts';
import { attempt, refuseWithinTransaction, runTransaction, type StatementResult } from './session.ts';
import { StatementDb } from './statement-db.ts';

export interface ServerOptions {
  /** postgresql://user:password@host:port/database */
  readonly url: string;
  readonly maxConnections?: number;
}

const LEAST_SERVER_VERSION_NUM = 150_000;
const LEAST_VECTOR_VERSION: readonly [number, number] = [0, 8];
/** Long enough for an index over tens of millions of rows, short enough that a forgotten statement ends on the same day. */
const STATEMENT_TIMEOUT_MS = 30 * 60_000;
/** A transaction that nobody goes on with must not hold its locks for ever. */
const IDLE_IN_TRANSACTION_MS = 10 * 60_000;
const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Opens a PostgreSQL server, with the tables up to date.
 * @throws HW_DATABASE_UNREACHABLE, HW_DATABASE_UNSUITABLE, HW_DATA_NEWER
 */
export async function openServer(options: ServerOptions): Promise<Db> {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.maxConnections ?? 8,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    application_name: 'homeward',
    options: Object.entries(SESSION_SETTINGS)
      .map(([name, value]) => `-c ${name}=${value}`)
      .join(' '),
  });
  // An idle connection that the server cuts raises here; the next statement gets a new one. Unheard it would end the process.
  pool.on('error', () => undefined);
  // The same for one that is checked out: its statement fails by itself.
  pool.on('connect', (client) => client.on('error', () => undefined));
  try {
    const db = new PgPool(pool, await examine(pool), options.url);
    await migrate(db);
    return db;
  } catch (error) {
    await pool.end();
    throw error;
  }
}

async function examine(pool: pg.Pool): Promise<Capabilities> {
  let facts: { version: string; number: number; vector: string | null };
  try {
    const client = await pool.connect();
    try {
      const { rows } = await new PgSession(client).statement(
        `select current_setting('server_version'), current_setting('server_version_num'),
                coalesce((select extversion from pg_extension where extname = 'vector'),
                         (select default_version from pg_available_extensions where name = 'vector'))`,
        [],
      );
      const [version, number, vector] = rows[0] ?? [];
      facts = { version: version ?? '', number: Number(number), vector: vector ?? null };
    } finally {
      client.release();
    }
  } catch (error) {
    throw unreachable(error);
  }
  if (!(facts.number >= LEAST_SERVER_VERSION_NUM))
    throw unsuitable('PostgreSQL 15 or newer', `PostgreSQL ${facts.version}`);
  if (!isNewEnough(facts.vector))
    throw unsuitable('pgvector 0.8 or newer', facts.vector === null ? 'none' : `pgvector ${facts.vector}`);
  return {
    description: `PostgreSQL ${facts.version} with pgvector ${facts.vector}`,
    serverVersion: facts.version,
    vectorVersion: facts.vector ?? '',
    durable: true,
    concurrent: true,
    parallelQuery: true,
    selfMaintaining: true,
  };
}

function isNewEnough(vectorVersion: string | null): boolean {
  const [major = 0, minor = 0] = (vectorVersion ?? '').split('.').map(Number);
  return major > LEAST_VECTOR_VERSION[0] || (major === LEAST_VECTOR_VERSION[0] && minor >= LEAST_VECTOR_VERSION[1]);
}

function unsuitable(expected: string, received: string): HomewardError {
  return new HomewardError(
    'HW_DATABASE_UNSUITABLE',
    `expected ${expected} on the configured server, received ${received}; upgrade it, or use the embedded database`,
  );
}

/** Names what failed, never the address with its password. */
function unreachable(error: unknown): HomewardError {
  const state = sqlStateOf(error);
  const system = error instanceof Error && 'code' in error ? String(error.code) : 'no answer';
  return new HomewardError(
    'HW_DATABASE_UNREACHABLE',
    `expected the configured PostgreSQL server to answer, received ${state === null ? system : `SQLSTATE ${state}`}; check the address, the login and that the server runs`,
    { cause: error },
  );
}

class PgPool extends StatementDb {
  override readonly capabilities: Capabilities;
  readonly #pool: pg.Pool;
  readonly #url: string;
  readonly #listeners = new Set<PgListener>();
  #closing: Promise<void> | undefined;

  constructor(pool: pg.Pool, capabilities: Capabilities, url: string) {
    super();
    this.#pool = pool;
    this.#url = url;
    this.capabilities = capabilities;
  }

  override async transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    refuseWithinTransaction();
    return await this.#withSession((session) => runTransaction(session, work));
  }

  override async listen(channel: string, onNotify: (payload: string | null) => void): Promise<AsyncDisposable> {
    const listener = new PgListener(this.#url, channel, onNotify);
    try {
      await listener.start();
    } catch (error) {
      throw unreachable(error);
    }
    this.#listeners.add(listener);
    return {
      [Symbol.asyncDispose]: async () => {
        this.#listeners.delete(listener);
        await listener[Symbol.asyncDispose]();
      },
    };
  }

  override async close(): Promise<void> {
    this.#closing ??= this.#end();
    await this.#closing;
  }

  async #end(): Promise<void> {
    await Promise.all([...this.#listeners].map((listener) => listener[Symbol.asyncDispose]()));
    await this.#pool.end();
  }

  protected override async single(sql: string, params: readonly SqlParam[]): Promise<StatementResult> {
    refuseWithinTransaction();
    return await this.#withSession((session) => attempt(() => session.statement(sql, params.map(writeParam))));
  }

  async #withSession<T>(work: (session: PgSession) => Promise<T>): Promise<T> {
    let client: pg.PoolClient;
    try {
      client = await this.#pool.connect();
    } catch (error) {
      throw this.#closing === undefined ? unreachable(error) : databaseError(error);
    }
    const session = new PgSession(client);
    try {
      return await work(session);
    } finally {
      // A connection that was left within a COPY must not be handed to the next one.
      client.release(session.unusable);
    }
  }
}
