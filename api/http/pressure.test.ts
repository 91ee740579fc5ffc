import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fastify, { type FastifyInstance } from 'fastify';
import { boundWorkUnderWay } from './pressure.ts';

describe('requests beyond what can be answered in time', () => {
  let app: FastifyInstance;
  let underWay: () => number;
  let gate: PromiseWithResolvers<void>;

  beforeEach(() => {
    app = fastify();
    ({ underWay } = boundWorkUnderWay(app, 2));
    gate = Promise.withResolvers<void>();
    app.get('/slow', async () => {
      await gate.promise;
      return 'done';
    });
    app.get('/alive', { config: { always: true } }, async () => 'yes');
    app.get('/breaks', async () => {
      throw new Error('broke');
    });
  });
  afterEach(async () => await app.close());

  const slow = async (count: number): Promise<number[]> =>
    (await Promise.all(Array.from({ length: count }, async () => await app.inject('/slow')))).map(
      ({ statusCode }) => statusCode,
    );
  const full = async (): Promise<void> => {
    while (underWay() < 2) await sleep(1);
  };

  it('wait a moment and are told to come back, while those under way are answered', async () => {
    const first = slow(2);
    await full();
    const startedMs = performance.now();
    const refused = await app.inject('/slow');
    assert.match(refused.payload, /at most 2 requests at once/);
    assert.ok(performance.now() - startedMs >= 200);
    assert.equal((await app.inject('/alive')).statusCode, 200);
    gate.resolve();
    assert.deepEqual(await first, [200, 200]);
    assert.equal(underWay(), 0);
  });

  it('are answered in their turn where room comes in time', async () => {
    const all = slow(20);
    await full();
    setTimeout(gate.resolve, 50);
    assert.deepEqual(new Set(await all), new Set([200]));
    assert.equal(underWay(), 0);
  });

  it('are refused at once beyond so many that wait', async () => {
    const all = slow(2 + 32);
    await full();
    const startedMs = performance.now();
    const refused = await app.inject('/slow');
    assert.equal(refused.statusCode, 500);
    assert.ok(performance.now() - startedMs < 200);
    gate.resolve();
    await all;
  });

  it('give their room back when they break', async () => {
    for (let attempt = 0; attempt < 5; attempt += 1) await app.inject('/breaks');
    assert.equal(underWay(), 0);
    gate.resolve();
    assert.deepEqual(await slow(1), [200]);
  });

  it('take no room for good where their callers go away while they wait', async () => {
    const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }));
    const first = slow(2);
    await full();
    for (let caller = 0; caller < 5; caller += 1) {
      const socket = connect(Number(port), '127.0.0.1');
      await once(socket, 'connect');
      socket.write('GET /slow HTTP/1.1\r\nhost: x\r\n\r\n');
      await sleep(10);
      socket.destroy();
    }
    gate.resolve();
    await first;
    while (underWay() > 0) await sleep(1);
    assert.deepEqual(await slow(3), [200, 200, 200]);
    assert.equal(underWay(), 0);
  });
});
