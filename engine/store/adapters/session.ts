import { AsyncLocalStorage } from 'node:async_hooks';
import { HomewardError } from '../../../schemas/error.ts';
import { type CopyTarget, quoted, type SqlParam, type Transaction } from '../db.ts';
import type { RowShape } from '../row-shape.ts';
import { databaseError } from '../sqlstate.ts';
import { rowObjects, rowsOfShape, type TextRows, writeParam } from '../wire-types.ts';

export interface StatementResult extends TextRows {
  readonly affectedRows: number;
}

/** One connection, as a driver offers it. Its errors carry a SQLSTATE in `code` or are SqlError. */
export interface Session {
  statement(sql: string, params: readonly (string | null)[]): Promise<StatementResult>;
  script(sql: string): Promise<void>;
  /** `copy` up to `from`, without source and options. */
  copyIn(copy: string, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<number>;
  copyOut(select: string): AsyncIterable<Uint8Array>;
}

const within = new AsyncLocalStorage<true>();

/** Refuses what would wait for ever on one connection and, on several, would not see what the transaction wrote. */
export function refuseWithinTransaction(): void {
  if (within.getStore() === true) {
    throw new HomewardError(
      'HW_INTERNAL',
      'expected the transaction to be used inside of it, received a call to the database beside it; report this',
    );
  }
}

/** `begin`, `work`, `commit`; anything but a clean end is rolled back. */
export async function runTransaction<T>(session: Session, work: (tx: Transaction) => Promise<T>): Promise<T> {
  refuseWithinTransaction();
  await attempt(() => session.script('begin'));
  const scope = new SessionTransaction(session);
  try {
    const result = await within.run(true, () => work(scope));
    // PostgreSQL answers the commit of a failed transaction with a quiet rollback: whoever swallowed the error must hear of it.
    if (scope.failure !== undefined) throw scope.failure;
    await attempt(() => session.script('commit'));
    return result;
  } catch (error) {
    await session.script('rollback').catch(() => undefined);
    throw error;
  } finally {
    scope.ended = true;
  }
}

class SessionTransaction implements Transaction {
  readonly #session: Session;
  failure: HomewardError | undefined;
  ended = false;

  constructor(session: Session) {
    this.#session = session;
  }

  async query<Row>(sql: string, params: readonly SqlParam[] = []): Promise<Row[]> {
    return rowObjects<Row>(await this.#statement(sql, params));
  }

  async read<Row>(shape: RowShape<Row>, sql: string, params: readonly SqlParam[] = []): Promise<Row[]> {
    return rowsOfShape(shape, await this.#statement(sql, params));
  }

  async execute(sql: string, params: readonly SqlParam[] = []): Promise<number> {
    return (await this.#statement(sql, params)).affectedRows;
  }

  async script(sql: string): Promise<void> {
    await this.#try(() => this.#session.script(sql));
  }

  async copyIn(target: CopyTarget, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<number> {
    const copy = `copy ${quoted(target.table)} (${target.columns.map(quoted).join(', ')})`;
    return await this.#try(() => this.#session.copyIn(copy, chunks));
  }

  async *copyOut(select: string): AsyncGenerator<Uint8Array> {
    this.#refuseIfEnded();
    try {
      yield* this.#session.copyOut(select);
    } catch (error) {
      throw this.#failed(error);
    }
  }

  #statement(sql: string, params: readonly SqlParam[]): Promise<StatementResult> {
    return this.#try(() => this.#session.statement(sql, params.map(writeParam)));
  }

  async #try<T>(work: () => Promise<T>): Promise<T> {
    this.#refuseIfEnded();
    try {
      return await work();
    } catch (error) {
      throw this.#failed(error);
    }
  }

  #failed(error: unknown): HomewardError {
    const known = databaseError(error);
    this.failure ??= known;
    return known;
  }

  #refuseIfEnded(): void {
    if (this.ended)
      throw new HomewardError(
        'HW_INTERNAL',
        'expected a transaction to be used until its end, received a statement after it; report this',
      );
  }
}

/** Runs one call to a session; its error comes out coded. */
export async function attempt<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw databaseError(error);
  }
}
