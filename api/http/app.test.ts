import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { setDerivationConsent } from '../../engine/access/organisations.ts';
import { openProbeAlerts } from '../../engine/access/probe-watch.ts';
import { day, FIRST, PURPOSE } from '../../engine/access/test-access-kit.ts';
import { recordAuditAlarm } from '../../engine/audit/alarms.ts';
import { listAudit } from '../../engine/audit/list.ts';
import { addRecord, addSet } from '../../test/known-set-kit.ts';
import { STORE_ENGINES } from '../../test/store-engines.ts';
import { assertProblem, type Caller, CONTACT, HttpUnderTest, submission } from './test-http-kit.ts';

const KNOWN = randomBytes(16).toString('hex');
const PDQ = randomBytes(32);
const one = (md5: string) => ({ records: [{ reference: 'my file', md5 }] });

for (const engine of STORE_ENGINES) {
  describe(`the API on ${engine.name}`, engine.options, () => {
    let http: HttpUnderTest;
    before(async () => {
      http = await HttpUnderTest.open(engine.open);
      const setId = await addSet(http.db);
      await addRecord(http.db, setId, [{ algorithm: 'pdq-full', bits: PDQ, quality: 100 }], { md5: KNOWN });
    });
    after(async () => await http[Symbol.asyncDispose]());

    const lastEntry = async ({ organisationId }: Pick<Caller, 'organisationId'>) => {
      const entries = await Array.fromAsync(listAudit(http.db, organisationId));
      return entries.at(-1);
    };

    it('tells anybody that it lives, and nobody but who is known anything else', async () => {
      assert.equal((await http.call('GET', '/health')).status, 200);
      assert.equal((await http.call('GET', '/ready')).body['status'], 'ready');
      assertProblem(await http.call('POST', '/look-ups', one(KNOWN)), 401, 'HW_UNAUTHENTICATED');
      assertProblem(await http.call('GET', '/no-such-thing'), 404, 'HW_NOT_FOUND');
    });

    it('answers a look-up and has it in the audit by then, with who, why, for what case and how many', async () => {
      const lab = await http.caller();
      const answer = await lab.call('POST', '/look-ups', {
        records: [{ reference: 'a', md5: KNOWN }, { md5: 'ab'.repeat(16) }],
      });
      assert.equal(answer.status, 200, answer.text);
      const results = answer.body['results'];
      assert.ok(Array.isArray(results));
      assert.deepEqual(
        results.map(({ reference, answer: said, searched }) => ({ reference, said, searched })),
        [
          { reference: 'a', said: 'known', searched: ['md5'] },
          { reference: null, said: 'no', searched: ['md5'] },
        ],
      );
      const entry = await lastEntry(lab);
      assert.equal(entry?.operation, 'disclosure');
      assert.equal(entry?.outcome, 'done');
      assert.equal(entry?.justification, 'Prüfung eines Asservats');
      assert.equal(entry?.recipient, lab.organisationId);
      assert.match(entry?.objects[0] ?? '', /^look-up [0-9a-f-]{36}$/);
      assert.equal(entry?.objects[1], '2 records looked up');
      assert.ok(!JSON.stringify(entry).includes(KNOWN), 'an entry never holds a hash');
    });

    it('finds a variant by PDQ, and says the distance only where the agreement names it', async () => {
      const near = Buffer.from(PDQ);
      near[3] = (near[3] ?? 0) ^ 0b101;
      const asked = { records: [{ pdq: { hex: near.toString('hex'), quality: 100 } }] };
      const distances: unknown[] = [];
      for (const fields of [[], ['distance']] as const) {
        const lab = await http.caller({ fields: [...fields] });
        const answer = await lab.call('POST', '/look-ups', asked);
        assert.match(answer.text, /"answer":"variant"/);
        distances.push(/"distance":(\d+|null)/.exec(answer.text)?.[1]);
      }
      assert.deepEqual(distances, ['null', '2']);
    });

    it('S5: tells an associated partner yes or no and whom to ask, and nothing else', async () => {
      const partner = await http.caller({ tier: 'associated' }, ['partner']);
      const answer = await partner.call('POST', '/look-ups', one(KNOWN));
      assert.deepEqual(answer.body, {
        results: [
          {
            reference: 'my file',
            answer: 'known',
            searched: ['md5'],
            incomplete: false,
            matches: null,
            moreMatches: 0,
          },
        ],
        sets: null,
        contact: CONTACT,
      });
    });

    it('S5: tells a partner nothing of a set beyond its TLP, or of a third organisation without its consent', async () => {
      const md5 = randomBytes(16).toString('hex');
      const setId = await addSet(http.db);
      await addRecord(http.db, setId, [], { md5 });
      const { organisationId: owner } = await http.caller();
      const own = await http.caller({ of: await http.home() });
      const [lab, yesOrNo] = [await http.caller(), await http.caller({ tier: 'associated' }, ['partner'])];
      const told = async (caller: Caller) => {
        const { text, body } = await caller.call('POST', '/look-ups', one(md5));
        const sets = Array.isArray(body['sets']) ? body['sets'].filter((set) => set.setId === setId).length : null;
        return [/"answer":"(\w+)"/.exec(text)?.[1], sets];
      };
      const handle = async (tlp: string, ownedBy: string | null) =>
        await http.db.execute('update hash_set set tlp = $2, owner_organisation_id = $3 where set_id = $1', [
          setId,
          tlp,
          ownedBy,
        ]);
      const NOTHING = [
        ['no', 0],
        ['no', null],
      ];
      const all = async () => [await told(own), await told(lab), await told(yesOrNo)];
      await handle('RED', null);
      assert.deepEqual(await all(), [['known', 1], ...NOTHING]);
      await handle('AMBER', owner);
      assert.deepEqual(await all(), [['known', 1], ...NOTHING]);
      await setDerivationConsent(http.db, { owner, recipient: lab.organisationId, given: true }, FIRST);
      assert.deepEqual(await all(), [
        ['known', 1],
        ['known', 1],
        ['no', null],
      ]);
    });

    it('S5: records what an embedded member does in the chains of both organisations', async () => {
      const embedded = await http.caller({ tier: 'embedded' }, ['specialist']);
      assert.equal((await embedded.call('GET', '/cases')).status, 200);
      const [theirs, ours] = [await lastEntry(embedded), await lastEntry({ organisationId: await http.home() })];
      assert.deepEqual([theirs?.action, ours?.action], [ours?.action, theirs?.action]);
      assert.equal(ours?.actor, theirs?.actor);
    });

    it('refuses modalities that are not agreed, and nothing is looked up', async () => {
      const lab = await http.caller({ modalities: ['digest'] });
      const asked = { records: [{ pdq: { hex: PDQ.toString('hex') } }] };
      assertProblem(await lab.call('POST', '/look-ups', asked), 403, 'HW_FORBIDDEN');
      assert.equal((await lastEntry(lab))?.outcome, 'refused');
    });

    it('S6: raises an alert within 100 probes when hashes slide along, whichever key of the partner asks', async () => {
      const first = await http.caller({ tier: 'associated', dailyQuota: 1000, perMinute: 1000 }, ['partner']);
      const second = await http.caller({ of: first.organisationId }, ['partner']);
      const probe = randomBytes(32);
      let probes = 0;
      for (; probes < 100 && (await openProbeAlerts(http.db)).length === 0; probes += 1) {
        for (let bit = 0; bit < 8; bit += 1) {
          const at = (probes * 8 + bit) % 256;
          probe[at >> 3] = (probe[at >> 3] ?? 0) ^ (1 << (at & 7));
        }
        const asked = { records: [{ pdq: { hex: probe.toString('hex'), quality: 100 } }] };
        assert.equal((await (probes % 2 === 0 ? first : second).call('POST', '/look-ups', asked)).status, 200);
      }
      const [alert] = await openProbeAlerts(http.db);
      assert.equal(alert?.organisationId, first.organisationId);
      assert.ok(probes <= 100);
    });

    it('refuses what states no purpose, no case or no justification', async () => {
      const lab = await http.caller();
      for (const header of ['homeward-purpose', 'homeward-case', 'homeward-justification']) {
        const answer = await lab.call('POST', '/look-ups', one(KNOWN), { [header]: undefined });
        assertProblem(answer, 400, 'HW_REQUEST_INVALID');
        assert.match(String(answer.body['detail']), new RegExp(header));
      }
      const free = await lab.call('POST', '/look-ups', one(KNOWN), { 'homeward-purpose': 'because I want to' });
      assertProblem(free, 400, 'HW_REQUEST_INVALID');
      const unknown = await lab.call('POST', '/look-ups', one(KNOWN), { 'homeward-purpose': 'curiosity' });
      assertProblem(unknown, 403, 'HW_PURPOSE_UNKNOWN');
    });

    it('S5: answers for a foreign case exactly as for a missing one', async () => {
      const [lab, other] = [await http.caller(), await http.caller()];
      const foreign = await lab.call('POST', '/look-ups', one(KNOWN), { 'homeward-case': other.caseId });
      const missing = await lab.call('POST', '/look-ups', one(KNOWN), { 'homeward-case': randomUUID() });
      assertProblem(foreign, 404, 'HW_CASE_NOT_FOUND');
      assert.equal(foreign.text, missing.text);
    });

    it('counts look-ups against the quota, and says when to come back', async () => {
      const lab = await http.caller({ dailyQuota: 2, perMinute: 2 });
      assert.equal((await lab.call('POST', '/look-ups', { records: [{ md5: KNOWN }, { md5: KNOWN }] })).status, 200);
      const answer = await lab.call('POST', '/look-ups', one(KNOWN));
      assertProblem(answer, 429, 'HW_QUOTA_SPENT');
      assert.match(String(answer.headers['retry-after']), /^\d+$/);
    });

    it('decides nothing under an agreement while a clock that stepped back was not looked at', async () => {
      const [lab, own] = [await http.caller(), await http.caller({ of: await http.home() }, ['specialist'])];
      await recordAuditAlarm(http.db, {
        kind: 'clockSteppedBack',
        organisation: lab.organisationId,
        sequence: 1,
        detail: '9 s',
      });
      try {
        assertProblem(await lab.call('POST', '/look-ups', one(KNOWN)), 503, 'HW_CLOCK_STEPPED');
        assert.equal((await own.call('POST', '/look-ups', one(KNOWN))).status, 200);
      } finally {
        await http.db.execute('delete from audit_alarm');
      }
      assert.equal((await lab.call('POST', '/look-ups', one(KNOWN))).status, 200);
    });

    it('S3: with the audit unwritable 100 of 100 look-ups are refused and told nothing', async () => {
      const lab = await http.caller();
      await http.db.execute(
        "create function refuse_entry() returns trigger language plpgsql as $$ begin raise exception 'closed'; end $$",
      );
      await http.db.execute(
        'create trigger refuse_entry before insert on audit_entry for each row execute function refuse_entry()',
      );
      try {
        const answers = await Promise.all(Array.from({ length: 50 }, () => lab.call('POST', '/look-ups', one(KNOWN))));
        answers.push(
          ...(await Promise.all(Array.from({ length: 50 }, () => lab.call('POST', '/submissions', submission())))),
        );
        assert.deepEqual(new Set(answers.map((answer) => answer.status)), new Set([503]));
        assert.ok(answers.every((answer) => !answer.text.includes('results') && !answer.text.includes('submissionId')));
        assert.equal((await http.db.query('select from submission where case_id = $1', [lab.caseId])).length, 0);
      } finally {
        await http.db.execute('drop trigger refuse_entry on audit_entry');
      }
    });

    it('S5: brings a partner in by two administrators, and lets nobody of it in any more within a second', async () => {
      const home = { of: await http.home() };
      const [one, other] = [await http.caller(home, ['administrator']), await http.caller(home, ['administrator'])];
      const organisationId = `partner-${randomUUID()}`;
      const ask = async (by: Caller, url: string, body?: object, headers = {}) => {
        const answer = await by.call('POST', url, body, { 'homeward-case': undefined, ...headers });
        assert.ok(answer.status < 300, answer.text);
        return answer.body;
      };
      await ask(one, '/organisations', { organisationId, name: organisationId, contactReference: null });
      const terms = {
        organisationId,
        tier: 'associated',
        purposes: [PURPOSE],
        modalities: ['digest'],
        highestTlp: 'GREEN',
        fields: [],
        purges: ['sets'],
        dailyQuota: 10,
        perMinute: 10,
        firstDay: day(-1),
        lastDay: day(30),
      };
      const agreement = `/agreements/${String((await ask(one, '/agreements', terms))['agreementId'])}`;
      await ask(one, `${agreement}/evaluation`, { criteria: 'criteria 2026-03', findings: 'met', reviewOn: day(20) });
      const alone = await one.call('POST', `${agreement}/activation`, undefined, { 'homeward-case': undefined });
      assertProblem(alone, 409, 'HW_ACCESS_RULE');
      await ask(other, `${agreement}/activation`);
      const wanted = { organisationId, label: 'desk 1', roles: ['partner'], validDays: 30 };
      const again = { 'idempotency-key': randomUUID(), 'homeward-case': undefined };
      const made = await ask(one, '/keys', wanted, again);
      const repeated = await one.call('POST', '/keys', wanted, again);
      assertProblem(repeated, 409, 'HW_IDEMPOTENCY_KEY');
      assert.ok(!repeated.text.includes(String(made['key'])));
      const asked = {
        authorization: `Bearer ${String(made['key'])}`,
        'homeward-purpose': PURPOSE,
        'homeward-justification': encodeURIComponent('a list of its own cases'),
      };
      assert.equal((await http.call('GET', '/cases', undefined, asked)).status, 200);
      await ask(one, `${agreement}/revocation`, { reason: 'ended by its parties' });
      const revokedMs = performance.now();
      for (;;) {
        const answer = await http.call('GET', '/cases', undefined, asked);
        if (answer.status !== 200) {
          assertProblem(answer, 403, 'HW_AGREEMENT_ENDED');
          break;
        }
        assert.ok(performance.now() - revokedMs < 1000);
      }
      const stored = await http.db.query<{ answer: string | null }>('select answer from idempotent_answer');
      assert.ok(stored.every(({ answer }) => answer === null || !answer.includes('hw_')));
    });

    it('does once what is asked twice, and answers alike', async () => {
      const administrator = await http.caller({ of: await http.home() }, ['administrator']);
      const body = { organisationId: `twice-${randomUUID()}`, name: 'asked twice', contactReference: null };
      const headers = { 'idempotency-key': randomUUID(), 'homeward-case': undefined };
      const [first, second] = [
        await administrator.call('POST', '/organisations', body, headers),
        await administrator.call('POST', '/organisations', body, headers),
      ];
      assert.deepEqual([first.status, second.status, second.text], [201, 201, first.text]);
      const other = await administrator.call('POST', '/organisations', { ...body, name: 'another' }, headers);
      assertProblem(other, 409, 'HW_IDEMPOTENCY_KEY');
    });

    it('shows an auditor the chain of the own organisation, and enters that it was read', async () => {
      const lab = await http.caller();
      await lab.call('POST', '/look-ups', one(KNOWN));
      const auditor = await http.caller({ of: lab.organisationId }, ['auditor']);
      const page = await auditor.call('GET', '/audit?limit=1', undefined, { 'homeward-case': undefined });
      assert.equal(page.status, 200, page.text);
      const { entries, next } = page.body;
      assert.ok(Array.isArray(entries) && entries.length === 1 && next === null, page.text);
      assert.equal(entries[0].action, 'look-up');
      assert.equal((await lastEntry(lab))?.action, 'audit list');
    });

    it('S10: says nothing of tables, files or places in the code when something breaks inside', async () => {
      const lab = await http.caller();
      await http.db.execute('alter table submission rename to submission_away');
      let answer: Awaited<ReturnType<Caller['call']>>;
      try {
        answer = await lab.call('GET', '/submissions');
      } finally {
        await http.db.execute('alter table submission_away rename to submission');
      }
      assert.equal(answer.status, 500);
      assert.doesNotMatch(answer.text, /submission_|select|engine\/|\.ts|42P01|pg|at /);
      const { reference } = answer.body;
      assert.ok(http.log.some((line) => line.reference === reference && line.message.length > 0));
    });

    it('S1: forbids pictures from anywhere on every answer', async () => {
      for (const url of ['/health', '/docs', '/openapi.json', '/nothing']) {
        const policy = String((await http.call('GET', url)).headers['content-security-policy']);
        assert.match(policy, /default-src 'none'/);
        assert.match(policy, /img-src 'none'/);
      }
    });
  });
}
