import { finished } from 'node:stream/promises';
import type pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { COPY_HEADER, COPY_TRAILER } from '../binary-copy.ts';
import { keptPlanName } from '../kept-plan.ts';
import type { Session, StatementResult } from './session.ts';

/** Leaves every value as the text that the server sent. */
const AS_TEXT = { getTypeParser: () => (value: string) => value };

/**
 * A write of less than the socket holds back (64 KiB) is reported as done while it may still wait in memory for the server, so such
 * a chunk is sent from a copy: its own memory is used again meanwhile, and the rows of another chunk would go out in its place.
 */
const SURELY_AWAITED_BYTES = 128 * 1024;

/** A checked-out connection of the pool. */
export class PgSession implements Session {
  readonly #client: pg.PoolClient;
  #copying = false;

  constructor(client: pg.PoolClient) {
    this.#client = client;
  }

  /** It is in the middle of a COPY; one that was cut the pool knows by itself. */
  get unusable(): boolean {
    return this.#copying;
  }

  async statement(sql: string, params: readonly (string | null)[]): Promise<StatementResult> {
    const result = await this.#client.query<(string | null)[]>({
      text: sql,
      name: keptPlanName(sql),
      values: [...params],
      rowMode: 'array',
      types: AS_TEXT,
    });
    return {
      columns: result.fields.map((field) => field.name),
      typeIds: result.fields.map((field) => field.dataTypeID),
      rows: result.rows,
      affectedRows: result.rowCount ?? 0,
    };
  }

  async script(sql: string): Promise<void> {
    await this.#client.query(sql);
  }

  async copyIn(copy: string, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<number> {
    const stream = this.#client.query(copyFrom(`${copy} from stdin with (format binary)`));
    this.#copying = true;
    const ended = finished(stream);
    // Whoever fails first is told below; the other must not be an unhandled rejection meanwhile.
    ended.catch(() => undefined);
    const write = (bytes: Uint8Array): Promise<void> =>
      new Promise((resolve, reject) =>
        stream.write(bytes, (error) => (error === null || error === undefined ? resolve() : reject(error))),
      );
    try {
      await write(COPY_HEADER);
      // The next chunk is made while this one goes out. The callback of a large one comes once it has gone.
      let going: Promise<void> = Promise.resolve();
      for await (const chunk of chunks) {
        if (chunk.length === 0) continue;
        await Promise.race([going, ended]);
        going = write(chunk.length < SURELY_AWAITED_BYTES ? Uint8Array.from(chunk) : chunk);
        // It is waited for above; if the source of the rows fails first, it must not be an unhandled rejection.
        going.catch(() => undefined);
      }
      await Promise.race([going, ended]);
      await write(COPY_TRAILER);
      stream.end();
      await ended;
    } catch (error) {
      if (!stream.destroyed) {
        stream.destroy(error instanceof Error ? error : new Error('the source of the rows failed'));
        await ended.catch(() => undefined);
      }
      this.#copying = false;
      throw error;
    }
    this.#copying = false;
    return stream.rowCount;
  }

  async *copyOut(select: string): AsyncGenerator<Uint8Array> {
    const stream = this.#client.query(copyTo(`copy (${select}) to stdout with (format binary)`));
    this.#copying = true;
    // Left before its end, the connection is in the middle of a COPY and is given up.
    for await (const chunk of stream) yield chunk;
    this.#copying = false;
  }
}
