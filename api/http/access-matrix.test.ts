import assert from 'node:assert/strict';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { listAudit } from '../../engine/audit/list.ts';
import { integer, row } from '../../engine/store/row-shape.ts';
import { ROLES, type Role, TIERS } from '../../schemas/access.ts';
import { plantCase } from '../../test/case-kit.ts';
import { STORE_ENGINES } from '../../test/store-engines.ts';
import { type Answer, type Caller, HttpUnderTest, submission } from './test-http-kit.ts';

/** The organisation that runs the engine, and partners of each tier. */
const TENANTS = ['home', ...TIERS] as const;
const WORKS_ON_CASES = ['specialist', 'lab', 'partner', 'supervisor'] as const;

for (const engine of STORE_ENGINES) {
  describe(`every role, route and kind of organisation, on ${engine.name}`, engine.options, () => {
    let http: HttpUnderTest;
    before(async () => {
      http = await HttpUnderTest.open(engine.open);
    });
    after(async () => await http[Symbol.asyncDispose]());

    const callerOf = async (tenant: (typeof TENANTS)[number], roles: readonly Role[]): Promise<Caller> =>
      await http.caller(
        tenant === 'home' ? { of: await http.home() } : { tier: tenant, dailyQuota: 10_000, perMinute: 10_000 },
        roles,
      );

    for (const tenant of TENANTS)
      for (const role of ROLES) {
        if (tenant !== 'home' && role === 'administrator') {
          it(`S5: there is no administrator of a partner (${tenant})`, async () => {
            await assert.rejects(callerOf(tenant, [role]), /HW_ACCESS_RULE|an administrator of the organisation/);
          });
          continue;
        }
        it(`S5: ${role} of ${tenant === 'home' ? 'the unit' : `an ${tenant} partner`} calls the routes of that role and no other, and what is refused is recorded`, async () => {
          const caller = await callerOf(tenant, [role]);
          let refusals = 0;
          for (const { method, url, policy } of http.app.policies) {
            const at = url.replace(/:\w+/g, (name) => (name === ':leadId' ? '1' : randomUUID()));
            const answer = await caller.call(method, at, method === 'GET' ? undefined : {});
            const refused = answer.body['code'] === 'HW_FORBIDDEN';
            refusals += refused ? 1 : 0;
            const expected = policy.roles.includes(role) && (policy.home !== true || tenant === 'home');
            assert.equal(!refused, expected, `${method} ${url}: ${answer.text}`);
          }
          assert.ok(refusals > 0 && refusals < http.app.policies.length, `${refusals} refusals`);
          const entries = await Array.fromAsync(listAudit(http.db, caller.organisationId));
          // Callers of the unit share one chain.
          assert.ok(entries.filter(({ outcome }) => outcome === 'refused').length >= refusals);
        });
      }

    it('S5: what is of another organisation answers exactly as what is not there, on every route that names a thing', async () => {
      const owner = await callerOf('accredited', WORKS_ON_CASES);
      const ids = await thingsOf(http, owner);
      const strangers = await Promise.all(TIERS.map(async (tier) => await callerOf(tier, WORKS_ON_CASES)));
      let compared = 0;
      for (const { method, url } of http.app.policies) {
        const named = [...url.matchAll(/:\w+/g)].map(([name]) => name);
        if (named.length === 0 || !named.every((name) => ids.has(name))) continue;
        for (const stranger of strangers) {
          const ask = async (there: boolean): Promise<string> => {
            const at = url.replace(/:\w+/g, (name) => ids.get(name)?.[there ? 'foreign' : 'missing'] ?? '');
            return comparable(await asked(stranger, method, at));
          };
          const [foreign, missing] = [await ask(true), await ask(false)];
          assert.equal(foreign, missing, `${method} ${url}`);
          compared += 1;
        }
      }
      assert.ok(compared >= 3 * 8, `${compared} compared`);
    });
  });
}

interface Named {
  readonly foreign: string;
  readonly missing: string;
}

/** One thing of each kind that a route may name, by the name of its parameter. */
async function thingsOf(http: HttpUnderTest, owner: Caller): Promise<ReadonlyMap<string, Named>> {
  const [{ caseRef } = { caseRef: '' }] = await http.db.query<{ caseRef: string }>(
    'select case_ref as "caseRef" from case_file where case_id = $1',
    [owner.caseId],
  );
  const planted = await plantCase(http.db, { caseRef, organisation: owner.organisationId });
  const [lead] = await http.db.read(row({ leadId: integer }), 'select lead_id from lead where media_id = $1', [
    planted.mediaId,
  ]);
  const made = async (url: string, body: object, name: string): Promise<Named> => {
    const answer = await owner.call('POST', url, body);
    assert.ok(answer.status < 300, answer.text);
    return { foreign: String(answer.body[name]), missing: randomUUID() };
  };
  const content = randomBytes(10);
  const upload = { name: 'x', sizeBytes: content.length, sha256: createHash('sha256').update(content).digest('hex') };
  return new Map([
    [':submissionId', await made('/submissions', submission(), 'submissionId')],
    [':uploadId', await made('/uploads', upload, 'uploadId')],
    [':leadId', { foreign: String(lead?.leadId), missing: '999999999' }],
    [':caseIdentifier', { foreign: owner.caseId, missing: randomUUID() }],
  ]);
}

async function asked(caller: Caller, method: 'GET' | 'POST' | 'PATCH' | 'PUT', at: string): Promise<Answer> {
  if (method === 'PATCH')
    return await caller.raw(method, at, Buffer.alloc(4), {
      'content-type': 'application/octet-stream',
      'upload-offset': '0',
    });
  const body = at.endsWith('/dispositions') ? { verdict: 'unsure', note: 'a note' } : {};
  return await caller.call(method, at, method === 'GET' ? undefined : body);
}

/** Without what differs between any two answers. */
const comparable = ({ status, text, headers }: Answer): string =>
  JSON.stringify([status, text.replaceAll(/"reference":"[0-9a-f]*"/g, ''), headers['content-type'], headers['etag']]);
