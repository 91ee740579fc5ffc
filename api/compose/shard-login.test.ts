import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { HomewardError } from '../../schemas/error.ts';
import { parsePasswordFile, passwordFor, shardServers } from './shard-login.ts';

const field = fc.string({ minLength: 1, maxLength: 12 }).filter((text) => !/[\r\n]/.test(text) && text !== '*');
const escaped = (text: string): string => text.replaceAll(/[\\:]/g, '\\$&');
const isUsage = (error: unknown): boolean => error instanceof HomewardError && error.code === 'HW_USAGE';

describe('logins of shards', () => {
  it('reads back every entry of a password file, whatever is in its fields', () => {
    fc.assert(
      fc.property(
        field.filter((host) => !host.startsWith('#')),
        field,
        field,
        field,
        (host, database, user, password) => {
          const line = [host, '5432', database, user, password].map(escaped).join(':');
          const entries = parsePasswordFile(`# a comment\n\n${line}\n`);
          assert.equal(passwordFor(entries, { host, port: 5432, database, user }), password);
          assert.equal(passwordFor(entries, { host, port: 5433, database, user }), null);
        },
      ),
    );
  });

  it('takes the first entry that fits, and * for anything', () => {
    const entries = parsePasswordFile('a:*:*:unit:first\n*:*:*:unit:second\n');
    const asked = (host: string) => passwordFor(entries, { host, port: 1, database: 'x', user: 'unit' });
    assert.deepEqual([asked('a'), asked('b')], ['first', 'second']);
  });

  it('refuses an address with a password and does not repeat it', async () => {
    await assert.rejects(shardServers([{ name: 'a', url: 'postgresql://u:secret@h/d' }], {}), (error: unknown) => {
      assert.ok(isUsage(error));
      assert.doesNotMatch(String(error), /secret/);
      return true;
    });
  });

  for (const [what, name, url] of [
    ['no user', 'a', 'postgresql://h/d'],
    ['no database', 'a', 'postgresql://u@h'],
    ['another protocol', 'a', 'http://u@h/d'],
    ['no address at all', 'a', 'h'],
    ['a name that is none', 'A b', 'postgresql://u@h/d'],
  ] as const) {
    it(`refuses an address with ${what}`, async () => {
      await assert.rejects(shardServers([{ name, url }], {}), isUsage);
    });
  }

  it('refuses a password file that others can read', { skip: process.platform === 'win32' }, async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'homeward-login-'));
    try {
      const passwordFile = path.join(folder, 'shards.pgpass');
      await writeFile(passwordFile, '*:*:*:*:secret');
      const named = [{ name: 'a', url: 'postgresql://u@h/d?sslmode=verify-full' }];
      await chmod(passwordFile, 0o644);
      await assert.rejects(shardServers(named, { passwordFile }), isUsage);
      await chmod(passwordFile, 0o600);
      assert.deepEqual(await shardServers(named, { passwordFile }), [
        { name: 'a', host: 'h', port: 5432, database: 'd', user: 'u', sslMode: 'verify-full', password: 'secret' },
      ]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
