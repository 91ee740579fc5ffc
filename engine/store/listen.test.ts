import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { needsServer, openTestServerDb, STORE_ENGINES } from '../../test/store-engines.ts';
import { until } from '../../test/until.ts';
import type { Db } from './db.ts';
import { KNOWN_CHANGES_CHANNEL, knownChangesAfter, latestKnownChange } from './queries/known-changes.ts';
import { integer, row } from './row-shape.ts';

async function noteChange(db: Db): Promise<number> {
  const [noted] = await db.read(
    row({ changeId: integer }),
    `select note_known_change(1, 'withdrawn', 1, 1) as change_id`,
  );
  return noted?.changeId ?? 0;
}

for (const engine of STORE_ENGINES) {
  describe(`listening on ${engine.name}`, engine.options, () => {
    let db: Db;
    before(async () => {
      db = await engine.open();
    });
    after(async () => await db.close());

    it('hears the number of a change of what is known, once it is committed', async () => {
      const heard: (string | null)[] = [];
      await using _listening = await db.listen(KNOWN_CHANGES_CHANNEL, (payload) => heard.push(payload));
      const changeId = await noteChange(db);
      await until(() => heard.length > 0, 'a notification');
      assert.deepEqual(heard, [String(changeId)]);
    });

    it('hears nothing of a change that was rolled back', async () => {
      const heard: (string | null)[] = [];
      await using _listening = await db.listen(KNOWN_CHANGES_CHANNEL, (payload) => heard.push(payload));
      await assert.rejects(
        db.transaction(async (tx) => {
          await tx.query(`select note_known_change(1, 'withdrawn', 1, 1)`);
          throw new RangeError('not to be');
        }),
      );
      const changeId = await noteChange(db);
      await until(() => heard.length > 0, 'a notification');
      assert.deepEqual(heard, [String(changeId)]);
    });

    it('hears nothing of other channels, and nothing once it is disposed of', async () => {
      const heard: (string | null)[] = [];
      const other: (string | null)[] = [];
      const ended = await db.listen(KNOWN_CHANGES_CHANNEL, (payload) => heard.push(payload));
      await ended[Symbol.asyncDispose]();
      await using _other = await db.listen('homeward Other', (payload) => other.push(payload));
      await noteChange(db);
      await db.execute(`select pg_notify('homeward Other', 'word')`);
      await until(() => other.length > 0, 'a notification');
      assert.deepEqual({ heard, other }, { heard: [], other: ['word'] });
    });
  });
}

describe('listening to a server', needsServer, () => {
  it('comes back when its connection is cut, asks for a look, and the poll has what was told meanwhile', async () => {
    const { db } = await openTestServerDb();
    try {
      const heard: (string | null)[] = [];
      await using _listening = await db.listen(KNOWN_CHANGES_CHANNEL, (payload) => heard.push(payload));
      const before = await latestKnownChange(db);
      // In one statement, so that the change is told to nobody: the listener is gone before the commit.
      await db.transaction(async (tx) => {
        await tx.query(
          `select pg_terminate_backend(pid, 5000) from pg_stat_activity
            where application_name = 'homeward listening' and datname = current_database()`,
        );
        await tx.query(`select note_known_change(1, 'withdrawn', 7, 7)`);
      });
      await until(() => heard.includes(null), 'a call to look');
      assert.deepEqual(
        (await knownChangesAfter(db, before)).map((change) => change.firstRecordId),
        [7],
      );
      const changeId = await noteChange(db);
      await until(() => heard.includes(String(changeId)), 'a notification after it came back');
    } finally {
      await db.close();
    }
  });

  it('ends with the database', async () => {
    const { db, url } = await openTestServerDb();
    try {
      const { openServer } = await import('./adapters/pg.ts');
      const second = await openServer({ url, maxConnections: 1 });
      await second.listen(KNOWN_CHANGES_CHANNEL, () => undefined);
      await second.close();
      const [left] = await db.read(
        row({ listening: integer }),
        `select count(*) as listening from pg_stat_activity where application_name = 'homeward listening' and datname = current_database()`,
      );
      assert.equal(left?.listening, 0);
    } finally {
      await db.close();
    }
  });
});
