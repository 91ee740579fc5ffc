import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type { Db } from '../db.ts';
import { openServer } from './pg.ts';

/**
 * A database of its own on a server, dropped with `close`: tests on one server do not see each other.
 * `url` is of any database there, with the right to create others.
 */
export async function openTemporaryDatabase(url: string): Promise<{ readonly db: Db; readonly url: string }> {
  const name = `homeward_test_${randomBytes(6).toString('hex')}`;
  await administrate(url, `create database ${name}`);
  const own = new URL(url);
  own.pathname = `/${name}`;
  try {
    const db = await openServer({ url: own.href });
    const close = db.close.bind(db);
    let dropped: Promise<void> | undefined;
    db.close = () => {
      dropped ??= close().then(() => administrate(url, `drop database if exists ${name} with (force)`));
      return dropped;
    };
    return { db, url: own.href };
  } catch (error) {
    await administrate(url, `drop database if exists ${name} with (force)`);
    throw error;
  }
}

async function administrate(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
