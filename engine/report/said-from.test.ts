import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { PIPELINE_VERSION } from '../../schemas/constants.ts';
import { digest, hashOf, picture, record } from '../../test/hashed-picture-kit.ts';
import { addRecord, addSet } from '../../test/known-set-kit.ts';
import { STORE_ENGINES } from '../../test/store-engines.ts';
import { rematch } from '../rematch/rematch.ts';
import type { Db } from '../store/db.ts';
import { pendingRematch } from '../store/queries/rematch-pass.ts';
import { listUnseen } from '../unseen/rank.ts';
import { reportItems } from './items.ts';
import { hashesOfSets } from './set-hashes.ts';

for (const engine of STORE_ENGINES) {
  describe(`what nothing known is said from, on ${engine.name}`, engine.options, () => {
    let db: Db;
    before(async () => {
      db = await engine.open();
    });
    after(async () => await db.close());

    it('counts what the records of a set can be found by, and again after a change of it', async () => {
      const setId = await addSet(db);
      const hash = (name: string) => ({ algorithm: 'pdq-512', bits: hashOf(name), quality: null });
      await addRecord(db, setId, [hash('one'), hash('another of one')], { md5: digest('one', 'md5') });
      assert.deepEqual((await hashesOfSets(db, [setId])).get(setId), [
        { algorithm: 'md5', records: 1 },
        { algorithm: 'pdq-512', records: 1 },
      ]);
      await addRecord(db, setId, [hash('two')], { sha256: digest('two') });
      assert.deepEqual((await hashesOfSets(db, [setId])).get(setId), [
        { algorithm: 'sha256', records: 1 },
        { algorithm: 'md5', records: 1 },
        { algorithm: 'pdq-512', records: 2 },
      ]);
    });

    it('calls a picture unknown while sets are in force that it was not compared with, and unseen after', async () => {
      const batchId = await record(db, [picture('earlier')]);
      await addRecord(db, await addSet(db), [], { sha256: digest('something else') });
      const said = async () => {
        const awaitsChangeId = (await pendingRematch(db))?.lastChangeId ?? null;
        const found: string[] = [];
        const batch = { batchId, pipelineVersion: PIPELINE_VERSION, mode: 'exact', models: null } as const;
        for await (const { item } of reportItems(db, { ...batch, awaitsChangeId }))
          found.push(`${item.standing} ${item.unknownFor}`);
        const { total, unknown } = await listUnseen(db, { batchId }, { limit: 10 });
        return { found, unseen: total, unknown: unknown.media.map(({ unknownFor }) => unknownFor) };
      };
      assert.deepEqual(await said(), { found: ['unknown awaitsRematch'], unseen: 0, unknown: ['awaitsRematch'] });
      await rematch(db, { signal: new AbortController().signal, suspendAfterCases: 0 });
      assert.deepEqual(await said(), { found: ['unseen null'], unseen: 1, unknown: [] });
    });
  });
}
