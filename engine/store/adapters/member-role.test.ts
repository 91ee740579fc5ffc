import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import pg from 'pg';
import { HomewardError } from '../../../schemas/error.ts';
import { needsServer, openTestServerDb } from '../../../test/store-engines.ts';
import type { Db } from '../db.ts';
import { openServer } from './pg.ts';

describe('the role of the members on a server', needsServer, () => {
  const login = `homeward_login_${randomBytes(4).toString('hex')}`;
  const database = `${login}_db`;
  let admin: Db;
  let url: string;
  before(async () => {
    const opened = await openTestServerDb();
    admin = opened.db;
    const own = new URL(opened.url);
    own.username = login;
    own.password = login;
    own.pathname = `/${database}`;
    url = own.href;
    await admin.execute(`create role ${login} login password '${login}'`);
    await admin.execute(`create database ${database} owner ${login}`);
    const asDba = new URL(opened.url);
    asDba.pathname = `/${database}`;
    const client = new pg.Client({ connectionString: asDba.href });
    await client.connect();
    await client.query('create extension vector');
    await client.end();
  });
  after(async () => {
    await admin.execute(`drop database if exists ${database} with (force)`);
    await admin.execute(`drop role ${login}`);
    await admin.close();
  });

  it('S5: says what a DBA has to run where the login may not take it on, and works once that was run', async () => {
    await assert.rejects(
      openServer({ url }),
      (error: unknown) =>
        error instanceof HomewardError &&
        error.code === 'HW_DATABASE_ROLE' &&
        error.message.includes('grant homeward_member to'),
    );
    await admin.execute(`grant homeward_member to ${login}`);
    const db = await openServer({ url });
    try {
      const rows = await db.transaction(async (tx) => {
        await tx.script('set local role homeward_member');
        return await tx.query('select batch_id from batch');
      });
      assert.deepEqual(rows, []);
    } finally {
      await db.close();
    }
  });

  it('S5: is made once by databases that are made at the same time', async () => {
    const opened = await Promise.all(Array.from({ length: 4 }, async () => await openTestServerDb()));
    const roles = await admin.query(`select 1 from pg_roles where rolname = 'homeward_member'`);
    for (const { db } of opened) await db.close();
    assert.equal(roles.length, 1);
  });
});
