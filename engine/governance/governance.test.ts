import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Compile } from 'typebox/compile';
import type { AuditAct } from '../../schemas/audit.ts';
import { GovernanceReport } from '../../schemas/governance.ts';
import { plantCase } from '../../test/case-kit.ts';
import { STORE_ENGINES } from '../../test/store-engines.ts';
import { openCase } from '../access/cases.ts';
import { FIRST, seedKey, seedOrganisation } from '../access/test-access-kit.ts';
import { appendAudit } from '../audit/append.ts';
import type { Db } from '../store/db.ts';
import { endSubmission, submit } from '../submission/submission.ts';
import { parsePeriod } from './period.ts';
import { governanceReport } from './report.ts';

describe('period of a governance report', () => {
  it('is a year, a month, a day or some days, in UTC', () => {
    const spans = ['2026', '2026-11', '2026-12', '2028-02-29', '2026-11-03..2026-11-09', '2026-11..2027'].map(
      parsePeriod,
    );
    assert.deepEqual(
      spans.map(({ from, until }) => `${from.slice(0, 10)} ${until.slice(0, 10)}`),
      [
        '2026-01-01 2027-01-01',
        '2026-11-01 2026-12-01',
        '2026-12-01 2027-01-01',
        '2028-02-29 2028-03-01',
        '2026-11-03 2026-11-10',
        '2026-11-01 2028-01-01',
      ],
    );
  });
  for (const text of ['', '26-11', '2026-13', '2026-02-30', '2026-11-09..2026-11-03', '2026..2027..2028', 'November'])
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.throws(() => parsePeriod(text), /expected a period/);
    });
});

for (const engine of STORE_ENGINES) {
  describe(`governance report on ${engine.name}`, engine.options, () => {
    let db: Db;
    before(async () => {
      db = await engine.open();
    });
    after(async () => await db.close());

    it('counts acts by purpose, machine-hours of scans and what is open, and names nobody', async () => {
      const act = (action: string, outcome: AuditAct['outcome'], changes: Partial<AuditAct> = {}): AuditAct => ({
        operation: 'consultation',
        action,
        actor: 'J. Mustermann',
        organisation: 'unit',
        purpose: null,
        justification: 'asked by J. Mustermann',
        caseRef: '24-017',
        recipient: null,
        objects: [],
        outcome,
        ...changes,
      });
      const scan: Partial<AuditAct> = { operation: 'collection', objects: ['batch identity 00ff', 'x'] };
      for (const entry of [
        act('lookup', 'started', { purpose: 'victim-identification' }),
        act('lookup', 'done', { purpose: 'victim-identification' }),
        act('lookup', 'started', { purpose: 'for J. Mustermann' }),
        act('lookup', 'refused', { purpose: 'for J. Mustermann' }),
        act('lookup', 'started', { organisation: 'other unit' }),
        act('scan', 'started', scan),
        act('scan', 'interrupted', scan),
        act('scan', 'started', scan),
        act('scan', 'done', scan),
        act('scan', 'started', { ...scan, objects: ['batch identity 1111'] }),
      ])
        await appendAudit(db, entry);
      // The first scan took an hour, the second half an hour.
      await db.execute(
        `update audit_entry set at = at - interval '1 hour' where organisation = 'unit' and sequence <= 5`,
      );
      await db.execute(
        `update audit_entry set at = at - interval '30 minutes' where organisation = 'unit' and sequence = 7`,
      );
      await plantCase(db, { caseRef: 'c' });
      const year = new Date().getUTCFullYear();
      const found = await governanceReport(db, 'unit', parsePeriod(`${year - 1}..${year}`));
      assert.ok(Compile(GovernanceReport).Check(found));
      assert.deepEqual(
        found.acts.map((one) => [
          one.operation,
          one.action,
          one.purpose,
          one.done,
          one.refused,
          one.interrupted,
          one.unfinished,
        ]),
        [
          ['collection', 'scan', null, 1, 0, 1, 1],
          ['consultation', 'lookup', 'free text', 0, 1, 0, 0],
          ['consultation', 'lookup', 'victim-identification', 1, 0, 0, 0],
        ],
      );
      assert.deepEqual(
        [found.scans.ended, Math.round(found.scans.machineHours * 100) / 100, found.scans.items],
        [2, 1.5, 1],
      );
      assert.equal(JSON.stringify(found).includes('Mustermann'), false);
      const before = await governanceReport(db, 'unit', parsePeriod('2001'));
      assert.deepEqual([before.acts, before.scans.ended, before.erasures], [[], 0, []]);
    });

    it('counts what was handed in and failed as a whole, by its code', async () => {
      const { organisationId } = await seedOrganisation(db, 'none');
      const { principalId: submittedBy } = await seedKey(db, organisationId);
      const caseId = await openCase(db, { organisationId, caseRef: 'failing', jointUntil: null }, FIRST);
      for (const [number, code] of ['HW_UPLOAD_DIGEST', 'HW_SET_FLOOD', 'HW_SET_FLOOD', null].entries()) {
        const { submission } = await submit(db, {
          ...{
            organisationId,
            caseId,
            submittedBy,
            idempotencyKey: `request ${number}`,
            kind: 'referral',
            urgent: false,
          },
          ...{ exhibitRef: '7', mode: 'exact', models: false, root: 'evidence', path: String(number) },
        });
        if (code !== null) await endSubmission(db, submission.submissionId, { state: 'failed', code });
      }
      const report = await governanceReport(db, organisationId, parsePeriod(new Date().toISOString().slice(0, 10)));
      assert.deepEqual(report.failedSubmissions, [
        { code: 'HW_SET_FLOOD', submissions: 2 },
        { code: 'HW_UPLOAD_DIGEST', submissions: 1 },
      ]);
      assert.deepEqual((await governanceReport(db, 'unit', parsePeriod('2026'))).failedSubmissions, []);
    });
  });
}
