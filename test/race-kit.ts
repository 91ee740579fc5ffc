import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { Db } from '../engine/store/db.ts';
import { integer, row } from '../engine/store/row-shape.ts';

/** For tests of what two connections to one server do to each other. */

/** Process numbers of sessions of this database that wait for a lock, once there is one. */
export async function waitingForLocks(db: Db): Promise<number[]> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const found = await db.read(
      row({ pid: integer }),
      `select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    if (found.length > 0) return found.map((one) => one.pid);
    await delay(25);
  }
  return assert.fail('nobody waited for a lock');
}

/** A database whose transactions stop just before their commit, where what they are to return is `held`, until they are let go. */
export function stoppingBeforeCommit(db: Db, held: (result: unknown) => boolean = () => true) {
  const written = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  const stopped: Db = {
    capabilities: db.capabilities,
    query: (sql, params) => db.query(sql, params),
    read: (shape, sql, params) => db.read(shape, sql, params),
    execute: (sql, params) => db.execute(sql, params),
    listen: (channel, onNotify) => db.listen(channel, onNotify),
    close: () => db.close(),
    transaction: (work) =>
      db.transaction(async (tx) => {
        const result = await work(tx);
        if (!held(result)) return result;
        written.resolve();
        await go.promise;
        return result;
      }),
  };
  return { db: stopped, written: written.promise, commit: () => go.resolve() };
}
