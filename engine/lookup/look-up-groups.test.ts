import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { addRecord, addSet } from '../../test/known-set-kit.ts';
import { openTestDb } from '../../test/pglite-template.ts';
import { PgvectorScan } from '../search/pgvector-scan.ts';
import type { Db } from '../store/db.ts';
import type { SoughtRecord } from './look-up.ts';
import { lookUpGroups } from './look-up-groups.ts';

const sought = (md5: string): SoughtRecord => ({
  record: { sourceKey: null, md5, sha1: null, sha256: null, bits: [] },
  incomplete: false,
});

describe('look-ups of many who ask at once', () => {
  let db: Db;
  const known = Array.from({ length: 40 }, () => randomBytes(16).toString('hex'));
  before(async () => {
    db = await openTestDb();
    const setId = await addSet(db);
    for (const md5 of known.slice(1)) await addRecord(db, setId, [], { md5 });
  });
  after(async () => await db.close());

  it('are answered each with its own, in its own order, however they were grouped', async () => {
    const groups = lookUpGroups(db, new PgvectorScan(db));
    const asked = known.map((md5, at) => [sought(md5), sought('0'.repeat(32))].slice(0, 1 + (at % 2)));
    const found = await Promise.all(asked.map(async (one) => await groups.ask(one)));
    assert.deepEqual(
      found.map(({ answers }) => answers.map(({ md5, answer }) => `${md5} ${answer}`)),
      asked.map((one) =>
        one.map(({ record }) => `${record.md5} ${known.indexOf(record.md5 ?? '') > 0 ? 'known' : 'no'}`),
      ),
    );
    assert.ok(found.every(({ sets }) => sets.length === 1));
  });

  it('are made from what is known when they were asked', async () => {
    const groups = lookUpGroups(db, new PgvectorScan(db));
    const before = groups.ask([sought(known[0] ?? '')]);
    await before;
    await addRecord(db, await addSet(db), [], { md5: known[0] ?? '' });
    const { answers } = await groups.ask([sought(known[0] ?? '')]);
    assert.equal(answers[0]?.answer, 'known');
  });

  it('are all told when the database is away, and answered again when it is back', async () => {
    const groups = lookUpGroups(db, new PgvectorScan(db));
    await db.execute('alter view searched_record rename to searched_record_away');
    const asked = await Promise.allSettled(known.map(async (md5) => await groups.ask([sought(md5)])));
    await db.execute('alter view searched_record_away rename to searched_record');
    assert.ok(asked.every(({ status }) => status === 'rejected'));
    const { answers } = await groups.ask([sought(known[1] ?? '')]);
    assert.equal(answers[0]?.answer, 'known');
  });
});
