import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { STORE_ENGINES } from '../../test/store-engines.ts';
import { until } from '../../test/until.ts';
import type { Db } from '../store/db.ts';
import { latestKnownChange } from '../store/queries/known-changes.ts';
import { followKnownChanges } from './follow-changes.ts';

const HOUR_MS = 3_600_000;

for (const engine of STORE_ENGINES) {
  describe(`following what is known on ${engine.name}`, engine.options, () => {
    let db: Db;
    before(async () => {
      db = await engine.open();
    });
    after(async () => await db.close());
    const noteChange = async (): Promise<unknown> => await db.query(`select note_known_change(1, 'withdrawn', 1, 1)`);

    it('comes to know of changes at once though it looks once an hour, and of those before it began', async () => {
      const stop = new AbortController();
      const told: number[] = [];
      const after = await latestKnownChange(db);
      await noteChange();
      const following = followKnownChanges(db, {
        after,
        pollMs: HOUR_MS,
        signal: stop.signal,
        onChange: async (changeId) => void told.push(changeId),
        onFailure: (error) => assert.fail(String(error)),
      });
      await until(() => told.length === 1, 'a change being told');
      await noteChange();
      await until(() => told.length === 2, 'another change being told');
      stop.abort();
      await following;
      assert.deepEqual(told, [after + 1, after + 2]);
    });

    it('finds by looking what nobody told it of', async () => {
      const stop = new AbortController();
      const told: number[] = [];
      const after = await latestKnownChange(db);
      const deaf: Db = Object.create(db, {
        listen: { value: async () => ({ [Symbol.asyncDispose]: async () => undefined }) },
        read: { value: db.read.bind(db) },
      });
      const following = followKnownChanges(deaf, {
        after,
        pollMs: 50,
        signal: stop.signal,
        onChange: async (changeId) => void told.push(changeId),
        onFailure: (error) => assert.fail(String(error)),
      });
      await noteChange();
      await until(() => told.length === 1, 'a change being told');
      stop.abort();
      await following;
      assert.deepEqual(told, [after + 1]);
    });
  });
}
