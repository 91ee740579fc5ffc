import { createHash } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { beginKeyed, forgetKeyed, type KeyedRequest, keepAnswer } from '../../engine/idempotency/idempotent-answers.ts';
import type { Db } from '../../engine/store/db.ts';
import { HomewardError } from '../../schemas/error.ts';
import { idempotencyKey } from './idempotency-key.ts';

declare module 'fastify' {
  interface FastifyRequest {
    keyed: KeyedRequest | null;
    /** The answer of the first time, with its status; it passes as it is. */
    answeredBefore: number | null;
  }
  interface FastifyContextConfig {
    /**
     * What a second request with the same key gets. answer: what the first one got. own: the route sees to it. once: the answer holds
     * something that is told once, and a second request is told that it was.
     */
    readonly repeated?: 'answer' | 'own' | 'once';
  }
}

const JSON_TYPE = 'application/json; charset=utf-8';

/** Every request that changes something is done once for one key of its caller, however often it is sent. */
export function answerRepeated(app: FastifyInstance, db: Db): void {
  app.decorateRequest('keyed', null);
  app.decorateRequest('answeredBefore', null);
  app.addHook('onRoute', ({ method, url, config }) => {
    const changes = typeof config?.policy === 'object' && config.policy.changes;
    if (changes && config?.repeated === undefined)
      throw new TypeError(`expected the route ${String(method)} ${url} to say what a repeated request gets`);
  });
  app.addHook('preHandler', async (request, reply) => {
    const { repeated } = request.routeOptions.config;
    if (repeated === undefined || repeated === 'own' || request.admitted === null) return;
    const keyed = {
      principalId: request.admitted.member.principalId,
      idempotencyKey: idempotencyKey(request.headers),
      requestSha256: createHash('sha256')
        .update(JSON.stringify([request.method, request.url, request.body ?? null]))
        .digest(),
    };
    const state = await beginKeyed(db, keyed);
    if (state.kind === 'begun') {
      request.keyed = keyed;
      return;
    }
    if (state.kind === 'another')
      throw unusable(
        'the request that this Idempotency-Key was first sent with, received another',
        'use a new key for a new request',
      );
    if (state.kind === 'underWay')
      throw unusable(
        'a request that is not being answered already, received its repetition',
        'wait, and look at what is there before you ask with a new key',
      );
    if (state.answer === null)
      throw unusable(
        'a request whose answer may be told twice, received a repetition',
        'it was done; undo it if its answer was lost, and ask anew',
      );
    request.answeredBefore = state.status;
    request.answerIsClosed = true;
    return await reply.code(state.status).type(JSON_TYPE).serializer(String).send(state.answer);
  });
  app.addHook('onSend', async (request, reply, payload) => {
    const { keyed } = request;
    if (keyed === null) return payload;
    request.keyed = null;
    if (reply.statusCode >= 400) await forgetKeyed(db, keyed);
    else {
      const once = request.routeOptions.config.repeated === 'once';
      await keepAnswer(db, keyed, reply.statusCode, once || typeof payload !== 'string' ? null : payload);
    }
    return payload;
  });
}

function unusable(expected: string, todo: string): HomewardError {
  return new HomewardError('HW_IDEMPOTENCY_KEY', `expected ${expected}; ${todo}`);
}
