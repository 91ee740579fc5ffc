import { type Capabilities, quoted, type SqlParam, type Transaction } from '../db.ts';
import { SqlError } from '../sqlstate.ts';
import { writeParam } from '../wire-types.ts';
import type { ThreadData } from './pglite-messages.ts';
import { PGliteSession } from './pglite-session.ts';
import { attempt, refuseWithinTransaction, runTransaction, type StatementResult } from './session.ts';
import { StatementDb } from './statement-db.ts';
import { Turns } from './turns.ts';

/** PGlite in its thread, as a Db. It has one session: transactions and single statements wait for their turn. */
export class PGliteConnection extends StatementDb {
  override readonly capabilities: Capabilities;
  readonly #session: PGliteSession;
  readonly #turns = new Turns();
  readonly #afterClose: (clean: boolean) => Promise<void>;
  readonly #listeners = new Map<string, Set<(payload: string) => void>>();
  #closing: Promise<void> | undefined;

  private constructor(
    session: PGliteSession,
    capabilities: Capabilities,
    afterClose: (clean: boolean) => Promise<void>,
  ) {
    super();
    this.#session = session;
    this.capabilities = capabilities;
    this.#afterClose = afterClose;
    session.onNotification = (channel, payload) => {
      for (const onNotify of this.#listeners.get(channel) ?? []) onNotify(payload);
    };
  }

  /**
   * Opens the PostgreSQL folder, making it when it is empty.
   * @throws SqlError with what PGlite or its thread said, when it does not open
   */
  static async open(data: ThreadData, afterClose: (clean: boolean) => Promise<void>): Promise<PGliteConnection> {
    const session = await PGliteSession.start(data);
    try {
      const { rows } = await session.statement(
        "select version(), default_version from pg_available_extensions where name = 'vector'",
        [],
      );
      const [version, vectorVersion] = rows[0] ?? [];
      const named = /^PostgreSQL ([\d.]+) \((PGlite [\d.]+)\)/.exec(version ?? '');
      if (named === null) throw new SqlError('none', `no PGlite but ${version}`);
      const capabilities: Capabilities = {
        description: `${named[2]} (PostgreSQL ${named[1]})`,
        serverVersion: named[1] ?? '',
        vectorVersion: vectorVersion ?? '',
        durable: data.durable,
        concurrent: false,
        parallelQuery: false,
        selfMaintaining: false,
      };
      return new PGliteConnection(session, capabilities, afterClose);
    } catch (error) {
      await session.stop();
      throw error;
    }
  }

  override async transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    refuseWithinTransaction();
    return await this.#turns.take(() => runTransaction(this.#session, work));
  }

  /** What this process itself tells: the embedded database has no other. */
  override async listen(channel: string, onNotify: (payload: string | null) => void): Promise<AsyncDisposable> {
    refuseWithinTransaction();
    const own = (payload: string): void => onNotify(payload);
    const listeners = this.#listeners.get(channel) ?? new Set();
    this.#listeners.set(channel, listeners.add(own));
    await this.#turns.take(() => attempt(() => this.#session.script(`listen ${quoted(channel)}`)));
    return {
      // The channel stays open; with nobody to call, what is told on it goes nowhere.
      [Symbol.asyncDispose]: async () => {
        listeners.delete(own);
      },
    };
  }

  override async close(): Promise<void> {
    this.#closing ??= this.#turns.take(async () => {
      let clean = false;
      try {
        await this.#session.end();
        clean = true;
      } finally {
        await this.#session.stop();
        await this.#afterClose(clean);
      }
    });
    await this.#closing;
  }

  protected override async single(sql: string, params: readonly SqlParam[]): Promise<StatementResult> {
    refuseWithinTransaction();
    return await this.#turns.take(() => attempt(() => this.#session.statement(sql, params.map(writeParam))));
  }
}
