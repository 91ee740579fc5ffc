import type { Db, Transaction } from '../engine/store/db.ts';

/** A database that behaves as the one given, and takes the time of the transactions that load rows by COPY. */
export interface StagingMeter {
  readonly db: Db;
  /** Seconds from the beginning to the commit of transactions in which rows were loaded. */
  readonly stagingSeconds: () => number;
  /** The rows loaded into tables whose name begins with `stage_record`, as they went to the server; empty unless kept. */
  readonly records: () => readonly Uint8Array[];
}

export function meterStaging(db: Db, keepRecords: boolean): StagingMeter {
  const records: Uint8Array[] = [];
  let stagingSeconds = 0;
  async function* kept(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      records.push(Uint8Array.from(chunk)); // the encoder uses its memory again
      yield chunk;
    }
  }
  return {
    stagingSeconds: () => stagingSeconds,
    records: () => records,
    db: {
      capabilities: db.capabilities,
      query: (sql, params) => db.query(sql, params),
      read: (shape, sql, params) => db.read(shape, sql, params),
      execute: (sql, params) => db.execute(sql, params),
      listen: (channel, onNotify) => db.listen(channel, onNotify),
      close: () => db.close(),
      transaction: async (work) => {
        let loaded = false;
        const started = performance.now();
        const result = await db.transaction(async (tx) => {
          const metered: Transaction = {
            query: (sql, params) => tx.query(sql, params),
            read: (shape, sql, params) => tx.read(shape, sql, params),
            execute: (sql, params) => tx.execute(sql, params),
            script: (sql) => tx.script(sql),
            copyOut: (select) => tx.copyOut(select),
            copyIn: (target, chunks) => {
              loaded = true;
              return tx.copyIn(target, keepRecords && target.table.startsWith('stage_record') ? kept(chunks) : chunks);
            },
          };
          return await work(metered);
        });
        if (loaded) stagingSeconds += (performance.now() - started) / 1000;
        return result;
      },
    },
  };
}
