import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { PIPELINE_VERSION } from '../../schemas/fingerprint.ts';
import { openTestBatch } from '../../test/batch-kit.ts';
import { addRecord, addSet } from '../../test/known-set-kit.ts';
import { STORE_ENGINES } from '../../test/store-engines.ts';
import type { Db } from '../store/db.ts';
import { integer, row } from '../store/row-shape.ts';
import { reportItems } from './items.ts';

const digest = (algorithm: string, text: string) => createHash(algorithm).update(text).digest();

for (const engine of STORE_ENGINES) {
  describe(`items of a report on ${engine.name}`, engine.options, () => {
    let db: Db;
    before(async () => {
      db = await engine.open();
    });
    after(async () => await db.close());

    /** Items of these names as a scan leaves them, one after the other. */
    async function addItems(batchId: string, names: readonly string[]): Promise<void> {
      await db.execute(
        `insert into item (batch_id, path_key, path, type, outcome, reason)
         select $1, sha256(name::bytea), name::bytea, 'text/plain', 'notExamined', 'text'
           from unnest($2::text[]) with ordinality as t(name, nth) order by nth`,
        [batchId, names],
      );
    }

    async function reported(batchId: string) {
      const found = [];
      for await (const { item } of reportItems(db, {
        batchId,
        pipelineVersion: PIPELINE_VERSION,
        mode: 'exact',
        awaitsChangeId: null,
        models: null,
      }))
        found.push(item);
      return found;
    }
    const numbered = (name: string, from: number, count: number) =>
      Array.from({ length: count }, (_, at) => `${name} ${from + at}`);

    it('are all of a batch and no others, in the order of recording, however its numbers lie', async () => {
      const [mine, beside] = [await openTestBatch(db), await openTestBatch(db)];
      const expected: string[] = [];
      // Two scans at once, then one alone for longer than a page, then numbers used up by what was recorded already.
      for (let turn = 0; turn < 30; turn += 1) {
        const names = numbered('mine', turn * 70, 70);
        expected.push(...names);
        await addItems(mine, names);
        await addItems(beside, numbered('beside', turn * 70, 70));
      }
      await addItems(beside, numbered('beside', 10_000, 5_000));
      await db.query(
        `select setval(pg_get_serial_sequence('item', 'item_id'), (select max(item_id) + 123456 from item))`,
      );
      expected.push('mine last');
      await addItems(mine, ['mine last']);
      assert.deepEqual(
        (await reported(mine)).map((item) => item.path),
        expected,
      );
      assert.equal((await reported(beside)).length, 30 * 70 + 5_000);
      assert.deepEqual(await reported(await openTestBatch(db)), []);
    });

    it('carry the matches of their content that are in force, nearest first', async () => {
      const batchId = await openTestBatch(db);
      const setId = await addSet(db);
      const removed = await addSet(db, 'removed');
      const [media] = await db.read(
        row({ mediaId: integer }),
        `insert into media (sha256, sha1, md5, size_bytes, type) values ($1, $2, $3, 3, 'image/png') returning media_id`,
        [digest('sha256', 'abc'), digest('sha1', 'abc'), digest('md5', 'abc')],
      );
      const match = async (
        set: number,
        method: string,
        distanceBits: number,
        withdrawnAt: string | null,
        mode = 'exact',
      ) =>
        await db.execute(
          `insert into match (media_id, set_id, record_id, method, algorithm, mode, pipeline_version, distance_bits, threshold_bits, withdrawn_at)
           values ($1, $2, $3, $4, $4, $5, $6, $7, 31, $8)`,
          [
            media?.mediaId ?? 0,
            set,
            await addRecord(db, set, []),
            method,
            mode,
            PIPELINE_VERSION,
            distanceBits,
            withdrawnAt,
          ],
        );
      await match(setId, 'pdq', 7, null);
      await match(setId, 'pdq', 3, null);
      await match(setId, 'pdq', 2, null, 'fast');
      await match(setId, 'sha256', 0, null, 'fast');
      await match(setId, 'md5', 0, new Date().toISOString());
      await match(removed, 'sha1', 0, null);
      await addItems(batchId, ['abc', 'abc again', 'other']);
      await db.execute(`update item set media_id = $2 where batch_id = $1 and path <> 'other'::bytea`, [
        batchId,
        media?.mediaId ?? 0,
      ]);
      const matches = (await reported(batchId)).map((item) => item.matches.map((one) => [one.method, one.distance]));
      const expected = [
        ['sha256', 0],
        ['pdq', 3],
        ['pdq', 7],
      ];
      assert.deepEqual(matches, [expected, expected, []]);
    });
  });
}
