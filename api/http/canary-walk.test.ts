import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { listAudit } from '../../engine/audit/list.ts';
import { integer, row } from '../../engine/store/row-shape.ts';
import { ROLES } from '../../schemas/access.ts';
import { type PlantedCase, plantCase } from '../../test/case-kit.ts';
import { addRecord, addSet } from '../../test/known-set-kit.ts';
import { STORE_ENGINES } from '../../test/store-engines.ts';
import { type Caller, HttpUnderTest, submission } from './test-http-kit.ts';

/** As bytes come to stand in text: hexadecimal, base64 of both alphabets at each of its three offsets, PostgreSQL's and JSON's bytes. */
function spellings(bytes: Buffer): string[] {
  const base64 = [0, 1, 2].flatMap((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64');
    // Without what neighbouring bytes decide.
    const inner = text.slice(offset === 0 ? 0 : 4, Math.floor(((offset + bytes.length) * 8) / 24) * 4);
    return [inner, inner.replaceAll('+', '-').replaceAll('/', '_')];
  });
  return [
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
    ...base64,
    [...bytes].join(','),
    bytes.toString('latin1'),
  ];
}

for (const engine of STORE_ENGINES) {
  describe(`canaries planted in the database, on ${engine.name}`, engine.options, () => {
    let http: HttpUnderTest;
    let planted: PlantedCase;
    let callers: readonly { readonly name: string; readonly caller: Caller }[];
    let ids: Readonly<Record<string, string>>;
    let forbidden: readonly string[];
    let known: { readonly md5: string; readonly pdq: Buffer; readonly setId: number };

    before(async () => {
      http = await HttpUnderTest.open(engine.open);
      const home = await http.home();
      const specialist = await http.caller({ of: home }, ['specialist']);
      const [{ caseRef } = { caseRef: '' }] = await http.db.query<{ caseRef: string }>(
        'select case_ref as "caseRef" from case_file where case_id = $1',
        [specialist.caseId],
      );
      planted = await plantCase(http.db, { caseRef, organisation: home });
      known = { md5: randomBytes(16).toString('hex'), pdq: randomBytes(32), setId: await addSet(http.db) };
      await addRecord(http.db, known.setId, [{ algorithm: 'pdq-full', bits: known.pdq, quality: 100 }], {
        md5: known.md5,
      });
      const handedIn = await specialist.call('POST', '/submissions', submission());
      const submissionId = String(handedIn.body['submissionId']);
      await http.db.execute(
        "update submission set batch_id = $2, state = 'complete', finished_at = now() where submission_id = $1",
        [submissionId, planted.batchId],
      );
      const [lead] = await http.db.read(row({ leadId: integer }), 'select lead_id from lead where media_id = $1', [
        planted.mediaId,
      ]);
      ids = { ':submissionId': submissionId, ':leadId': String(lead?.leadId), ':keyId': '0'.repeat(16) };
      const vector = new Float32Array(planted.marks.vector.buffer.slice(0));
      forbidden = [
        ...spellings(planted.marks.bytes),
        ...spellings(planted.marks.vector),
        [...vector].join(','),
        [...vector].slice(0, 4).map(String).join(', '),
      ];
      const others = await Promise.all(
        ROLES.map(async (role) => ({ name: `home ${role}`, caller: await http.caller({ of: home }, [role]) })),
      );
      const partners = await Promise.all(
        (['embedded', 'accredited', 'associated'] as const).map(async (tier) => ({
          name: tier,
          caller: await http.caller({ tier, fields: ['distance', 'category', 'seriesName'] }, [
            'specialist',
            'lab',
            'partner',
          ]),
        })),
      );
      callers = [{ name: 'who handed it in', caller: specialist }, ...others, ...partners];
    });
    after(async () => await http[Symbol.asyncDispose]());

    // Of a case that is not assigned to him nobody may speak, and to these two none is.
    const withoutCase = (name: string) => (/auditor|administrator/.test(name) ? { 'homeward-case': undefined } : {});
    const leaks = (text: string): string[] => forbidden.filter((one) => one.length >= 8 && text.includes(one));
    const bodies: Readonly<Record<string, () => object>> = {
      '/look-ups': () => ({ records: [{ md5: known.md5 }, { pdq: { hex: known.pdq.toString('hex'), quality: 100 } }] }),
      '/submissions': () => submission(),
      '/exports': () => ({ setId: known.setId }),
      '/leads/:leadId/dispositions': () => ({ verdict: 'unsure', note: 'a note' }),
    };

    it('S1, S2: come out of no route, whoever asks, and are in no log line, figure, error or entry of the audit', async () => {
      const reached = new Set<string>();
      for (const { name, caller } of callers) {
        for (const { method, url } of http.app.policies) {
          const at = url.replace(/:\w+/g, (parameter) => ids[parameter] ?? randomUUID());
          for (const body of method === 'GET'
            ? [undefined]
            : [{}, bodies[url]?.()].filter((one) => one !== undefined)) {
            const answer = await caller.call(method, at, body, withoutCase(name));
            if (answer.status < 300) reached.add(`${method} ${url}`);
            assert.deepEqual(leaks(answer.text), [], `${name}: ${method} ${at}`);
            assert.deepEqual(leaks(JSON.stringify(answer.headers)), [], `${name}: ${method} ${at}`);
            // The one place where hashes of known material leave is an export that two people let go.
            assert.ok(!answer.text.includes(known.pdq.toString('hex')), `${name}: ${method} ${at}`);
            assert.ok(!answer.text.includes(known.md5), `${name}: ${method} ${at}`);
          }
        }
      }
      assert.deepEqual(leaks(JSON.stringify(http.log)), []);
      for (const open of ['/metrics', '/health', '/ready', '/openapi.json', '/docs', '/no-such-thing'])
        assert.deepEqual(leaks((await http.call('GET', open)).text), [], open);
      for (const { organisationId } of new Set(callers.map(({ caller }) => caller))) {
        const entries = await Array.fromAsync(listAudit(http.db, organisationId));
        assert.deepEqual(leaks(JSON.stringify(entries)), []);
      }
      // A walk that was refused everywhere would have shown nothing.
      for (const route of [
        'GET /leads',
        'GET /submissions/:submissionId/matches',
        'POST /look-ups',
        'GET /series',
        'GET /audit',
      ])
        assert.ok(reached.has(route), `${route} was answered to nobody`);
    });

    it('S1: would be seen by the walk in each spelling', () => {
      for (const bytes of [planted.marks.bytes, planted.marks.vector]) {
        const within = Buffer.concat([randomBytes(7), bytes, randomBytes(5)]);
        for (const text of [
          within.toString('hex'),
          within.toString('base64'),
          within.toString('base64url'),
          JSON.stringify(within),
        ])
          assert.notDeepEqual(leaks(text), [], text);
      }
    });
  });
}
