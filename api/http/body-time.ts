import type { FastifyInstance } from 'fastify';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Its body is a stream that its handler watches over. */
    readonly streamed?: true;
  }
}

/**
 * Gives a body so long from its head on; a caller that takes longer is cut off, whatever it was about to say. Heads are bounded by the
 * server itself.
 */
export function boundBodyTime(app: FastifyInstance, timeoutMs: number): void {
  const timers = new WeakMap<object, NodeJS.Timeout>();
  app.addHook('onRequest', async (request) => {
    if (request.routeOptions.config.streamed === true || request.raw.complete) return;
    timers.set(
      request,
      setTimeout(() => request.raw.socket.destroy(), timeoutMs),
    );
  });
  const received = async (request: object): Promise<void> => clearTimeout(timers.get(request));
  app.addHook('preValidation', received);
  app.addHook('onResponse', received);
}
