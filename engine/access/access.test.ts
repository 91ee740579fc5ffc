import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import type { Member } from '../../schemas/access.ts';
import { STORE_ENGINES } from '../../test/store-engines.ts';
import type { Db } from '../store/db.ts';
import { admissionFacts } from './admission-facts.ts';
import { admit } from './admit.ts';
import { revokeAgreement } from './agreements.ts';
import { assignCase, openCase } from './cases.ts';
import { LookUpCounts, lookUpBaseline, QuotaSpentError } from './count-look-ups.ts';
import { addCertificate, addSubject, revokeApiKey } from './credentials.ts';
import { type Access, openAccess } from './open-access.ts';
import { endPrincipal } from './principals.ts';
import {
  FIRST,
  isCode,
  PURPOSE,
  refusedAfterMs,
  seedAgreement,
  seedKey,
  seedOrganisation,
  seedPurpose,
} from './test-access-kit.ts';

/** Goal S5. */
const MOST_MS = 1000;
const DAY_MS = 24 * 60 * 60_000;

for (const engine of STORE_ENGINES) {
  describe(`access on ${engine.name}`, engine.options, () => {
    let db: Db;
    let access: Access;
    let skewMs = 0;
    before(async () => {
      db = await engine.open();
      await seedPurpose(db);
      access = await openAccess(db, { now: () => Date.now() + skewMs });
    });
    after(async () => {
      await access.close();
      await db.close();
    });

    it('S5: knows whose a key is, with the terms of the agreement in force', async () => {
      const { organisationId, agreementId } = await seedOrganisation(db, { tier: 'embedded', highestTlp: 'GREEN' });
      const { presented, principalId } = await seedKey(db, organisationId, ['lab', 'partner']);
      const member = await access.memberOfKey(presented);
      assert.deepEqual(
        { ...member, label: '', agreement: member.agreement && { ...member.agreement } },
        {
          principalId,
          kind: 'key',
          label: '',
          organisationId,
          roles: ['lab', 'partner'],
          agreement: {
            agreementId,
            tier: 'embedded',
            purposes: [PURPOSE],
            modalities: ['digest', 'perceptual'],
            highestTlp: 'GREEN',
            fields: [],
            dailyQuota: 1000,
            perMinute: 100,
          },
          standingReason: null,
        },
      );
    });

    it('S5: answers a wrong secret, an unknown key and what is no key alike', async () => {
      const { organisationId } = await seedOrganisation(db);
      const { keyId, presented } = await seedKey(db, organisationId);
      await access.memberOfKey(presented);
      const wrong = [
        `hw_${keyId}_${randomBytes(32).toString('hex')}`,
        presented.replace(keyId, '0'.repeat(16)),
        'no key',
        '',
      ];
      const messages = new Set<string>();
      for (const one of wrong) {
        await assert.rejects(access.memberOfKey(one), (error: Error) => {
          messages.add(error.message);
          return isCode('HW_UNAUTHENTICATED')(error);
        });
      }
      assert.equal(messages.size, 1);
    });

    it('S5: refuses a key within a second of its revocation', async () => {
      const { organisationId } = await seedOrganisation(db);
      const { keyId, presented } = await seedKey(db, organisationId);
      await access.memberOfKey(presented);
      await revokeApiKey(db, keyId, FIRST);
      assert.ok((await refusedAfterMs(() => access.memberOfKey(presented), 'HW_UNAUTHENTICATED', 3000)) <= MOST_MS);
    });

    it('S5: refuses a member within a second of the end of the agreement', async () => {
      const { organisationId, agreementId } = await seedOrganisation(db);
      const { presented } = await seedKey(db, organisationId);
      await access.memberOfKey(presented);
      await revokeAgreement(db, agreementId ?? '', 'no longer needed', FIRST);
      assert.ok((await refusedAfterMs(() => access.memberOfKey(presented), 'HW_AGREEMENT_ENDED', 3000)) <= MOST_MS);
    });

    it('S5: refuses a principal within a second of its end', async () => {
      const { organisationId } = await seedOrganisation(db);
      const { presented, principalId } = await seedKey(db, organisationId);
      await access.memberOfKey(presented);
      await endPrincipal(db, principalId);
      assert.ok((await refusedAfterMs(() => access.memberOfKey(presented), 'HW_UNAUTHENTICATED', 3000)) <= MOST_MS);
    });

    it('S5: refuses at the very moment in which a key expires or the last day is over, and before the first day', async () => {
      const { organisationId } = await seedOrganisation(db, 'none');
      const brief = await seedKey(db, organisationId, ['lab'], 1);
      const long = await seedKey(db, organisationId, ['lab'], 300);
      await seedAgreement(db, organisationId);
      await access.memberOfKey(brief.presented);
      await access.memberOfKey(long.presented);
      try {
        skewMs = Date.parse(brief.expiresAt) - Date.now() + 5;
        await assert.rejects(access.memberOfKey(brief.presented), isCode('HW_UNAUTHENTICATED'));
        await access.memberOfKey(long.presented);
        skewMs = 101 * DAY_MS;
        await assert.rejects(access.memberOfKey(long.presented), isCode('HW_AGREEMENT_ENDED'));
        const earlier = await openAccess(db, { now: () => Date.now() - 2 * DAY_MS });
        await assert.rejects(earlier.memberOfKey(long.presented), isCode('HW_AGREEMENT_ENDED'));
        await earlier.close();
      } finally {
        skewMs = 0;
      }
    });

    it('S5: lets in by certificate and by login, and nobody by an unknown one', async () => {
      const { organisationId } = await seedOrganisation(db);
      const { principalId } = await seedKey(db, organisationId);
      const sha256 = createHash('sha256').update(organisationId).digest();
      await addCertificate(db, { principalId, sha256, expiresAt: new Date(Date.now() + DAY_MS).toISOString() }, FIRST);
      const login = { principalId, issuer: 'https://login.example', subject: organisationId };
      await addSubject(db, login, FIRST);
      const members = [
        await access.memberOfCertificate(sha256.toString('hex').toUpperCase()),
        await access.memberOfSubject(login.issuer, login.subject),
      ];
      assert.deepEqual(
        members.map((one) => one.principalId),
        [principalId, principalId],
      );
      await assert.rejects(access.memberOfCertificate('ab'.repeat(32)), isCode('HW_UNAUTHENTICATED'));
      await assert.rejects(
        access.memberOfSubject('https://other.example', login.subject),
        isCode('HW_UNAUTHENTICATED'),
      );
      await assert.rejects(access.memberOfSubject(login.issuer, 'a\0b'), isCode('HW_UNAUTHENTICATED'));
    });

    it('S5: remembers a key it has proved', async () => {
      const { organisationId } = await seedOrganisation(db);
      const { presented } = await seedKey(db, organisationId);
      await access.memberOfKey(presented);
      const startedMs = performance.now();
      for (let asked = 0; asked < 1000; asked += 1) await access.memberOfKey(presented);
      // One trial of the secret takes some 80 ms: a thousand of them would take over a minute.
      assert.ok(performance.now() - startedMs < 2000);
    });

    describe('what a member may do', () => {
      let member: Member;
      let caseId: string;
      let facts: ReturnType<typeof admissionFacts>;
      const act = { operation: 'consultation', purpose: PURPOSE, caseId: null, justification: 'who is it' } as const;
      before(async () => {
        const { organisationId } = await seedOrganisation(db, { dailyQuota: 10, perMinute: 6 });
        member = await access.memberOfKey((await seedKey(db, organisationId)).presented);
        facts = admissionFacts(db);
        caseId = await openCase(db, { organisationId, caseRef: '2026-1', jointUntil: null }, FIRST);
        await assignCase(db, { caseId, principalId: member.principalId }, FIRST);
      });

      it('S5: is admitted for an agreed purpose and an assigned case', async () => {
        assert.deepEqual(await admit(facts, member, { ...act, caseId, lookUp: true }), {
          ...act,
          caseId,
          caseRef: '2026-1',
          chains: [member.organisationId],
        });
      });

      for (const purpose of ['find the child', 'not-in-the-table', '', 'constructor']) {
        it(`S5: is refused for the purpose ${JSON.stringify(purpose)}`, async () => {
          await assert.rejects(admit(facts, member, { ...act, purpose }), isCode('HW_PURPOSE_UNKNOWN'));
        });
      }

      it('S5: is refused for a purpose that the agreement does not name', async () => {
        const agreement = member.agreement && { ...member.agreement, purposes: [] };
        await assert.rejects(admit(facts, { ...member, agreement }, act), isCode('HW_PURPOSE_UNKNOWN'));
      });

      for (const operation of ['consultation', 'disclosure'] as const) {
        it(`S5: is refused a ${operation} without a justification`, async () => {
          await assert.rejects(
            admit(facts, member, { ...act, operation, justification: '  ' }),
            isCode('HW_JUSTIFICATION_MISSING'),
          );
        });
      }

      it('S5: is answered alike about a missing case, one of others, a closed one and none', async () => {
        const foreign = await openCase(
          db,
          { organisationId: member.organisationId, caseRef: '2026-2', jointUntil: null },
          FIRST,
        );
        const closed = await openCase(
          db,
          { organisationId: member.organisationId, caseRef: '2026-3', jointUntil: null },
          FIRST,
        );
        await assignCase(db, { caseId: closed, principalId: member.principalId }, FIRST);
        await db.execute(
          `update case_file set state = 'closed', closed_at = now(), closed_by = 'x' where case_id = $1`,
          [closed],
        );
        const messages = new Set<string>();
        for (const asked of [foreign, closed, '00000000-0000-4000-8000-000000000000', 'nonsense', null]) {
          await assert.rejects(admit(facts, member, { ...act, caseId: asked, lookUp: true }), (error: Error) => {
            messages.add(error.message);
            return isCode('HW_CASE_NOT_FOUND')(error);
          });
        }
        assert.equal(messages.size, 1);
      });

      it('S6: looks up no more a minute and a day than agreed, over all nodes', async () => {
        const counts = new LookUpCounts(db);
        const noon = new Date('2030-05-05T12:00:10Z');
        const later = new Date('2030-05-05T12:01:00Z');
        await counts.count(member, 4, noon);
        const refusal = (seconds: number) => (error: unknown) =>
          error instanceof QuotaSpentError && error.code === 'HW_QUOTA_SPENT' && error.retryAfterSeconds === seconds;
        await assert.rejects(counts.count(member, 3, noon), refusal(50));
        await counts.count(member, 2, noon);
        // What the minute refused was not counted against the day either: 4 are left of 10.
        await assert.rejects(counts.count(member, 5, later), refusal(11 * 3600 + 59 * 60));
        await counts.count(member, 4, later);
        await assert.rejects(counts.count(member, 1, later), refusal(11 * 3600 + 59 * 60));
        assert.deepEqual(await lookUpBaseline(db, member.principalId, noon), { today: 10, usual: 0 });
        assert.deepEqual(await lookUpBaseline(db, member.principalId, new Date('2030-05-06T12:00:00Z')), {
          today: 0,
          usual: 10,
        });
      });

      it('S6: counts what comes at once to the last one that was agreed, and refuses the rest', async () => {
        const { organisationId } = await seedOrganisation(db, { dailyQuota: 10, perMinute: 8 });
        const callers = await Promise.all(
          [1, 2].map(async () => await access.memberOfKey((await seedKey(db, organisationId)).presented)),
        );
        const counts = new LookUpCounts(db);
        const noon = new Date('2030-05-05T12:00:10Z');
        const asked = callers.flatMap((one) => Array.from({ length: 7 }, async () => await counts.count(one, 1, noon)));
        const counted = (await Promise.allSettled(asked)).filter(({ status }) => status === 'fulfilled');
        assert.equal(counted.length, 10);
      });
    });
  });
}
