import type { Capabilities, Db, SqlParam, Transaction } from '../db.ts';
import type { RowShape } from '../row-shape.ts';
import { rowObjects, rowsOfShape } from '../wire-types.ts';
import type { StatementResult } from './session.ts';

/** What both adapters make of a single statement outside a transaction; how it is run is theirs. */
export abstract class StatementDb implements Db {
  abstract readonly capabilities: Capabilities;
  abstract transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
  abstract listen(channel: string, onNotify: (payload: string | null) => void): Promise<AsyncDisposable>;
  abstract close(): Promise<void>;
  protected abstract single(sql: string, params: readonly SqlParam[]): Promise<StatementResult>;

  async query<Row>(sql: string, params: readonly SqlParam[] = []): Promise<Row[]> {
    return rowObjects<Row>(await this.single(sql, params));
  }

  async read<Row>(shape: RowShape<Row>, sql: string, params: readonly SqlParam[] = []): Promise<Row[]> {
    return rowsOfShape(shape, await this.single(sql, params));
  }

  async execute(sql: string, params: readonly SqlParam[] = []): Promise<number> {
    return (await this.single(sql, params)).affectedRows;
  }
}
