import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { HomewardError } from '../../schemas/error.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The body of the answer came out of the serializer of a closed schema. */
    answerIsClosed: boolean;
  }
  interface FastifyContextConfig {
    /** Content types of a route whose answers are text rather than JSON of a schema. */
    readonly textTypes?: readonly string[];
  }
}

/** All that an answer may be. No type of picture, film or bytes is among them, nor anything a browser would run. */
const JSON_TYPES = ['application/json; charset=utf-8', 'application/problem+json; charset=utf-8'] as const;
const EMPTY_STATUS: ReadonlySet<number> = new Set([204, 304]);

/**
 * Lets nothing out but what a schema says in full. Each body is checked against the closed schema of its route and status, not
 * filtered: a field that nobody declared is a defect to be found, and what it holds may be what must not leave. Buffers, streams and
 * bare strings pass by Fastify's schemas, so they are refused here.
 */
export function closeAnswers(app: FastifyInstance): void {
  app.decorateRequest('answerIsClosed', false);
  app.setSerializerCompiler<TSchema>(({ schema, httpStatus }) => {
    const check = Compile(schema);
    return (answer: unknown) => {
      if (!check.Check(answer)) {
        const [first] = check.Errors(answer);
        throw withheld(
          `its body does not fit the schema for ${httpStatus ?? 'it'} at ${first?.instancePath ?? 'its root'}`,
        );
      }
      return JSON.stringify(answer);
    };
  });
  app.addHook('preSerialization', async (request, reply, payload) => {
    // Problem details, which are the same on every route and were checked when they were made.
    if (request.answerIsClosed) return payload;
    if (!hasSchema(request, reply.statusCode)) throw withheld(`status ${reply.statusCode} has no schema on this route`);
    request.answerIsClosed = true;
    return payload;
  });
  app.addHook('onSend', async (request, reply, payload) => {
    refuseOpen(request, reply, payload);
    return payload;
  });
}

function refuseOpen(request: FastifyRequest, reply: FastifyReply, payload: unknown): void {
  if (payload === null || payload === undefined || payload === '') {
    if (EMPTY_STATUS.has(reply.statusCode)) return;
    throw withheld(`status ${reply.statusCode} came without a body`);
  }
  if (typeof payload !== 'string') throw withheld('its body is bytes or a stream');
  const type = String(reply.getHeader('content-type') ?? '');
  const texts = request.routeOptions.config.textTypes ?? [];
  if (request.answerIsClosed ? JSON_TYPES.some((one) => one === type) : texts.includes(type)) return;
  throw withheld(`it is text of type ${JSON.stringify(type)}, which this route does not declare`);
}

function hasSchema(request: FastifyRequest, status: number): boolean {
  const { response } = request.routeOptions.schema ?? {};
  if (typeof response !== 'object' || response === null) return false;
  return String(status) in response || `${Math.floor(status / 100)}xx` in response;
}

function withheld(why: string): HomewardError {
  return new HomewardError(
    'HW_INTERNAL',
    `expected an answer of declared fields only, received one where ${why}; it was withheld`,
  );
}
