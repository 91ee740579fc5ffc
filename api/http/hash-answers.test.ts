import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { countListed, lookUpBaseline } from '../../engine/access/count-look-ups.ts';
import { recordHashAnswers } from '../../engine/lookup/hash-answers.ts';
import { lookUpRecords } from '../../engine/lookup/look-up.ts';
import { PgvectorScan } from '../../engine/search/pgvector-scan.ts';
import { findSubmission } from '../../engine/submission/submission.ts';
import { noCounts } from '../../schemas/constants.ts';
import { addRecord, addSet } from '../../test/known-set-kit.ts';
import { STORE_ENGINES } from '../../test/store-engines.ts';
import { assertProblem, type Caller, HttpUnderTest, submission } from './test-http-kit.ts';

const COUNTS = { ...noCounts(), read: 3, known: 2, unseen: 1 };

for (const engine of STORE_ENGINES) {
  describe(`answers to a list of hashes on ${engine.name}`, engine.options, () => {
    let http: HttpUnderTest;
    const md5 = [randomBytes(16), randomBytes(16), randomBytes(16)].map((bytes) => bytes.toString('hex'));
    let sets: readonly number[];
    before(async () => {
      http = await HttpUnderTest.open(engine.open);
      sets = [await addSet(http.db), await addSet(http.db)];
      for (const [at, setId] of sets.entries()) await addRecord(http.db, setId, [], { md5: md5[at] ?? '' });
    });
    after(async () => await http[Symbol.asyncDispose]());

    /** Handed in and looked up, two records known and one not. */
    const handIn = async (caller: Caller): Promise<string> => {
      const { body } = await caller.call('POST', '/submissions', submission());
      const submissionId = String(body['submissionId']);
      const sought = md5.map((one, at) => ({
        record: { sourceKey: `lab ${at}`, md5: one, sha1: null, sha256: null, bits: [] },
        incomplete: false,
      }));
      const answers = await lookUpRecords(http.db, new PgvectorScan(http.db), sought);
      await recordHashAnswers(http.db, submissionId, answers, COUNTS);
      return submissionId;
    };
    const told = async (caller: Caller, id: string, query = ''): Promise<Record<string, unknown>[]> => {
      const { body } = await caller.call('GET', `/submissions/${id}/answers${query}`);
      return Array.isArray(body['answers']) ? body['answers'] : [];
    };

    it('name the records that are known by the reference of their lab, in pages', async () => {
      const lab = await http.caller();
      const id = await handIn(lab);
      const all = await told(lab, id);
      assert.deepEqual(
        all.map(({ number, reference, answer }) => [number, reference, answer]),
        [
          [1, 'lab 0', 'known'],
          [2, 'lab 1', 'known'],
        ],
      );
      const { body } = await lab.call('GET', `/submissions/${id}/answers?limit=1`);
      assert.deepEqual(await told(lab, id, `?limit=1&after=${String(body['next'])}`), all.slice(1));
      assert.deepEqual((await findSubmission(http.db, id))?.counts, COUNTS);
      for (const one of md5) assert.ok(!JSON.stringify(all).includes(one));
    });

    it('S5: tell each tier as much as a look-up does, and others that nothing is there', async () => {
      const associated = await http.caller({ tier: 'associated' }, ['partner']);
      const id = await handIn(associated);
      const answers = await told(associated, id);
      assert.deepEqual(
        answers.map(({ answer, matches }) => [answer, matches]),
        [
          ['known', null],
          ['known', null],
        ],
      );
      assertProblem(await (await http.caller()).call('GET', `/submissions/${id}/answers`), 404, 'HW_NOT_FOUND');
      const perceptual = await http.caller({ modalities: ['perceptual'] });
      assert.deepEqual(
        (await told(perceptual, await handIn(perceptual))).map(({ answer }) => answer),
        ['no', 'no'],
      );
    });

    it('say what is known now: of a set that went out of force nothing', async () => {
      const lab = await http.caller();
      const id = await handIn(lab);
      await http.db.execute("update hash_set set state = 'removed' where set_id = $1", [sets[1] ?? 0]);
      assert.deepEqual(
        (await told(lab, id)).map(({ answer }) => answer),
        ['known', 'no'],
      );
      await http.db.execute("update hash_set set state = 'active' where set_id = $1", [sets[1] ?? 0]);
    });

    it('S6: are counted against the day of the organisation, and not against the rate of a minute', async () => {
      const lab = await http.caller({ dailyQuota: 10, perMinute: 1 });
      const who = { organisationId: lab.organisationId, submittedBy: lab.principalId };
      await countListed(http.db, who, 7);
      await assert.rejects(countListed(http.db, who, 4), { code: 'HW_QUOTA_SPENT' });
      await countListed(http.db, who, 3);
      assert.equal((await lookUpBaseline(http.db, lab.principalId)).today, 10);
      const own = await http.caller({ of: await http.home() });
      await countListed(http.db, { organisationId: own.organisationId, submittedBy: own.principalId }, 1_000_000);
    });
  });
}
