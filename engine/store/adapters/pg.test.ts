import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HomewardError } from '../../../schemas/error.ts';
import { needsServer, openTestServerDb } from '../../../test/store-engines.ts';
import { CopyEncoder } from '../binary-copy.ts';
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

  it(
    'loads each row once though the server is slower than the memory of the chunks is used again',
    needsServer,
    async () => {
      const { db } = await openTestServerDb();
      try {
        await db.transaction(async (tx) => {
          await tx.script(`
          create table slow (n bigint, filler bytea);
          create function wait_a_little() returns trigger language plpgsql as $$ begin perform pg_sleep(0.05); return new; end $$;
          create trigger wait_a_little before insert on slow for each row when (new.n % 1000 = 0) execute function wait_a_little();
        `);
        });
        // More than the buffers between client and server take; as batches come, large chunks with a small one after each.
        const rows = 16_000;
        const chunks = function* (): Generator<Uint8Array> {
          const encoder = new CopyEncoder(1 << 18);
          const filler = Buffer.alloc(1000);
          for (let n = 0; n < rows; n += 1) {
            encoder.beginRow(2);
            encoder.int8(n);
            encoder.bytes(filler);
            if (n % 280 === 250 || n % 280 === 279) yield encoder.take();
          }
          yield encoder.take();
        };
        await db.transaction(async (tx) => await tx.copyIn({ table: 'slow', columns: ['n', 'filler'] }, chunks()));
        assert.deepEqual(await db.query('select count(*) as rows, count(distinct n) as different from slow'), [
          { rows, different: rows },
        ]);
      } finally {
        await db.close();
      }
    },
  );
});
