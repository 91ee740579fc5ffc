import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { type Examination, ORIENTATIONS, PIPELINE_VERSION } from '../../schemas/fingerprint.ts';
import type { ReportItem } from '../../schemas/report.ts';
import { examinedPicture, openTestBatch } from '../../test/batch-kit.ts';
import { addRecord, addSet, type KnownDigests } from '../../test/known-set-kit.ts';
import { STORE_ENGINES } from '../../test/store-engines.ts';
import { reportItems } from '../report/items.ts';
import { Tally } from '../report/tally.ts';
import { PgvectorScan } from '../search/pgvector-scan.ts';
import type { Db } from '../store/db.ts';
import { integer, row, text } from '../store/row-shape.ts';
import { listUnseen } from '../unseen/rank.ts';
import { placeOfFile } from './place.ts';
import { Recorder } from './recorder.ts';
import type { ItemRow } from './row-writer.ts';

const digest = (algorithm: string, content: string) => createHash(algorithm).update(content).digest('hex');
const digestsOf = (content: string) => ({
  md5: digest('md5', content),
  sha1: digest('sha1', content),
  sha256: digest('sha256', content),
});

/** A file of this content that is no picture. */
function file(name: string, content: string): ItemRow {
  const examination: Examination = {
    outcome: 'notExamined',
    reason: { code: 'video', detail: '' },
    type: 'video/mp4',
    sizeBytes: content.length,
    digests: digestsOf(content),
    trailingBytes: null,
    picture: null,
    capture: null,
  };
  return { ...placeOfFile(Buffer.from(name)), modifiedAt: null, examination };
}

/** A picture whose PDQ is the same in both flavours and in every orientation. */
function pictureFile(name: string, content: string, hex: string): ItemRow {
  const pdq = (flavour: 'pdq-512' | 'pdq-full') => ({
    flavour,
    hex,
    quality: 90,
    dihedral: ORIENTATIONS.map(() => hex),
  });
  const base = file(name, content);
  return {
    ...base,
    examination: {
      ...base.examination,
      ...examinedPicture({ pdq: [pdq('pdq-512'), pdq('pdq-full')], blockhash: null }),
    },
  };
}

/** The same place, where the host died over the file. */
function failed(of: ItemRow): ItemRow {
  return {
    ...of,
    examination: {
      ...of.examination,
      outcome: 'failed',
      reason: { code: 'hostCrashed', detail: '' },
      digests: null,
      picture: null,
    },
  };
}

for (const engine of STORE_ENGINES) {
  describe(`recording on ${engine.name}`, engine.options, () => {
    let db: Db;
    let setId: number;
    before(async () => {
      db = await engine.open();
      setId = await addSet(db);
    });
    after(async () => await db.close());

    async function newBatch(): Promise<{ readonly batchId: string; readonly mode: 'exact' }> {
      const batchId = await openTestBatch(db);
      return { batchId, mode: 'exact' };
    }
    const recorderOf = (batch: { readonly batchId: string; readonly mode: 'exact' }, on: Db = db) =>
      new Recorder(on, new PgvectorScan(on), batch);
    const known = async (digests: KnownDigests) => await addRecord(db, setId, [], digests);
    async function goodSet(): Promise<number> {
      const good = await addSet(db);
      await db.execute(`update hash_set set purpose = 'good' where set_id = $1`, [good]);
      return good;
    }
    async function reportOf(batchId: string): Promise<ReportItem[]> {
      const items: ReportItem[] = [];
      const asked = {
        batchId,
        pipelineVersion: PIPELINE_VERSION,
        mode: 'exact',
        awaitsChangeId: null,
        models: null,
      } as const;
      for await (const { item } of reportItems(db, asked)) items.push(item);
      return items;
    }

    async function itemsOf(batchId: string) {
      return await db.read(
        row({ outcome: text, media: integer }),
        'select outcome, coalesce(media_id, 0) as media from item where batch_id = $1 order by item_id',
        [batchId],
      );
    }
    async function methodsOf(content: string): Promise<string[]> {
      const found = await db.read(
        row({ method: text }),
        'select t.method from match t join media m on m.media_id = t.media_id where m.sha256 = $1 order by t.method',
        [Buffer.from(digestsOf(content).sha256, 'hex')],
      );
      return found.map((one) => one.method);
    }

    it('records what known-good sets have apart from evidence, and calls it known-good', async () => {
      const batch = await newBatch();
      const good = await goodSet();
      await addRecord(db, good, [], { sha256: digestsOf('system icon').sha256 });
      await addRecord(db, good, [], { md5: digestsOf('a program').md5 });
      const hex = digest('sha256', 'pdq of the icon');
      const rows = [pictureFile('icon.png', 'system icon', hex), file('program.exe', 'a program'), file('empty', '')];
      await addRecord(db, good, [], digestsOf(''));
      const recorder = recorderOf(batch);
      const said = await recorder.record(rows);
      assert.deepEqual(
        said.map((one) => one.standing),
        ['knownGood', 'knownGood', 'none'],
      );
      assert.deepEqual([await methodsOf('system icon'), recorder.added.matches], [[], 0]);
      const items = await reportOf(batch.batchId);
      assert.deepEqual(
        items.map(({ standing, knownGood }) => [standing, knownGood.map(({ method }) => method)]),
        [
          ['knownGood', ['sha256']],
          ['knownGood', ['md5']],
          ['none', []],
        ],
      );
      assert.equal((await listUnseen(db, { batchId: batch.batchId }, { limit: 10 })).total, 0);
    });

    it('calls known what is known and known-good, and counts the contradiction', async () => {
      const batch = await newBatch();
      const { sha256, md5 } = digestsOf('in both');
      await known({ sha256 });
      await addRecord(db, await goodSet(), [], { md5 });
      const [said] = await recorderOf(batch).record([file('both.jpg', 'in both')]);
      assert.equal(said?.standing, 'known');
      const [item] = await reportOf(batch.batchId);
      assert.deepEqual([item?.standing, item?.matches.length, item?.knownGood.length], ['known', 1, 1]);
      const tally = new Tally();
      if (item !== undefined) tally.add(item);
      const { known: knownItems, knownGood, contradicted } = tally.counts(1, { items: 1, media: 1, matches: 1 });
      assert.deepEqual([knownItems, knownGood, contradicted], [1, 0, 1]);
    });

    it('calls near what is near known material, though it is known-good', async () => {
      const batch = await newBatch();
      const hex = digest('sha256', 'pdq of a near one');
      await addRecord(db, setId, [{ algorithm: 'pdq', bits: Buffer.from(hex, 'hex'), quality: 90 }]);
      await addRecord(db, await goodSet(), [], { sha1: digestsOf('near and good').sha1 });
      const [said] = await recorderOf(batch).record([pictureFile('near.jpg', 'near and good', hex)]);
      assert.equal(said?.standing, 'nearDuplicate');
    });

    it('uses one transaction for a group and one for the next', async () => {
      const batch = await newBatch();
      let transactions = 0;
      const counting: Db = {
        capabilities: db.capabilities,
        query: (sql, params) => db.query(sql, params),
        read: (shape, sql, params) => db.read(shape, sql, params),
        execute: () => assert.fail('written outside of a transaction'),
        listen: (channel, onNotify) => db.listen(channel, onNotify),
        close: () => db.close(),
        transaction: async (work) => {
          transactions += 1;
          return await db.transaction(work);
        },
      };
      const recorder = recorderOf(batch, counting);
      await recorder.record([
        file('one', 'transaction one'),
        file('two', 'transaction two'),
        file('three', 'transaction one'),
      ]);
      assert.equal(transactions, 1);
      await recorder.record([file('four', 'transaction four')]);
      assert.equal(transactions, 2);
      assert.deepEqual(recorder.added, { items: 4, media: 3, matches: 0 });
    });

    it('keeps nothing of a group that fails', async () => {
      const batch = await newBatch();
      const content = 'of a failing group';
      const tooLong = file('x', 'other');
      const broken: ItemRow = { ...tooLong, path: Buffer.alloc(20_000, 97) };
      await assert.rejects(recorderOf(batch).record([file('good', content), broken]), { code: 'HW_DATABASE' });
      assert.deepEqual(await itemsOf(batch.batchId), []);
      const left = await db.query('select 1 from media where sha256 = $1', [
        Buffer.from(digestsOf(content).sha256, 'hex'),
      ]);
      assert.equal(left.length, 0);
    });

    it('adds nothing the second time and says the same', async () => {
      const batch = await newBatch();
      await known({ sha256: digestsOf('twice known').sha256 });
      const rows = [
        file('a', 'twice known'),
        file('b', 'twice unknown'),
        pictureFile('c', 'twice picture', 'ab'.repeat(32)),
      ];
      const first = recorderOf(batch);
      const said = await first.record(rows);
      assert.deepEqual(first.added, { items: 3, media: 3, matches: 1 });
      assert.deepEqual(
        said.map((one) => one.standing),
        ['known', 'none', 'unseen'],
      );
      const second = recorderOf(batch);
      assert.deepEqual(await second.record(rows), said);
      assert.deepEqual(second.added, { items: 0, media: 0, matches: 0 });
    });

    it('says who recorded it as what, once, by however many records and digests', async () => {
      await known({ sha256: digestsOf('told').sha256 });
      await known({ sha256: digestsOf('told').sha256 });
      await known({ md5: digestsOf('told').md5 });
      const [said] = await recorderOf(await newBatch()).record([file('a', 'told')]);
      assert.deepEqual(said, { standing: 'known', knownAs: [{ source: 'test', scheme: 'vic-us', code: '1' }] });
    });

    it('finds a near duplicate and lets it count as no known one', async () => {
      const hex = '3c'.repeat(32);
      await addRecord(db, setId, [{ algorithm: 'pdq', bits: Buffer.from(hex, 'hex'), quality: 90 }]);
      const [said] = await recorderOf(await newBatch()).record([pictureFile('a', 'near duplicate', hex)]);
      assert.deepEqual(said, { standing: 'nearDuplicate', knownAs: [] });
      assert.deepEqual(await methodsOf('near duplicate'), ['pdq']);
    });

    it('puts a good item in the place of a failed one', async () => {
      const batch = await newBatch();
      const good = file('poison', 'read at last');
      await recorderOf(batch).record([failed(good)]);
      assert.deepEqual(
        (await itemsOf(batch.batchId)).map((item) => item.outcome),
        ['failed'],
      );
      await recorderOf(batch).record([good]);
      assert.deepEqual(
        (await itemsOf(batch.batchId)).map((item) => item.outcome),
        ['notExamined'],
      );
    });

    it('lets a good fingerprint take the place of a failed one, and never the other way', async () => {
      const batch = await newBatch();
      const good = pictureFile('again', 'decoded at last', '5a'.repeat(32));
      const bad: ItemRow = {
        ...failed(good),
        examination: { ...failed(good).examination, digests: good.examination.digests },
      };
      const outcome = async () =>
        (
          await db.read(
            row({ outcome: text }),
            'select f.outcome from fingerprint f join media m on m.media_id = f.media_id where m.sha256 = $1',
            [Buffer.from(digestsOf('decoded at last').sha256, 'hex')],
          )
        ).map((one) => one.outcome);
      await recorderOf(batch).record([bad]);
      assert.deepEqual(await outcome(), ['failed']);
      await recorderOf(batch).record([good]);
      assert.deepEqual(await outcome(), ['done']);
      await recorderOf(batch).record([bad]);
      assert.deepEqual(await outcome(), ['done']);
    });

    it('matches the empty file with nothing, even where a record has its digests', async () => {
      await known(digestsOf(''));
      const [said] = await recorderOf(await newBatch()).record([file('empty', '')]);
      assert.deepEqual([said?.knownAs, await methodsOf('')], [[], []]);
    });

    it('goes by the strongest digest a record has', async () => {
      const recorded = digestsOf('strongest');
      const other = digestsOf('something else');
      await known({ ...recorded, sha256: other.sha256 });
      await known({ md5: recorded.md5, sha1: other.sha1 });
      await recorderOf(await newBatch()).record([file('a', 'strongest')]);
      assert.deepEqual(await methodsOf('strongest'), []);
      await known({ md5: recorded.md5 });
      await known({ md5: recorded.md5, sha1: recorded.sha1 });
      await known(recorded);
      await recorderOf(await newBatch()).record([file('b', 'strongest')]);
      assert.deepEqual(await methodsOf('strongest'), ['md5', 'sha1', 'sha256']);
    });

    it('records a file that could not be read to its end as an item without content', async () => {
      const batch = await newBatch();
      const [said] = await recorderOf(batch).record([failed(file('unreadable', 'nobody knows'))]);
      assert.deepEqual(said, { standing: 'none', knownAs: [] });
      assert.deepEqual(await itemsOf(batch.batchId), [{ outcome: 'failed', media: 0 }]);
    });
  });
}
