import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HomewardError } from '../../../schemas/error.ts';
import { needsServer, openTestServerDb } from '../../../test/store-engines.ts';
import { openServer } from './pg.ts';

const isError = (code: string) => (error: unknown) => error instanceof HomewardError && error.code === code;

describe('database server', () => {
  it('says that a server does not answer, without showing its password', async () => {
    await assert.rejects(openServer({ url: 'postgresql://unit:secret@127.0.0.1:1/homeward' }), (error: unknown) => {
      assert.ok(error instanceof HomewardError);
      assert.equal(error.code, 'HW_DATABASE_UNREACHABLE');
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
  });

  it('is migrated once by engines that start at the same time', needsServer, async () => {
    const { db, url } = await openTestServerDb();
    try {
      await db.execute('drop schema public cascade');
      await db.execute('create schema public');
      const engines = await Promise.all(Array.from({ length: 4 }, () => openServer({ url, maxConnections: 2 })));
      const [applied] = await db.query<{ versions: number; newest: number }>(
        'select count(*) as versions, max(version) as newest from schema_migration',
      );
      assert.equal(applied?.versions, applied?.newest);
      for (const engine of engines) await engine.close();
    } finally {
      await db.close();
    }
  });

  it('goes on after the server cut its connections', needsServer, async () => {
    const { db } = await openTestServerDb();
    try {
      const cut = db.transaction(async (tx) => {
        await tx.execute('create table cut (n int)');
        await tx.query('select pg_terminate_backend(pg_backend_pid())');
      });
      await assert.rejects(cut, isError('HW_DATABASE'));
      assert.deepEqual(await db.query("select to_regclass('cut')::text as cut"), [{ cut: null }]);
    } finally {
      await db.close();
    }
  });
});
