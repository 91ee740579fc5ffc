import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { STORE_ENGINES } from '../../test/store-engines.ts';
import { assertProblem, HttpUnderTest, submission } from './test-http-kit.ts';

for (const engine of STORE_ENGINES) {
  describe(`what is handed in over the API on ${engine.name}`, engine.options, () => {
    let http: HttpUnderTest;
    before(async () => {
      http = await HttpUnderTest.open(engine.open);
    });
    after(async () => await http[Symbol.asyncDispose]());

    it('accepts a submission once for one key, and refuses the key for another request', async () => {
      const lab = await http.caller();
      const key = { 'idempotency-key': randomUUID() };
      const first = await lab.call('POST', '/submissions', submission(), key);
      assert.equal(first.status, 202, first.text);
      const again = await lab.call('POST', '/submissions', submission(), key);
      assert.equal(again.body['submissionId'], first.body['submissionId']);
      assertProblem(
        await lab.call('POST', '/submissions', submission({ urgent: true }), key),
        409,
        'HW_IDEMPOTENCY_KEY',
      );
      assertProblem(
        await lab.call('POST', '/submissions', submission(), { 'idempotency-key': undefined }),
        400,
        'HW_REQUEST_INVALID',
      );
    });

    it('shows a submission to its own organisation, with a tag for who polls, and to no other', async () => {
      const [lab, other] = [await http.caller(), await http.caller()];
      const { body } = await lab.call('POST', '/submissions', submission());
      const url = `/submissions/${String(body['submissionId'])}`;
      const shown = await lab.call('GET', url);
      assert.equal(shown.body['state'], 'waiting');
      const unchanged = await lab.call('GET', url, undefined, { 'if-none-match': String(shown.headers['etag']) });
      assert.deepEqual([unchanged.status, unchanged.text], [304, '']);
      const foreign = await other.call('GET', url);
      assertProblem(foreign, 404, 'HW_NOT_FOUND');
      assert.equal(foreign.text, (await other.call('GET', `/submissions/${randomUUID()}`)).text);
      assertProblem(await other.call('POST', `${url}/cancel`), 404, 'HW_NOT_FOUND');
      const cancelled = await lab.call('POST', `${url}/cancel`);
      assert.equal(cancelled.body['state'], 'cancelled');
    });

    it('tells how far a submission is as it changes, until it ends', async () => {
      const lab = await http.caller();
      const { body } = await lab.call('POST', '/submissions', submission());
      const url = `/submissions/${String(body['submissionId'])}`;
      const told = lab.call('GET', `${url}/events`);
      await new Promise((resolve) => setTimeout(resolve, 700));
      await lab.call('POST', `${url}/cancel`);
      const { status, headers, text } = await told;
      assert.deepEqual([status, headers['content-type']], [200, 'text/event-stream; charset=utf-8']);
      assert.match(String(headers['content-security-policy']), /img-src 'none'/);
      const states = [...text.matchAll(/^data: .*"state":"(\w+)"/gm)].map(([, state]) => state);
      assert.deepEqual(states, ['waiting', 'cancelled']);
      const other = await http.caller();
      assertProblem(await other.call('GET', `${url}/events`), 404, 'HW_NOT_FOUND');
    });

    it('lists submissions page by page, each once', async () => {
      const lab = await http.caller();
      const made = new Set<unknown>();
      for (let number = 0; number < 5; number += 1)
        made.add((await lab.call('POST', '/submissions', submission({ exhibit: `E${number}` }))).body['submissionId']);
      const seen: unknown[] = [];
      let after = '';
      do {
        const page = await lab.call('GET', `/submissions?limit=2${after}`);
        const { submissions, next } = page.body;
        assert.ok(Array.isArray(submissions), page.text);
        seen.push(...submissions.map((listed) => listed.submissionId));
        after = next === null ? '' : `&after=${String(next)}`;
      } while (after !== '');
      assert.equal(seen.length, 5);
      assert.deepEqual(new Set(seen), made);
      assertProblem(await lab.call('GET', '/submissions?after=bm9uc2Vuc2U'), 400, 'HW_REQUEST_INVALID');
    });
  });
}
