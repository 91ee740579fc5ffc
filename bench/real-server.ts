import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import pg from 'pg';
import { sharedData } from '../test/shared-data.ts';
import { NotAvailable } from './harness.ts';

const run = promisify(execFile);
/** A cluster of this run's own: nobody's tests are in it, and no other run stops it. */
const CLUSTER = `bench-${process.pid}`;

/**
 * Runs `work` with the URL of an empty database on a real server, dropped afterwards: on the server named, otherwise on a
 * throw-away one that is started for it.
 * @throws NotAvailable where there is neither
 */
export async function withServerDatabase<T>(
  serverUrl: string | undefined,
  work: (url: string) => Promise<T>,
): Promise<T> {
  if (serverUrl !== undefined) return await withDatabaseOn(serverUrl, work);
  const script = sharedData('tools/real-postgres.sh');
  if (script === undefined) {
    throw new NotAvailable(
      'a PostgreSQL server',
      'name one in HOMEWARD_BENCH_DATABASE_URL; its user must be allowed to create databases',
    );
  }
  const env = { ...process.env, VIE_PG_NAME: CLUSTER };
  const { stdout } = await run(script, ['up'], { env });
  try {
    return await withDatabaseOn(stdout.trim().replace(/^DATABASE_URL=/, ''), work);
  } finally {
    await run(script, ['wipe'], { env });
  }
}

async function withDatabaseOn<T>(serverUrl: string, work: (url: string) => Promise<T>): Promise<T> {
  const name = `homeward_bench_${process.pid}`;
  const own = new URL(serverUrl);
  own.pathname = `/${name}`;
  await statement(serverUrl, `create database ${name}`);
  try {
    return await work(own.href);
  } finally {
    await statement(serverUrl, `drop database ${name} with (force)`);
  }
}

async function statement(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
