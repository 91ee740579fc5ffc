import assert from 'node:assert/strict';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openTestDb } from '../../test/pglite-template.ts';
import { steadyBytes } from './steady-bytes.ts';
import { type Answer, assertProblem, type Caller, HttpUnderTest, submission } from './test-http-kit.ts';

const CONTENT = randomBytes(200_000);

describe('uploads over the API', () => {
  let http: HttpUnderTest;
  let lab: Caller;
  before(async () => {
    http = await HttpUnderTest.open(openTestDb);
    lab = await http.caller();
  });
  after(async () => await http[Symbol.asyncDispose]());

  const begin = async (caller = lab, changed: object = {}): Promise<string> => {
    const answer = await caller.call('POST', '/uploads', {
      name: 'disk.zip',
      sizeBytes: CONTENT.length,
      sha256: createHash('sha256').update(CONTENT).digest('hex'),
      ...changed,
    });
    assert.equal(answer.status, 201, answer.text);
    return String(answer.body['uploadId']);
  };
  const send = async (id: string, from: number, bytes: Buffer, caller = lab): Promise<Answer> =>
    await caller.raw('PATCH', `/uploads/${id}`, bytes, {
      'content-type': 'application/octet-stream',
      'upload-offset': String(from),
    });

  it('come in parts, each from where the last one ended, and are handed in once they are whole', async () => {
    const id = await begin();
    assert.equal((await send(id, 0, CONTENT.subarray(0, 90_000))).body['offsetBytes'], 90_000);
    const shown = await lab.call('GET', `/uploads/${id}`);
    assert.deepEqual([shown.body['state'], shown.body['offsetBytes']], ['receiving', 90_000]);
    const early = await lab.call('POST', '/submissions', submission({ source: { kind: 'uploads', uploads: [id] } }));
    assertProblem(early, 404, 'HW_NOT_FOUND');
    const again = await send(id, 0, CONTENT);
    assertProblem(again, 409, 'HW_UPLOAD_OFFSET');
    assert.equal(again.headers['upload-offset'], '90000');
    assert.equal((await send(id, 90_000, CONTENT.subarray(90_000))).body['state'], 'complete');
    const key = { 'idempotency-key': randomUUID() };
    const handIn = submission({ source: { kind: 'uploads', uploads: [id] } });
    const [first, repeated] = [
      await lab.call('POST', '/submissions', handIn, key),
      await lab.call('POST', '/submissions', handIn, key),
    ];
    assert.deepEqual([first.status, repeated.status, repeated.text], [202, 202, first.text]);
    assertProblem(await lab.call('POST', '/submissions', handIn), 404, 'HW_NOT_FOUND');
    assert.equal((await lab.call('GET', `/uploads/${id}`)).body['state'], 'submitted');
  });

  it('S5: of others answer exactly as those that are not there', async () => {
    const id = await begin();
    const other = await http.caller();
    const missing = randomUUID();
    for (const [foreign, absent] of [
      [await other.call('GET', `/uploads/${id}`), await other.call('GET', `/uploads/${missing}`)],
      [await send(id, 0, CONTENT, other), await send(missing, 0, CONTENT, other)],
      [await other.call('POST', `/uploads/${id}/cancel`), await other.call('POST', `/uploads/${missing}/cancel`)],
    ] as const) {
      assertProblem(foreign, 404, 'HW_NOT_FOUND');
      const without = ({ text }: Answer) => text.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '');
      assert.equal(without(foreign), without(absent));
    }
    const handIn = submission({ source: { kind: 'uploads', uploads: [id] } });
    assertProblem(await other.call('POST', '/submissions', handIn), 404, 'HW_NOT_FOUND');
  });

  it('are refused as another content, as too long, beyond the budget, and as anything but bytes', async () => {
    assertProblem(await send(await begin(lab, { sha256: '0'.repeat(64) }), 0, CONTENT), 409, 'HW_UPLOAD_DIGEST');
    assertProblem(await send(await begin(lab, { sizeBytes: 10 }), 0, CONTENT), 409, 'HW_UPLOAD_TOO_LONG');
    const large = { name: 'x', sizeBytes: 10_000_001, sha256: '0'.repeat(64) };
    assertProblem(await lab.call('POST', '/uploads', large), 413, 'HW_UPLOAD_BUDGET');
    for (const modifiedAt of ['2026-02-31T10:00:00Z', '2026-13-01T10:00:00Z', '0000-01-01T10:00:00Z'])
      assertProblem(
        await lab.call('POST', '/uploads', { ...large, sizeBytes: 10, modifiedAt }),
        400,
        'HW_REQUEST_INVALID',
      );
    const id = await begin();
    for (const type of ['application/json', 'multipart/form-data; boundary=x', 'text/plain']) {
      const answer = await lab.raw('PATCH', `/uploads/${id}`, '{}', { 'content-type': type, 'upload-offset': '0' });
      assert.ok(answer.status === 400 || answer.status === 415, `${type}: ${answer.text}`);
    }
    assertProblem(
      await lab.raw('PATCH', `/uploads/${id}`, CONTENT, { 'content-type': 'application/octet-stream' }),
      400,
      'HW_REQUEST_INVALID',
    );
  });

  it('are removed when they are given up', async () => {
    const id = await begin();
    await send(id, 0, CONTENT);
    assert.equal((await lab.call('POST', `/uploads/${id}/cancel`)).body['state'], 'gone');
    assertProblem(await send(id, 0, CONTENT), 404, 'HW_NOT_FOUND');
  });

  it('keep what came over a line that was cut', async () => {
    const id = await begin();
    const { port } = new URL(await http.app.listen({ host: '127.0.0.1', port: 0 }));
    const socket = connect(Number(port), '127.0.0.1');
    const head = [
      `PATCH /uploads/${id} HTTP/1.1`,
      'host: x',
      'content-type: application/octet-stream',
      `content-length: ${CONTENT.length}`,
      'upload-offset: 0',
      ...Object.entries(lab.stated()).map(([name, value]) => `${name}: ${value}`),
    ];
    socket.write(`${head.join('\r\n')}\r\n\r\n`);
    socket.write(CONTENT.subarray(0, 100_000));
    await sleep(300);
    socket.destroy();
    for (let attempt = 0; attempt < 100; attempt += 1) {
      const { body } = await lab.call('GET', `/uploads/${id}`);
      if (body['offsetBytes'] === 100_000) return;
      await sleep(50);
    }
    assert.fail('what came was not kept');
  });

  it('end where a line gives next to nothing', async () => {
    const { Readable } = await import('node:stream');
    const slow = new Readable({ read: () => undefined });
    slow.push(Buffer.from('a'));
    await assert.rejects(async () => {
      for await (const _chunk of steadyBytes(slow, 50));
    }, /less than/);
  });
});
