import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { STORE_ENGINES } from '../../test/store-engines.ts';
import type { Db } from '../store/db.ts';
import { followKnownChanges } from './follow-changes.ts';

const WAIT_MS = 15_000;
const HOUR_MS = 3_600_000;

async function until(done: () => boolean): Promise<void> {
  for (let waited = 0; !done() && waited < WAIT_MS; waited += 20) await delay(20);
}

for (const engine of STORE_ENGINES) {
  describe(`following what is known on ${engine.name}`, engine.options, () => {
    const noteChange = async (db: Db): Promise<unknown> =>
      await db.query(`select note_known_change(1, 'withdrawn', 1, 1)`);

    it('comes to know of changes at once though it looks once an hour, and of those before it began', async () => {
      const db = await engine.open();
      const stop = new AbortController();
      const told: number[] = [];
      try {
        await noteChange(db);
        const options = { after: 0, pollMs: HOUR_MS, signal: stop.signal, onFailure: assert.fail };
        const following = followKnownChanges(db, {
          ...options,
          onChange: async (changeId) => void told.push(changeId),
        });
        await until(() => told.length === 1);
        await noteChange(db);
        await until(() => told.length === 2);
        stop.abort();
        await following;
        assert.deepEqual(told, [1, 2]);
      } finally {
        await db.close();
      }
    });

    it('finds by looking what nobody told it of', async () => {
      const db = await engine.open();
      const stop = new AbortController();
      const told: number[] = [];
      try {
        const deaf: Db = Object.create(db, {
          listen: { value: async () => ({ [Symbol.asyncDispose]: async () => undefined }) },
          read: { value: db.read.bind(db) },
        });
        const options = { after: 0, pollMs: 50, signal: stop.signal, onFailure: assert.fail };
        const following = followKnownChanges(deaf, {
          ...options,
          onChange: async (changeId) => void told.push(changeId),
        });
        await noteChange(db);
        await until(() => told.length === 1);
        stop.abort();
        await following;
        assert.deepEqual(told, [1]);
      } finally {
        await db.close();
      }
    });
  });
}
