import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { stoppingBeforeCommit, waitingForLocks } from '../../test/race-kit.ts';
import { needsServer, openTestServerDb } from '../../test/store-engines.ts';
import { openCase } from '../access/cases.ts';
import { FIRST, isCode, seedKey, seedOrganisation } from '../access/test-access-kit.ts';
import { openServer } from '../store/adapters/pg.ts';
import type { Db } from '../store/db.ts';
import { type NewSubmission, noteBatch, submit, takeNextSubmission } from '../submission/submission.ts';
import { beginUpload } from '../upload/upload.ts';
import { eraseCase } from './close-case.ts';

const BUDGET = { mostBytes: 1000, mostBytesOfOrganisation: 10_000, mostOfOrganisation: 100 };

describe('what is handed in while its case is erased', needsServer, () => {
  let db: Db;
  let other: Db;
  let who: Pick<NewSubmission, 'organisationId' | 'submittedBy'>;
  before(async () => {
    const server = await openTestServerDb();
    db = server.db;
    other = await openServer({ url: server.url });
    const { organisationId } = await seedOrganisation(db, 'none');
    const { principalId } = await seedKey(db, organisationId);
    who = { organisationId, submittedBy: principalId };
  });
  after(async () => {
    await other.close();
    await db.close();
  });

  const newCase = async (): Promise<{ readonly caseId: string; readonly caseRef: string }> => {
    const caseRef = `case ${randomUUID()}`;
    return { caseRef, caseId: await openCase(db, { ...who, caseRef, jointUntil: null }, FIRST) };
  };
  const wanted = (caseId: string): NewSubmission => ({
    ...who,
    caseId,
    idempotencyKey: randomUUID(),
    kind: 'seizure',
    urgent: false,
    exhibitRef: '7',
    mode: 'exact',
    models: false,
    root: 'evidence',
    path: 'disk',
  });
  const upload = (caseId: string) => ({
    ...who,
    caseId,
    name: 'disk.zip',
    sizeBytes: 10,
    sha256: Buffer.alloc(32),
    modifiedAt: null,
  });
  const erase = async (of: Db, caseRef: string): Promise<unknown> =>
    await eraseCase(
      of,
      {
        organisation: who.organisationId,
        caseRef,
        outcome: 'no-offence',
        justification: 'nothing was found',
        closedBy: 'examiner',
        backupsGoneBy: null,
      },
      { waitMs: 10_000 },
    );
  const left = async (caseId: string): Promise<unknown> =>
    (
      await db.query<{ rows: number }>(
        `select (select count(*) from submission where case_id = $1) + (select count(*) from upload where case_id = $1)
              + (select count(*) from batch where case_id = $1) as rows`,
        [caseId],
      )
    )[0]?.rows;

  for (const [what, hand] of [
    ['a submission', async (of: Db, caseId: string) => await submit(of, wanted(caseId))],
    ['an upload', async (of: Db, caseId: string) => await beginUpload(of, upload(caseId), BUDGET)],
  ] as const) {
    it(`goes with the case where ${what} was there first`, async () => {
      const { caseId, caseRef } = await newCase();
      const stopped = stoppingBeforeCommit(db);
      const handing = hand(stopped.db, caseId);
      await stopped.written;
      const erasing = erase(other, caseRef);
      try {
        await waitingForLocks(db);
      } finally {
        stopped.commit();
      }
      await Promise.all([handing, erasing]);
      assert.equal(await left(caseId), 0);
    });

    it(`is refused where the case went first: ${what}`, async () => {
      const { caseId, caseRef } = await newCase();
      const stopped = stoppingBeforeCommit(other, (result) => typeof result === 'object' && result !== null);
      const erasing = erase(stopped.db, caseRef);
      await stopped.written;
      const handing = hand(db, caseId);
      try {
        await waitingForLocks(db);
      } finally {
        stopped.commit();
      }
      await assert.rejects(handing, isCode('HW_CASE_NOT_FOUND'));
      await erasing;
      assert.equal(await left(caseId), 0);
    });
  }

  it('leaves no batch behind where it was taken before and opened afterwards', async () => {
    const { caseId, caseRef } = await newCase();
    const { submission } = await submit(db, { ...wanted(caseId), urgent: true });
    assert.equal((await takeNextSubmission(db))?.submissionId, submission.submissionId);
    await erase(other, caseRef);
    const batchId = randomUUID();
    await db.execute(
      `insert into batch (batch_id, identity, case_ref, exhibit_ref, organisation, actor, mode, roots, pipeline_version, started_at)
       values ($1, $2, $3, '7', $4, 'examiner', 'exact', '[]', 'p1', now())`,
      [batchId, Buffer.alloc(32, 1), caseRef, who.organisationId],
    );
    await assert.rejects(noteBatch(db, submission, batchId), isCode('HW_CASE_NOT_FOUND'));
    assert.deepEqual(await db.query('select 1 from batch where batch_id = $1', [batchId]), []);
  });
});
