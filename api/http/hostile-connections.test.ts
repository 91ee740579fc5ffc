import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { openTestDb } from '../../test/pglite-template.ts';
import { type Caller, HttpUnderTest } from './test-http-kit.ts';

const TIMEOUT_MS = 300;

interface Ended {
  readonly text: string;
  readonly afterMs: number;
}

describe('connections of anybody', () => {
  let http: HttpUnderTest;
  let lab: Caller;
  let port = 0;
  before(async () => {
    http = await HttpUnderTest.open(openTestDb, { mostRequestsAtOnce: 64, requestTimeoutMs: TIMEOUT_MS });
    lab = await http.caller();
    port = Number(new URL(await http.app.listen({ host: '127.0.0.1', port: 0 })).port);
  });
  after(async () => await http[Symbol.asyncDispose]());

  /** What came back over a connection that sends these, one every few ms, until either side ended it or nothing came for a while. */
  async function told(parts: Iterable<string | Buffer>, everyMs = 0, quietMs = 3000): Promise<Ended> {
    const startedMs = performance.now();
    const socket = connect(port, '127.0.0.1');
    let text = '';
    const ended = new Promise<void>((resolve) => {
      socket.setTimeout(quietMs, resolve);
      socket.on('data', (bytes) => (text += bytes.toString('latin1')));
      socket.on('close', () => resolve());
      // Cut off in the middle of what it sends is what happens here.
      socket.on('error', () => undefined);
    });
    for (const part of parts) {
      if (socket.destroyed) break;
      socket.write(part);
      if (everyMs > 0) await delay(everyMs);
    }
    await ended;
    socket.destroy();
    return { text, afterMs: performance.now() - startedMs };
  }
  const head = (lines: readonly string[]): string => `${lines.join('\r\n')}\r\n\r\n`;
  const statusOf = ({ text }: Ended): number => Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0);
  const stated = (): string[] => Object.entries(lab.stated()).map(([name, value]) => `${name}: ${value}`);

  it('are cut off where a head drips in, however steadily', async () => {
    const drops = 'GET /health HTTP/1.1\r\nhost: x\r\nx: '.split('').concat(Array.from({ length: 400 }, () => 'a'));
    const ended = await told(drops, 5);
    assert.ok(ended.afterMs < 5 * TIMEOUT_MS, `${ended.afterMs} ms`);
    assert.ok([0, 408].includes(statusOf(ended)), ended.text);
  });

  it('are cut off where a body drips in, of somebody who is known too', async () => {
    const lines = ['POST /look-ups HTTP/1.1', 'host: x', 'content-type: application/json', 'content-length: 5000'];
    const ended = await told([head([...lines, ...stated()]), ...Array.from({ length: 400 }, () => ' ')], 5);
    assert.ok(ended.afterMs < 5 * TIMEOUT_MS, `${ended.afterMs} ms`);
    assert.ok(statusOf(ended) < 500, ended.text);
  });

  it('keep nobody else out, however many say nothing', async () => {
    const silent = Array.from({ length: 300 }, () => connect(port, '127.0.0.1').on('error', () => undefined));
    try {
      assert.equal(statusOf(await told([head(['GET /health HTTP/1.1', 'host: x', 'connection: close'])])), 200);
    } finally {
      for (const one of silent) one.destroy();
    }
  });

  it('are answered nothing of what is inside, and with no defect of ours, whatever they ask', async () => {
    const close = 'connection: close';
    const multipart = '--b\r\nContent-Disposition: form-data; name="x"; filename="../../x"\r\n\r\n--b';
    const requests: readonly (string | Buffer)[] = [
      'nonsense\r\n\r\n',
      Buffer.from([0, 1, 2, 255, 13, 10, 13, 10]),
      'GET /health\r\n\r\n',
      head(['GET /health HTTP/9.9', 'host: x']),
      head(['GET /health HTTP/1.1', close]),
      head(['GET /health HTTP/1.1', 'host: x', `x: ${'a'.repeat(20_000)}`]),
      head(['GET /health HTTP/1.1', 'host: x', ...Array.from({ length: 3000 }, (_, at) => `x${at}: a`)]),
      head(['POST /look-ups HTTP/1.1', 'host: x', 'content-length: 4', 'content-length: 5', close]),
      `${head(['POST /look-ups HTTP/1.1', 'host: x', 'content-length: 4', 'transfer-encoding: chunked', close])}0\r\n\r\n`,
      `${head(['POST /look-ups HTTP/1.1', 'host: x', 'transfer-encoding: chunked', close])}zz\r\n\r\n`,
      `${head(['POST /look-ups HTTP/1.1', 'host: x', 'transfer-encoding: chunked, gzip', close])}0\r\n\r\n`,
      head(['POST /look-ups HTTP/1.1', 'host: x', 'content-length: -1', close]),
      head(['GET /health HTTP/1.1', 'host: x', ' folded: line', close]),
      head(['TRACE / HTTP/1.1', 'host: x', close]),
      head(['CONNECT example.org:443 HTTP/1.1', 'host: x', close]),
      head(['OPTIONS * HTTP/1.1', 'host: x', close]),
      head(['GET /health HTTP/1.1', 'host: x', 'upgrade: websocket', 'connection: upgrade']),
      ...[
        '/../../etc/passwd',
        '/%2e%2e/%2e%2e/etc/passwd',
        '//etc/passwd',
        '/docs/..%2f..%2fpackage.json',
        '/%00',
        '/%ff%fe',
        '/%',
        'http://169.254.169.254/latest',
        `/${'a'.repeat(9000)}`,
        '/health;x=1',
        '/HEALTH',
        '/submissions/%2e%2e',
        '/openapi.json/../audit',
      ].map((path) => head([`GET ${path} HTTP/1.1`, 'host: x', close, ...stated()])),
      ...[multipart, `${multipart}--\r\n`, ''].map(
        (body) =>
          `${head(['POST /submissions HTTP/1.1', 'host: x', 'content-type: multipart/form-data; boundary=b', `content-length: ${body.length}`, close, ...stated()])}${body}`,
      ),
    ];
    for (const request of requests) {
      const ended = await told([request], 0, 2 * TIMEOUT_MS);
      const what = `${String(request).slice(0, 200)}\n${ended.text}`;
      assert.ok(statusOf(ended) < 500, what);
      assert.doesNotMatch(ended.text, /node_modules|engine\/|\.ts:|root:x:|"dependencies"/, what);
    }
    assert.equal((await http.call('GET', '/health')).status, 200);
    assert.deepEqual(
      http.log.filter(({ status }) => status >= 500),
      [],
    );
  });
});
