import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { listAudit } from '../../engine/audit/list.ts';
import { addRecord, addSet } from '../../test/known-set-kit.ts';
import { STORE_ENGINES } from '../../test/store-engines.ts';
import { assertProblem, type Caller, HttpUnderTest } from './test-http-kit.ts';

const RECORDS = 25;

for (const engine of STORE_ENGINES) {
  describe(`exports of hash sets on ${engine.name}`, engine.options, () => {
    let http: HttpUnderTest;
    let setId: number;
    let supervisor: Caller;
    before(async () => {
      http = await HttpUnderTest.open(engine.open);
      setId = await addSet(http.db);
      for (let record = 0; record < RECORDS; record += 1)
        await addRecord(http.db, setId, [{ algorithm: 'pdq-full', bits: randomBytes(32), quality: 100 }], {
          md5: randomBytes(16).toString('hex'),
        });
      supervisor = await http.caller({ of: await http.home() }, ['supervisor']);
    });
    after(async () => await http[Symbol.asyncDispose]());

    const ask = async (caller: Caller, set = setId): Promise<string> => {
      const answer = await caller.call('POST', '/exports', { setId: set });
      assert.equal(answer.status, 201, answer.text);
      return String(answer.body['exportId']);
    };
    const approve = async (caller: Caller, id: string) => await caller.call('POST', `/exports/${id}/approval`);
    const fetched = async (caller: Caller, id: string) => {
      const records: unknown[] = [];
      for (let after: string | null = ''; after !== null; ) {
        const place = after === '' ? '' : `&after=${after}`;
        const answer = await caller.call('GET', `/exports/${id}/records?limit=10${place}`);
        assert.equal(answer.status, 200, answer.text);
        const { records: page, next } = answer.body;
        if (Array.isArray(page)) records.push(...page);
        after = typeof next === 'string' ? next : null;
      }
      return records;
    };

    it('S5: are given once a second person has let them go, each record once, and recorded', async () => {
      const lab = await http.caller({ fields: ['perceptualHash'] });
      const id = await ask(lab);
      assertProblem(await lab.call('GET', `/exports/${id}/records`), 409, 'HW_ACCESS_RULE');
      assert.equal((await approve(supervisor, id)).status, 200);
      const records = await fetched(lab, id);
      assert.equal(new Set(records.map((one) => JSON.stringify(one))).size, RECORDS);
      const entries = await Array.fromAsync(listAudit(http.db, lab.organisationId));
      assert.equal(entries.filter(({ action }) => action === 'export fetch').length, 1 + 3);
      assert.ok(entries.at(-1)?.objects.includes(`set ${setId}`));
    });

    it('S5: are not approved by who asked, nor by anybody of a partner', async () => {
      const id = await ask(supervisor);
      assertProblem(await approve(supervisor, id), 409, 'HW_ACCESS_RULE');
      const embedded = await http.caller({ tier: 'embedded' }, ['supervisor']);
      assertProblem(await approve(embedded, id), 403, 'HW_FORBIDDEN');
      const other = await http.caller({ of: await http.home() }, ['supervisor']);
      assert.equal((await approve(other, id)).status, 200);
      assert.equal((await fetched(supervisor, id)).length, RECORDS);
    });

    it('hold what the agreement names and no more', async () => {
      const lab = await http.caller();
      const id = await ask(lab);
      await approve(supervisor, id);
      const text = JSON.stringify(await fetched(lab, id));
      assert.ok(!text.includes('"hex"') && !text.includes('"categoryCode":"1"') && text.includes('"md5"'));
    });

    it('S5: are missing alike for others, and for sets that may not be told of', async () => {
      const [lab, other] = [await http.caller(), await http.caller()];
      const id = await ask(lab);
      await approve(supervisor, id);
      const foreign = await other.call('GET', `/exports/${id}/records`);
      const missing = await other.call('GET', '/exports/00000000-0000-4000-8000-000000000000/records');
      assertProblem(foreign, 404, 'HW_ACCESS_NOT_FOUND');
      assert.equal(
        foreign.text.replaceAll(id, ''),
        missing.text.replaceAll('00000000-0000-4000-8000-000000000000', ''),
      );
      assert.deepEqual((await other.call('GET', '/exports')).body, { exports: [] });
      const red = await addSet(http.db);
      await http.db.execute("update hash_set set tlp = 'RED' where set_id = $1", [red]);
      assertProblem(await lab.call('POST', '/exports', { setId: red }), 404, 'HW_ACCESS_NOT_FOUND');
      await http.db.execute("update hash_set set tlp = 'RED' where set_id = $1", [setId]);
      assertProblem(await lab.call('GET', `/exports/${id}/records`), 404, 'HW_ACCESS_NOT_FOUND');
      await http.db.execute("update hash_set set tlp = 'AMBER' where set_id = $1", [setId]);
    });

    it('are closed again after a day', async () => {
      const lab = await http.caller();
      const id = await ask(lab);
      await approve(supervisor, id);
      await http.db.execute(
        "update export_request set approved_at = now() - interval '25 hours' where export_id = $1",
        [id],
      );
      assertProblem(await lab.call('GET', `/exports/${id}/records`), 409, 'HW_ACCESS_RULE');
    });
  });
}
