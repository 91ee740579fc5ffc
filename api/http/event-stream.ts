import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyReply } from 'fastify';
import type { Static, TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { HomewardError } from '../../schemas/error.ts';

/** Each holds a connection open for as long as its reader likes. */
const MOST_STREAMS = 200;
const LOOK_EVERY_MS = 500;
/** Proxies cut a connection that is silent for half a minute. */
const SIGN_OF_LIFE_EVERY_MS = 10_000;

/** What a stream tells; asked for again and again. Null where there is no more to tell, or the reader may not know any more. */
export interface Told<T> {
  readonly value: T;
  /** Nothing will change any more. */
  readonly last: boolean;
}

export interface EventStreams {
  /**
   * Answers with server-sent events (WHATWG HTML, 9.2): the value now, and again whenever it changed, each held against the closed
   * schema. The request was let in and is recorded by now; `look` says anew each time whether the reader still may know.
   */
  tell<S extends TSchema>(reply: FastifyReply, schema: S, look: () => Promise<Told<Static<S>> | null>): Promise<void>;
  close(): void;
}

export function eventStreams(): EventStreams {
  const ending = new AbortController();
  let open = 0;
  return {
    close: () => ending.abort(),
    tell: async (reply, schema, look) => {
      if (open >= MOST_STREAMS)
        throw new HomewardError(
          'HW_BUSY',
          `expected at most ${MOST_STREAMS} readers of progress at once, received one more; poll instead, with If-None-Match`,
        );
      const check = Compile(schema);
      const { raw } = reply;
      const gone = new AbortController();
      raw.once('close', () => gone.abort());
      const over = AbortSignal.any([gone.signal, ending.signal]);
      open += 1;
      reply.hijack();
      try {
        raw.writeHead(200, { ...textHeaders(reply), 'content-type': 'text/event-stream; charset=utf-8' });
        let before = '';
        let saidAtMs = performance.now();
        while (!over.aborted) {
          const told = await look();
          if (told === null) break;
          if (!check.Check(told.value))
            throw new HomewardError('HW_INTERNAL', 'expected an event of declared fields only; it was withheld');
          const text = JSON.stringify(told.value);
          if (text !== before) {
            before = text;
            saidAtMs = performance.now();
            raw.write(`event: state\ndata: ${text}\n\n`);
          } else if (performance.now() - saidAtMs > SIGN_OF_LIFE_EVERY_MS) {
            saidAtMs = performance.now();
            raw.write(': still here\n\n');
          }
          if (told.last) break;
          await sleep(LOOK_EVERY_MS, undefined, { signal: over, ref: false }).catch(() => undefined);
        }
      } catch {
        // The connection ends; who reads asks again, and is told then what is wrong.
      } finally {
        open -= 1;
        raw.end();
      }
    },
  };
}

function textHeaders(reply: FastifyReply): Record<string, string> {
  return Object.fromEntries(Object.entries(reply.getHeaders()).map(([name, value]) => [name, String(value)]));
}
