import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { HomewardError } from '../../schemas/error.ts';
import { type PlantedCase, plantCase, remainsOf } from '../../test/case-kit.ts';
import { needsServer, openTestServerDb } from '../../test/store-engines.ts';
import { openServer } from '../store/adapters/pg.ts';
import { openEmbedded } from '../store/adapters/pglite.ts';
import type { Db } from '../store/db.ts';
import { row, text } from '../store/row-shape.ts';
import { eraseCase } from './close-case.ts';

interface Ground {
  readonly db: Db;
  /** Every file of the database, the log among them. */
  readonly folder: string;
  close(): Promise<void>;
}

const ENGINES: readonly {
  readonly name: string;
  readonly options: { skip: string | false };
  /** Embedded there is one connection, and so no other transaction. */
  readonly concurrent: boolean;
  readonly open: () => Promise<Ground>;
}[] = [
  {
    name: 'PGlite',
    options: { skip: false },
    concurrent: false,
    open: async () => {
      const folder = await mkdtemp(path.join(os.tmpdir(), 'homeward-erasure-'));
      const db = await openEmbedded({ dataFolder: folder });
      return {
        db,
        folder,
        close: async () => {
          await db.close();
          await rm(folder, { recursive: true, force: true });
        },
      };
    },
  },
  {
    name: 'PostgreSQL server',
    options: needsServer,
    concurrent: true,
    open: async () => {
      const { db } = await openTestServerDb();
      // As the server's own process sees it: it may run under another root.
      const [server] = await db.read(
        row({ folder: text }),
        `select '/proc/' || split_part(pg_read_file('postmaster.pid'), E'\\n', 1) || '/root' || current_setting('data_directory') as folder`,
      );
      return { db, folder: server?.folder ?? '', close: async () => await db.close() };
    },
  },
];

const NO_OFFENCE = {
  organisation: 'unit',
  outcome: 'no-offence' as const,
  justification: 'nothing was found',
  closedBy: 'tester',
  backupsGoneBy: '2027-01-31',
};

for (const engine of ENGINES) {
  describe(`bytes of an erased case on ${engine.name}`, { ...engine.options, timeout: 600_000 }, () => {
    let ground: Ground;
    let gone: PlantedCase;
    let stays: PlantedCase;
    before(async () => {
      ground = await engine.open();
      const { db } = ground;
      gone = await plantCase(db, { caseRef: 'gone' });
      stays = await plantCase(db, { caseRef: 'stays' });
      // As in a database that has run for a while: statistics taken, rows written again, segments of the log kept for later use.
      await db.execute('analyze');
      for (let round = 0; round < 3; round += 1) {
        await db.execute('update item set type = type');
        await db.execute('update fingerprint set capture = capture, mode = mode');
        await db.execute('checkpoint');
        await db.execute('select pg_switch_wal()');
      }
      await db.execute('checkpoint');
    });
    after(async () => await ground.close());

    it('are in tables and log before, and in no file of it after; those of another case stay', async (t) => {
      if (!existsSync(ground.folder)) return t.skip('the files of the server cannot be read from here');
      const before = remainsOf(ground.folder, gone);
      for (const mark of Object.keys(gone.marks))
        assert.ok(
          before.some((one) => one.startsWith(mark)),
          mark,
        );
      assert.ok(before.some((one) => one.includes('pg_wal')));
      const closed = await eraseCase(ground.db, { ...NO_OFFENCE, caseRef: 'gone' });
      assert.equal(closed.erasure, 'done');
      assert.deepEqual(closed.leftToOperator, []);
      assert.deepEqual(remainsOf(ground.folder, gone), []);
      await ground.db.execute('checkpoint');
      assert.deepEqual(remainsOf(ground.folder, gone), []);
      for (const mark of Object.keys(stays.marks))
        assert.ok(
          remainsOf(ground.folder, stays).some((one) => one.startsWith(mark)),
          mark,
        );
    });

    if (engine.concurrent)
      it('are not said to be gone while an older transaction may see the rows; the same call goes on afterwards', async () => {
        const { db } = ground;
        await plantCase(db, { caseRef: 'seen' });
        const [reading, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
        const reader = db.transaction(async (tx) => {
          await tx.script('set transaction isolation level repeatable read');
          await tx.query('select count(*) from item');
          reading.resolve();
          await ended.promise;
        });
        await reading.promise;
        await assert.rejects(
          eraseCase(db, { ...NO_OFFENCE, caseRef: 'seen' }, { waitMs: 500 }),
          (error) => error instanceof HomewardError && error.code === 'HW_ERASURE_BLOCKED',
        );
        ended.resolve();
        await reader;
        assert.equal((await eraseCase(db, { ...NO_OFFENCE, caseRef: 'seen' })).erasure, 'done');
      });
  });
}

describe('an erasure by a login that owns the database and no more', { ...needsServer, timeout: 600_000 }, () => {
  it('comes to its end and says what it has left to the operator', async () => {
    const { db: administrator, url } = await openTestServerDb();
    const name = `homeward_erasure_${randomBytes(6).toString('hex')}`;
    await administrator.execute(`create role ${name} login password '${name}'`);
    try {
      await administrator.execute(`create database ${name} owner ${name}`);
      const own = Object.assign(new URL(url), { pathname: `/${name}` });
      // pgvector is made by a superuser, as an operator does it, and the tables are given away.
      const made = await openServer({ url: own.href });
      await made.execute(
        `do $$ declare one regclass; begin
           for one in select oid from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'v') loop
             execute format('alter table %s owner to ${name}', one);
           end loop; end $$`,
      );
      await made.close();
      const db = await openServer({ url: Object.assign(own, { username: name, password: name }).href });
      try {
        await plantCase(db, { caseRef: 'gone' });
        const { erasure, leftToOperator } = await eraseCase(db, { ...NO_OFFENCE, caseRef: 'gone' });
        assert.equal(erasure, 'done');
        for (const said of [/write-ahead log may hold it/, /Sessions of other logins/, /Statistics of the planner/])
          assert.ok(
            leftToOperator?.some((sentence) => said.test(sentence)),
            String(said),
          );
      } finally {
        await db.close();
      }
    } finally {
      await administrator.execute(`drop database if exists ${name} with (force)`);
      await administrator.execute(`drop role ${name}`);
      await administrator.close();
    }
  });
});
