import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { addSet } from '../../test/known-set-kit.ts';
import { STORE_ENGINES } from '../../test/store-engines.ts';
import type { Db } from '../store/db.ts';
import { submit } from '../submission/submission.ts';
import { duePurges, type Purged, purgeAfterAgreement } from './agreement-purge.ts';
import { revokeAgreement } from './agreements.ts';
import { openCase } from './cases.ts';
import { FIRST, seedAgreement, seedKey, seedOrganisation, seedPurpose } from './test-access-kit.ts';

for (const engine of STORE_ENGINES) {
  describe(`the purge that an agreement names on ${engine.name}`, engine.options, () => {
    let db: Db;
    before(async () => {
      db = await engine.open();
      await seedPurpose(db);
    });
    after(async () => await db.close());

    const partner = async (purges: readonly ('sets' | 'material')[]) => {
      const { organisationId, agreementId } = await seedOrganisation(db, { purges });
      assert.ok(agreementId !== null);
      return { organisationId, agreementId };
    };
    const owned = async (organisationId: string): Promise<number> => {
      const setId = await addSet(db);
      await db.execute('update hash_set set owner_organisation_id = $2 where set_id = $1', [setId, organisationId]);
      return setId;
    };
    const setsLeft = async (ids: readonly number[]): Promise<number> =>
      (await db.query("select 1 from hash_set where set_id = any ($1::bigint[]) and state = 'active'", [ids])).length;
    const due = async (organisationId: string) =>
      (await duePurges(db)).filter((one) => one.organisationId === organisationId);
    const purge = async (organisationId: string): Promise<Purged[]> =>
      await Promise.all((await due(organisationId)).map(async (one) => await purgeAfterAgreement(db, one, 'a test')));

    it("begins when it ends, takes what is the partner's alone, and is done once", async () => {
      const { organisationId, agreementId } = await partner(['sets']);
      const theirs = [await owned(organisationId), await owned(organisationId)];
      const others = await owned((await seedOrganisation(db)).organisationId);
      assert.deepEqual(await purge(organisationId), []);
      await revokeAgreement(db, agreementId, 'closed', FIRST);
      assert.deepEqual(await purge(organisationId), [{ finished: true, sets: 2, cases: 0 }]);
      assert.deepEqual([await setsLeft(theirs), await setsLeft([others])], [0, 1]);
      assert.deepEqual(await purge(organisationId), []);
    });

    it('waits for nothing where another agreement goes on', async () => {
      const { organisationId, agreementId } = await partner(['sets']);
      await seedAgreement(db, organisationId);
      await revokeAgreement(db, agreementId, 'replaced', FIRST);
      assert.deepEqual(await due(organisationId), []);
    });

    it('is due the day after the last day', async () => {
      const { organisationId, agreementId } = await partner(['sets']);
      await db.execute('alter table agreement disable trigger keep_agreement_terms');
      await db.execute(
        "update agreement set first_day = first_day - 30, last_day = (now() at time zone 'UTC')::date - 1, review_on = first_day where agreement_id = $1",
        [agreementId],
      );
      await db.execute('alter table agreement enable trigger keep_agreement_terms');
      assert.equal((await due(organisationId)).length, 1);
    });

    it('erases what was submitted, once what is under way has stopped', async () => {
      const { organisationId, agreementId } = await partner(['material']);
      const { principalId } = await seedKey(db, organisationId);
      const caseId = await openCase(db, { organisationId, caseRef: 'theirs', jointUntil: null }, FIRST);
      const made = { organisationId, caseId, submittedBy: principalId, kind: 'seizure', urgent: false } as const;
      const { submission } = await submit(db, {
        ...made,
        idempotencyKey: randomUUID(),
        exhibitRef: 'E1',
        mode: 'exact',
        models: false,
        root: 'evidence',
        path: 'disk',
      });
      const running = async (state: string) =>
        await db.execute(
          'update submission set state = $2, finished_at = case when $2 = $3 then now() end where submission_id = $1',
          [submission.submissionId, state, 'cancelled'],
        );
      await running('running');
      await db.execute(
        `insert into batch (batch_id, identity, case_ref, exhibit_ref, organisation, actor, mode, roots, pipeline_version, started_at)
         values ($2, $3, 'theirs', 'E1', $1, 'x', 'exact', '[]', '1', now())`,
        [organisationId, randomUUID(), randomBytes(32)],
      );
      await revokeAgreement(db, agreementId, 'closed', FIRST);
      assert.deepEqual(await purge(organisationId), [{ finished: false, sets: 0, cases: 0 }]);
      await running('cancelled');
      assert.deepEqual(await purge(organisationId), [{ finished: true, sets: 0, cases: 1 }]);
      assert.deepEqual(await db.query('select 1 from batch where organisation_id = $1', [organisationId]), []);
    });
  });
}
