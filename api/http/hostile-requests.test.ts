import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { openTestDb } from '../../test/pglite-template.ts';
import { type Caller, HttpUnderTest } from './test-http-kit.ts';
import { fitting, type Operation, operationsOf, outOfJoint, TROUBLE } from './test-schema-kit.ts';

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

  it('of the form that the description of the API asks for, or nearly, end so too, and some of them well', async () => {
    const operations = operationsOf((await http.call('GET', '/openapi.json')).body);
    assert.ok(operations.length > 40);
    const reached = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...operations).chain((operation) => fc.tuple(fc.constant(operation), asked(operation))),
        fc.constantFrom(...callers),
        async ([{ method, path }, { at, payload }], caller) => {
          const answer = await caller.raw(method, at, payload, {});
          const { status } = answer;
          reached.set(`${method} ${path} ${status}`, 1);
          assert.ok(status < 500, `${method} ${at} ${payload}: ${answer.text}\n${JSON.stringify(http.log.at(-1))}`);
          assert.doesNotMatch(answer.text, /node_modules|engine\/|select |\.ts:/);
        },
      ),
      { numRuns: 600 },
    );
    // One in which everything is refused at the door would show nothing of what is behind it.
    const well = [...reached.keys()].filter(
      (one) => one.endsWith(' 200') || one.endsWith(' 201') || one.endsWith(' 202'),
    );
    assert.ok(well.length >= 10, [...reached.keys()].join('\n'));
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

/** The address and body of a request as its operation has it, or with something of it put out of joint. */
function asked({ path, parameters, body }: Operation): fc.Arbitrary<{ at: string; payload: string | undefined }> {
  const values = fc.record(
    Object.fromEntries(
      parameters.map(({ name, schema }) => [
        name,
        fc.oneof({ arbitrary: fitting(schema), weight: 5 }, outOfJoint(schema)),
      ]),
    ),
  );
  const sent =
    body === null
      ? fc.constant(undefined)
      : fc.oneof(fitting(body), outOfJoint(body)).map((one) => JSON.stringify(one));
  return fc.tuple(values, sent).map(([given, payload]) => {
    const encoded = (name: string): string => encodeURIComponent(String(given[name] ?? '').toWellFormed()) || 'x';
    const query = parameters.filter((one) => one.in === 'query').map(({ name }) => `${name}=${encoded(name)}`);
    const at = path.replace(/\{(\w+)\}/g, (_, name: string) => encoded(name));
    return { at: query.length === 0 ? at : `${at}?${query.join('&')}`, payload };
  });
}
