import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { STORE_ENGINES } from '../../test/store-engines.ts';
import type { Db } from '../store/db.ts';
import { integer, row, text } from '../store/row-shape.ts';
import {
  activateAgreement,
  evaluateAgreement,
  listAgreements,
  type ProposedAgreement,
  proposeAgreement,
  revokeAgreement,
} from './agreements.ts';
import { assignCase, listCases, openCase, unassignCase } from './cases.ts';
import { addApiKey, listApiKeys } from './credentials.ts';
import { initAdministrator } from './init-administrator.ts';
import { openAccess } from './open-access.ts';
import { addOrganisation, listOrganisations } from './organisations.ts';
import { addPrincipal, findPrincipal } from './principals.ts';
import { listPurposes } from './purposes.ts';
import { day, FIRST, isCode, PURPOSE, SECOND, seedOrganisation, seedPurpose, TERMS } from './test-access-kit.ts';

const EVALUATION = { criteria: 'partner criteria 2026-03', findings: 'met', reviewOn: day(50) };

for (const engine of STORE_ENGINES) {
  describe(`rules of access on ${engine.name}`, engine.options, () => {
    let db: Db;
    let partner: string;
    let proposal: ProposedAgreement;
    const isRule = isCode('HW_ACCESS_RULE');
    before(async () => {
      db = await engine.open();
      await seedPurpose(db);
      partner = (await seedOrganisation(db, 'none')).organisationId;
      proposal = { ...TERMS, organisationId: partner, firstDay: day(0), lastDay: day(100) };
    });
    after(async () => await db.close());

    it('makes the first administrator once, who then is let in by the key', async () => {
      const first = { organisationId: 'unit-7', name: 'Unit 7', label: 'administrator', validDays: 30 };
      const made = await Promise.allSettled([initAdministrator(db, first), initAdministrator(db, first)]);
      assert.deepEqual(made.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
      const [granted] = made.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
      const access = await openAccess(db);
      try {
        const member = await access.memberOfKey(granted?.presented ?? '');
        assert.deepEqual(
          [member.kind, member.organisationId, member.roles, member.agreement],
          ['administrator', 'unit-7', ['administrator'], null],
        );
      } finally {
        await access.close();
      }
      assert.deepEqual(
        (await listOrganisations(db)).filter(({ home }) => home).map(({ name }) => name),
        ['Unit 7'],
      );
    });

    it('S5: activates no agreement without a recorded evaluation and review date', async () => {
      const id = await proposeAgreement(db, proposal, FIRST);
      await assert.rejects(activateAgreement(db, id, SECOND), isRule);
      // The database refuses it as well, whatever the code that asks.
      await assert.rejects(
        db.execute(`update agreement set activated_by = 'x', activated_at = now() where agreement_id = $1`, [id]),
        isCode('HW_DATABASE'),
      );
      await assert.rejects(evaluateAgreement(db, id, { ...EVALUATION, reviewOn: day(101) }, FIRST), isRule);
      await evaluateAgreement(db, id, EVALUATION, FIRST);
      await activateAgreement(db, id, SECOND);
      assert.equal((await listAgreements(db, partner)).find((one) => one.agreementId === id)?.state, 'active');
    });

    it('S5: activates no agreement by who proposed it, however his name is written', async () => {
      const id = await proposeAgreement(db, proposal, FIRST);
      await evaluateAgreement(db, id, EVALUATION, SECOND);
      for (const label of [FIRST.label, ` ${FIRST.label.toUpperCase()} `]) {
        await assert.rejects(activateAgreement(db, id, { label, principalId: null }), isRule);
        await assert.rejects(
          db.execute('update agreement set activated_by = $2, activated_at = now() where agreement_id = $1', [
            id,
            label,
          ]),
          isCode('HW_DATABASE'),
        );
      }
    });

    it('S5: activates no agreement by somebody of the partner', async () => {
      const id = await proposeAgreement(db, proposal, FIRST);
      await evaluateAgreement(db, id, EVALUATION, FIRST);
      const principalId = await addPrincipal(
        db,
        { organisationId: partner, kind: 'person', label: 'insider', roles: ['supervisor'] },
        FIRST,
      );
      await assert.rejects(activateAgreement(db, id, { label: 'other name', principalId }), isRule);
      await assert.rejects(activateAgreement(db, id, { label: 'Insider', principalId: null }), isRule);
    });

    it('S5: keeps the terms of an evaluated agreement, and a revocation, as they are', async () => {
      const id = await proposeAgreement(db, proposal, FIRST);
      await evaluateAgreement(db, id, EVALUATION, FIRST);
      for (const change of [
        `update agreement set highest_tlp = 'RED' where agreement_id = $1`,
        `update agreement set last_day = last_day + 1 where agreement_id = $1`,
        `delete from agreement_purpose where agreement_id = $1`,
      ]) {
        await assert.rejects(db.execute(change, [id]), isCode('HW_DATABASE'), change);
      }
      await revokeAgreement(db, id, 'no longer needed', FIRST);
      await assert.rejects(
        db.execute(
          'update agreement set revoked_at = null, revoked_by = null, revoked_reason = null where agreement_id = $1',
          [id],
        ),
        isCode('HW_DATABASE'),
      );
      await assert.rejects(activateAgreement(db, id, SECOND), isRule);
    });

    it('S5: lets nobody grant himself a principal or a key', async () => {
      const label = 'careful person';
      const self = { label, principalId: null };
      const asked = { organisationId: partner, kind: 'person', label, roles: ['lab'] } as const;
      await assert.rejects(addPrincipal(db, asked, self), isRule);
      const principalId = await addPrincipal(db, asked, FIRST);
      const grant = { principalId, roles: ['lab'], validDays: 1 } as const;
      await assert.rejects(addApiKey(db, grant, self), isRule);
      await assert.rejects(addApiKey(db, grant, { label: 'another label', principalId }), isRule);
      const { keyId } = await addApiKey(db, grant, FIRST);
      assert.ok((await listApiKeys(db)).some((one) => one.keyId === keyId && one.label === label));
      assert.equal(await findPrincipal(db, partner, label), principalId);
    });

    it('S5: refuses roles that do not go together, and a key that may do more than whose it is', async () => {
      const asked = { organisationId: partner, kind: 'key', label: 'mixed' } as const;
      for (const roles of [['auditor', 'specialist'], ['administrator', 'supervisor'], ['administrator']] as const) {
        await assert.rejects(addPrincipal(db, { ...asked, roles }, FIRST), isRule, roles.join());
      }
      const principalId = await addPrincipal(db, { ...asked, roles: ['lab'] }, FIRST);
      await assert.rejects(addApiKey(db, { principalId, roles: ['lab', 'supervisor'], validDays: 1 }, FIRST), isRule);
    });

    it('S5: agrees on no purpose that is not in the reviewed table', async () => {
      assert.deepEqual(
        (await listPurposes(db)).map(({ code }) => code),
        [PURPOSE],
      );
      await assert.rejects(
        proposeAgreement(db, { ...proposal, purposes: [PURPOSE, 'whatever'] }, FIRST),
        isCode('HW_PURPOSE_UNKNOWN'),
      );
    });

    it('S5: assigns a case of one organisation to its own people, and no case to who administers or audits', async () => {
      const other = (await seedOrganisation(db, 'none')).organisationId;
      const own = { organisationId: partner, caseRef: 'own', jointUntil: null };
      const caseId = await openCase(db, own, FIRST);
      await assert.rejects(openCase(db, own, FIRST), isCode('HW_ACCESS_EXISTS'));
      const joint = await openCase(db, { ...own, caseRef: 'joint', jointUntil: day(10) }, FIRST);
      const add = async (organisationId: string, role: 'lab' | 'auditor') =>
        await addPrincipal(db, { organisationId, kind: 'person', label: `assigned ${role}`, roles: [role] }, FIRST);
      const [insider, outsider, auditor] = [
        await add(partner, 'lab'),
        await add(other, 'lab'),
        await add(partner, 'auditor'),
      ];
      await assignCase(db, { caseId, principalId: insider }, FIRST);
      await assignCase(db, { caseId: joint, principalId: outsider }, FIRST);
      await assert.rejects(assignCase(db, { caseId, principalId: outsider }, FIRST), isRule);
      await assert.rejects(assignCase(db, { caseId, principalId: auditor }, FIRST), isRule);
      await assert.rejects(
        db.execute(`insert into case_member (case_id, principal_id, assigned_by) values ($1, $2, 'x')`, [
          caseId,
          outsider,
        ]),
        isCode('HW_DATABASE'),
      );
      assert.deepEqual((await listCases(db)).map(({ caseRef, members }) => [caseRef, members]).sort(), [
        ['joint', 1],
        ['own', 1],
      ]);
      assert.equal(await unassignCase(db, caseId, insider), true);
    });

    it('gives an organisation the batches and sets that name it, earlier and later ones', async () => {
      const name = 'Forensic laboratory north';
      const batch = async (identity: number, organisation: string) =>
        await db.execute(
          `insert into batch (batch_id, identity, case_ref, exhibit_ref, organisation, actor, mode, roots, pipeline_version, started_at)
           values (gen_random_uuid(), $1, 'c', '1', $2, 'a', 'exact', '[]', '1', now())`,
          [Buffer.alloc(32, identity), organisation],
        );
      await batch(1, name);
      await batch(2, `${name} `);
      await db.execute(`insert into series (source, name) values ($1, 'S1')`, [name]);
      const taken = await addOrganisation(
        db,
        { organisationId: 'lab-north', name, contactReference: null, home: false },
        FIRST,
      );
      assert.deepEqual(taken, { batches: 1, hashSets: 0, series: 1 });
      await batch(3, name);
      await batch(4, 'lab-north');
      const [owned] = await db.read(
        row({ batches: integer }),
        `select count(*) as batches from batch where organisation_id = 'lab-north'`,
      );
      assert.equal(owned?.batches, 3);
      for (const version of [1, 2]) {
        await db.execute(
          `insert into hash_set (source, name, version, content_sha256, format, category_scheme, state, imported_by)
           values ($1, 'set', $2, $3, 'ndjson', 'x', 'superseded', 'a')`,
          [name, version, Buffer.alloc(32, version)],
        );
        await db.execute(`update hash_set set tlp = 'RED' where version = 1 and name = 'set'`);
      }
      assert.deepEqual(
        await db.read(
          row({ owner: text, tlp: text }),
          `select owner_organisation_id as owner, tlp from hash_set where name = 'set' order by version`,
        ),
        [
          { owner: 'lab-north', tlp: 'RED' },
          { owner: 'lab-north', tlp: 'RED' },
        ],
      );
    });
  });
}
