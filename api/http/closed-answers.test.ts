import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import fastify, { type FastifyInstance } from 'fastify';
import { type TSchema, Type } from 'typebox';
import { Closed } from '../../schemas/closed.ts';
import { closeAnswers } from './closed-answers.ts';

/** Stands for what must not leave: the beginning of a JPEG. */
const PIXELS = Buffer.from('ffd8ffe000104a464946', 'hex');
const response: Readonly<Record<string, TSchema>> = { 200: Closed({ name: Type.String({ maxLength: 10 }) }) };

describe('answers of the API', () => {
  let app: FastifyInstance;
  before(async () => {
    app = fastify();
    closeAnswers(app);
    app.get('/declared', { schema: { response } }, async () => ({ name: 'ok' }));
    app.get('/undeclared-field', { schema: { response } }, async () => ({
      name: 'ok',
      preview: PIXELS.toString('base64'),
    }));
    app.get('/too-long', { schema: { response } }, async () => ({ name: PIXELS.toString('base64').repeat(2) }));
    app.get(
      '/other-status',
      { schema: { response } },
      async (_request, reply) => await reply.code(202).send({ name: 'ok' }),
    );
    app.get('/bytes', { schema: { response } }, async (_request, reply) => await reply.send(PIXELS));
    app.get('/stream', { schema: { response } }, async (_request, reply) => await reply.send(Readable.from([PIXELS])));
    app.get('/text', { schema: { response } }, async (_request, reply) => await reply.send('data:image/jpeg;base64,'));
    app.get(
      '/picture',
      { schema: { response } },
      async (_request, reply) => await reply.type('image/jpeg').send({ name: 'ok' }),
    );
    app.get('/nothing', { schema: { response } }, async (_request, reply) => await reply.send());
    await app.ready();
  });
  after(async () => await app.close());

  it('leave as their schema says', async () => {
    const answer = await app.inject('/declared');
    assert.deepEqual([answer.statusCode, answer.json()], [200, { name: 'ok' }]);
  });

  for (const [url, what] of [
    ['/undeclared-field', 'a field that is not declared'],
    ['/too-long', 'text longer than declared'],
    ['/other-status', 'a status that is not declared'],
    ['/bytes', 'bytes'],
    ['/stream', 'a stream'],
    ['/text', 'bare text'],
    ['/picture', 'a type of picture'],
    ['/nothing', 'a success without a body'],
  ] as const) {
    it(`S1: are withheld with ${what}`, async () => {
      const answer = await app.inject(url);
      assert.equal(answer.statusCode, 500);
      assert.ok(!answer.rawPayload.includes(PIXELS));
      assert.ok(!answer.payload.includes(PIXELS.toString('base64')));
      assert.doesNotMatch(answer.payload, /data:/);
    });
  }
});
