import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { addRecord, addSet, type KnownDigests } from '../../../test/known-set-kit.ts';
import { needsServer, openTestServerDb, STORE_ENGINES } from '../../../test/store-engines.ts';
import { openServer } from '../../store/adapters/pg.ts';
import type { Db, Transaction } from '../../store/db.ts';
import { noteWithdrawn } from '../../store/queries/known-changes.ts';
import { findDigestHits } from '../../store/queries/record-matches.ts';
import { integer, row } from '../../store/row-shape.ts';
import type { DigestSearch, SoughtContent } from './digest-search.ts';
import { type DigestSearchLimits, openDigestSearch } from './open-digest-search.ts';

const digest = (algorithm: string, content: string) => createHash(algorithm).update(content).digest('hex');
const digestsOf = (content: string) => ({
  md5: digest('md5', content),
  sha1: digest('sha1', content),
  sha256: digest('sha256', content),
});
const ALWAYS: DigestSearchLimits = { leastRecordsForFilter: 0 };

async function contentOf(db: Db, content: string, sizeBytes = content.length): Promise<SoughtContent> {
  const digests = digestsOf(content);
  const [media] = await db.read(
    row({ mediaId: integer }),
    `insert into media (sha256, sha1, md5, size_bytes, type) values (decode($1, 'hex'), decode($2, 'hex'), decode($3, 'hex'), $4, 'image/jpeg')
     on conflict (sha256) do update set type = excluded.type returning media_id`,
    [digests.sha256, digests.sha1, digests.md5, sizeBytes],
  );
  return { mediaId: media?.mediaId ?? assert.fail('no media'), sizeBytes, ...digests };
}

/** The records found, and how many statements were run for it. */
async function look(db: Db, search: DigestSearch, contents: readonly SoughtContent[]) {
  let statements = 0;
  const hits = await db.transaction(async (tx) => {
    const counted: Transaction = {
      query: async (sql, params) => {
        statements += 1;
        return await tx.query(sql, params);
      },
      read: async (shape, sql, params) => {
        statements += 1;
        return await tx.read(shape, sql, params);
      },
      execute: () => assert.fail('a look-up writes nothing'),
      script: () => assert.fail('a look-up writes nothing'),
      copyIn: () => assert.fail('a look-up writes nothing'),
      copyOut: (select) => {
        statements += 1;
        return tx.copyOut(select);
      },
    };
    return await search.find(counted, contents);
  });
  return { records: hits.map(({ recordId }) => recordId).sort((a, b) => a - b), statements, hits };
}

for (const engine of STORE_ENGINES) {
  describe(`look-up by digest on ${engine.name}`, engine.options, () => {
    let db: Db;
    let setId: number;
    before(async () => {
      db = await engine.open();
      setId = await addSet(db);
    });
    after(async () => await db.close());
    const known = async (digests: KnownDigests) => await addRecord(db, setId, [], digests);
    async function opened(limits: DigestSearchLimits = ALWAYS): Promise<DigestSearch> {
      const search = await openDigestSearch(db, limits);
      await search.settled();
      return search;
    }

    it('finds a record by the strongest digest it has', async () => {
      const { md5, sha1, sha256 } = digestsOf('strongest');
      const records = [await known({ md5 }), await known({ md5, sha1 }), await known({ md5, sha1, sha256 })];
      await known({ ...digestsOf('strongest'), sha256: digest('sha256', 'of another file') });
      const search = await opened();
      const found = await look(db, search, [await contentOf(db, 'strongest')]);
      assert.deepEqual(found.records, records);
      await search.close();
    });

    it('asks nothing but the number of the last change where all digests miss', async () => {
      await known({ md5: digest('md5', 'some record') });
      const search = await opened();
      const strangers = [];
      for (let at = 0; at < 8; at += 1) strangers.push(await contentOf(db, `stranger ${at}`));
      const asked = [];
      for (const stranger of strangers) asked.push((await look(db, search, [stranger])).statements);
      // Three keys of each may hit by chance, one time in 256: more than four of eight do so never.
      assert.ok(asked.filter((statements) => statements === 1).length >= 4, `${asked}`);
      await search.close();
    });

    it('answers as the database does, whatever is asked', async () => {
      const contents = [];
      for (let at = 0; at < 60; at += 1) {
        const name = `any ${at}`;
        const { md5, sha1, sha256 } = digestsOf(name);
        if (at % 4 === 1) await known({ md5 });
        if (at % 4 === 2) await known({ sha1, md5 });
        if (at % 4 === 3) await known({ sha256 });
        contents.push(await contentOf(db, name));
      }
      const search = await opened();
      const expected = await findDigestHits(
        db,
        contents.map(({ mediaId }) => mediaId),
      );
      const found = await look(db, search, contents);
      assert.equal(search.description, 'fuse filter before the database index');
      assert.deepEqual(
        found.records,
        expected.map(({ recordId }) => recordId).sort((a, b) => a - b),
      );
      assert.equal(found.records.length, 45);
      await search.close();
    });

    it('finds what was added after it was filled', async () => {
      const content = await contentOf(db, 'added later');
      const search = await opened();
      assert.deepEqual((await look(db, search, [content])).records, []);
      const record = await known({ sha1: content.sha1 });
      assert.deepEqual((await look(db, search, [content])).records, [record]);
      assert.equal(search.description, 'fuse filter before the database index');
      await search.close();
    });

    it('does not find what was withdrawn', async () => {
      const content = await contentOf(db, 'withdrawn');
      const record = await known({ sha256: content.sha256 });
      const search = await opened();
      assert.deepEqual((await look(db, search, [content])).records, [record]);
      await db.transaction(async (tx) => {
        await tx.execute('delete from known_record where record_id = $1', [record]);
        await noteWithdrawn(tx, [{ setId, firstRecordId: record, lastRecordId: record }]);
      });
      assert.deepEqual((await look(db, search, [content])).records, []);
      await search.close();
    });

    it('is filled anew where much was added, and finds all of it meanwhile', async () => {
      const search = await opened({ leastRecordsForFilter: 0, mostDelta: 3 });
      const contents = [];
      // More than a tenth of what is in the filter, too.
      for (let at = 0; at < 40; at += 1) contents.push(await contentOf(db, `flood ${at}`));
      const records = [];
      for (const { sha256 } of contents) records.push(await known({ sha256 }));
      assert.deepEqual((await look(db, search, contents)).records, records);
      assert.equal(search.description, 'database index');
      await search.settled();
      assert.equal(search.description, 'fuse filter before the database index');
      assert.deepEqual((await look(db, search, contents)).records, records);
      await search.close();
    });

    it('finds what is added while it is filled', async () => {
      const content = await contentOf(db, 'meanwhile');
      const search = await openDigestSearch(db, ALWAYS);
      const record = await known({ md5: content.md5 });
      assert.deepEqual((await look(db, search, [content])).records, [record]);
      await search.settled();
      assert.deepEqual((await look(db, search, [content])).records, [record]);
      await search.close();
    });

    it('never finds the empty file, in known material or known-good', async () => {
      const good = await addSet(db);
      await db.execute(`update hash_set set purpose = 'good' where set_id = $1`, [good]);
      const empty = await contentOf(db, '', 0);
      await known(digestsOf(''));
      await addRecord(db, good, [], digestsOf(''));
      await addRecord(db, good, [], { md5: digest('md5', '') });
      const search = await opened();
      assert.deepEqual((await look(db, search, [empty])).records, []);
      assert.deepEqual(await findDigestHits(db, [empty.mediaId]), []);
      await search.close();
    });

    it('tells known material from known-good', async () => {
      const good = await addSet(db);
      await db.execute(`update hash_set set purpose = 'good' where set_id = $1`, [good]);
      const content = await contentOf(db, 'both');
      await known({ sha256: content.sha256 });
      await addRecord(db, good, [], { sha1: content.sha1 });
      const search = await opened();
      const { hits } = await look(db, search, [content]);
      assert.deepEqual(hits.map(({ purpose, method }) => `${purpose} by ${method}`).sort(), [
        'good by sha1',
        'known by sha256',
      ]);
      await search.close();
    });

    it('leaves small stores to the database', async () => {
      const search = await opened({ leastRecordsForFilter: 1_000_000 });
      const content = await contentOf(db, 'small store');
      const record = await known({ sha256: content.sha256 });
      assert.deepEqual([search.description, (await look(db, search, [content])).records], ['database index', [record]]);
      await search.close();
    });

    it('is closed while it is filled', async () => {
      const search = await openDigestSearch(db, ALWAYS);
      await search.close();
      await search.close();
    });
  });
}

describe('look-up by digest beside other processes', needsServer, () => {
  it('finds at once what another connection added', async () => {
    const { db, url } = await openTestServerDb();
    const other = await openServer({ url });
    const setId = await addSet(other);
    await addRecord(other, setId, [], { md5: digest('md5', 'first') });
    const search = await openDigestSearch(db, ALWAYS);
    await search.settled();
    const content = await contentOf(db, 'by another process');
    assert.deepEqual((await look(db, search, [content])).records, []);
    const record = await addRecord(other, setId, [], { sha256: content.sha256 });
    assert.deepEqual((await look(db, search, [content])).records, [record]);
    await search.close();
    await other.close();
    await db.close();
  });
});
