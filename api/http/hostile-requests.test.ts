import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { openTestDb } from '../../test/pglite-template.ts';
import { type Caller, HttpUnderTest } from './test-http-kit.ts';

/** Names that mean something to JavaScript, SQL, paths or terminals. */
const TROUBLE = [
  '__proto__',
  'constructor',
  '\0',
  '../../etc/passwd',
  "' or 1=1 --",
  '%00',
  '\u001b[31m',
  '\ud800',
  'x'.repeat(5000),
  '$(id)',
  '{{7*7}}',
];

const text = fc.oneof(fc.string(), fc.constantFrom(...TROUBLE));
const hex = (bytes: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${bytes * 2}}$`));
const leaf = fc.oneof(text, fc.integer(), fc.double(), fc.boolean(), fc.constant(null), hex(16), hex(32), fc.uuid());
const { body } = fc.letrec((tie) => ({
  body: fc.oneof(
    { maxDepth: 3 },
    leaf,
    fc.array(tie('body'), { maxLength: 3 }),
    fc.dictionary(
      fc.oneof(
        text,
        fc.constantFrom(
          'records',
          'md5',
          'sha256',
          'pdq',
          'hex',
          'kind',
          'urgent',
          'source',
          'root',
          'path',
          'exhibit',
          'verdict',
        ),
      ),
      tie('body'),
      { maxKeys: 6 },
    ),
  ),
}));

describe('requests of anybody', () => {
  let http: HttpUnderTest;
  let callers: Caller[];
  before(async () => {
    http = await HttpUnderTest.open(openTestDb);
    callers = [
      await http.caller({ tier: 'embedded', dailyQuota: 1_000_000, perMinute: 1_000_000 }, ['specialist']),
      await http.caller({ of: await http.home() }, ['administrator']),
    ];
  });
  after(async () => await http[Symbol.asyncDispose]());

  it('end in an answer that no defect of ours made, whatever they hold', async () => {
    const routes = http.app.policies;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...routes),
        fc.constantFrom(...callers),
        body,
        text,
        fc.dictionary(
          fc.constantFrom('homeward-purpose', 'homeward-justification', 'idempotency-key', 'if-none-match'),
          text,
          {
            maxKeys: 2,
          },
        ),
        async ({ method, url }, caller, sent, place, given) => {
          const at = url.replace(/:\w+/g, encodeURIComponent(place.toWellFormed()) || 'x');
          const query = method === 'GET' ? `?after=${encodeURIComponent(place.toWellFormed())}` : '';
          // What cannot stand in a header never reaches the server.
          const headers = Object.fromEntries(Object.entries(given).filter(([, value]) => /^[\x20-\x7e]*$/.test(value)));
          const payload = method === 'POST' ? JSON.stringify(sent) : undefined;
          const answer = await caller.raw(method, `${at}${query}`, payload, headers);
          assert.ok(answer.status < 500, `${method} ${at}: ${answer.text}\n${JSON.stringify(http.log.at(-1))}`);
          assert.doesNotMatch(answer.text, /node_modules|engine\/|select |\.ts:/);
        },
      ),
      { numRuns: 400 },
    );
  });

  it('that are no JSON, or of another type, are refused as such', async () => {
    const [caller] = callers;
    assert.ok(caller !== undefined);
    for (const [payload, type, status] of [
      ['{"records":', 'application/json', 400],
      ['{"__proto__":{"x":1}}', 'application/json', 400],
      ['<xml/>', 'application/xml', 415],
      ['--x\r\nContent-Disposition: form-data', 'multipart/form-data; boundary=x', 415],
      ['', 'application/json', 400],
      ['{}', 'application/json', 400],
    ] as const) {
      const answer = await caller.raw('POST', '/look-ups', payload, { 'content-type': type });
      assert.equal(answer.status, status, `${type} ${payload}: ${answer.text}`);
    }
    const large = await caller.raw('POST', '/submissions', JSON.stringify({ exhibit: 'x'.repeat(100_000) }), {});
    assert.equal(large.status, 413);
  });
});
