import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { digest, evidenceOf, hashOf, picture, record } from '../../test/hashed-picture-kit.ts';
import { addRecord, addSet, turned } from '../../test/known-set-kit.ts';
import { STORE_ENGINES } from '../../test/store-engines.ts';
import { rematch } from '../rematch/rematch.ts';
import type { Db } from '../store/db.ts';
import { integer, row, text } from '../store/row-shape.ts';
import { affectedBatches } from './list.ts';
import { countToRemake, markForRemaking, matchSetAnew } from './rerun.ts';
import { findVersion } from './version.ts';

const signal = new AbortController().signal;

for (const engine of STORE_ENGINES) {
  describe(`what a version had a part in, on ${engine.name}`, engine.options, () => {
    let db: Db;
    let setId: number;
    let setVersion: string;
    let batchId: string;
    before(async () => {
      db = await engine.open();
      setId = await addSet(db);
      const [named] = await db.read(
        row({ version: text }),
        `select source || '/' || name || '@' || version as version from hash_set where set_id = $1`,
        [setId],
      );
      setVersion = named?.version ?? '';
      await addRecord(db, setId, [{ algorithm: 'pdq', bits: turned(hashOf('near'), [1]), quality: null }]);
      await addRecord(db, setId, [], { sha256: digest('same') });
      await db.execute(
        `with made as (insert into series (source, name) values ('test', 'affected') returning series_id)
         update known_record set series_id = (select series_id from made)`,
      );
      batchId = await record(db, [picture('near'), picture('same'), picture('other')]);
    });
    after(async () => await db.close());

    const listed = async (version: string) =>
      (await affectedBatches(db, await findVersion(db, version))).map(
        ({ batchId: of, items, media, matches, leads }) => ({ of, items, media, matches, leads }),
      );
    const leadStates = async () =>
      (await db.read(row({ state: text }), 'select state from lead order by lead_id')).map(({ state }) => state);

    it('lists what a hash set matched', async () => {
      assert.deepEqual(await listed(setVersion), [{ of: batchId, items: 2, media: 2, matches: 2, leads: 1 }]);
    });

    it('lists what was decoded by a decoder, with evidence by its hashes', async () => {
      assert.deepEqual(await listed('test'), [{ of: batchId, items: 3, media: 3, matches: 1, leads: 1 }]);
    });

    it('lists what an algorithm hashed, and the evidence by it alone', async () => {
      assert.deepEqual(await listed('pdq-512/1'), [{ of: batchId, items: 3, media: 3, matches: 1, leads: 1 }]);
      assert.deepEqual(await listed('pdq-full/1'), [{ of: batchId, items: 3, media: 3, matches: 0, leads: 0 }]);
    });

    it('refuses a version that made nothing here', async () => {
      await assert.rejects(findVersion(db, 'sharp 0.1'), { code: 'HW_VERSION_NOT_FOUND' });
    });

    it('finds what a set matched again, and nothing that does not hold', async () => {
      const [planted] = await db.read(
        row({ recordId: integer }),
        `insert into match (media_id, set_id, record_id, method, algorithm, mode, pipeline_version, distance_bits, threshold_bits)
         select m.media_id, $1, (select min(record_id) from known_record where set_id = $1), 'pdq', 'pdq-512/1', 'exact', f.pipeline_version, 9, 31
           from media m join fingerprint f on f.media_id = m.media_id where m.sha256 = $2 returning record_id`,
        [setId, Buffer.from(digest('other'), 'hex')],
      );
      assert.notEqual(planted, undefined);
      const [near, same] = [await evidenceOf(db, 'near'), await evidenceOf(db, 'same')];
      assert.equal(await matchSetAnew(db, setId), true);
      assert.deepEqual(await leadStates(), ['withdrawn']);
      await rematch(db, { signal, suspendAfterCases: 0 });
      assert.deepEqual([await evidenceOf(db, 'near'), await evidenceOf(db, 'same')], [near, same]);
      assert.deepEqual(await evidenceOf(db, 'other'), []);
      assert.deepEqual(await leadStates(), ['open']);
    });

    it('withdraws what rested on a fingerprint once it is made anew, and not before', async () => {
      await markForRemaking(db, await findVersion(db, 'test'));
      assert.equal(await countToRemake(db, batchId), 3);
      assert.equal((await evidenceOf(db, 'near')).length, 1);
      // As a mended decoder would see it: other pixels, in the same file.
      const mended = {
        ...picture('near'),
        examination: {
          ...picture('elsewhere').examination,
          digests: picture('near').examination.digests,
          sizeBytes: picture('near').examination.sizeBytes,
        },
      };
      await record(db, [mended], { batchId });
      assert.deepEqual(await evidenceOf(db, 'near'), []);
      assert.deepEqual(await leadStates(), ['withdrawn']);
      assert.equal(await countToRemake(db, batchId), 2);
      await record(db, [picture('same'), picture('other')], { batchId });
      assert.equal(await countToRemake(db, batchId), 0);
      assert.equal((await evidenceOf(db, 'same')).length, 1);
    });

    it('has nothing to compare anew of a set that is gone', async () => {
      await db.execute(`update hash_set set state = 'removed' where set_id = $1`, [setId]);
      assert.equal(await matchSetAnew(db, setId), false);
    });
  });
}
