import type { FastifyInstance } from 'fastify';
import { HomewardError } from '../../schemas/error.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Counted among those under way; given back once. */
    isUnderWay: boolean;
  }
  interface FastifyContextConfig {
    /** Answered however much is under way: whether the process lives must be told when it is busy. */
    readonly always?: true;
  }
}

/** A second is what a caller needs to come back in order; the bound on what is accepted keeps the wait of the others below it. */
export const RETRY_AFTER_SECONDS = 1;

/**
 * No more than so many requests at once; the others are told to come back. Without a bound each of a thousand would wait for all of
 * them, and each would hold memory meanwhile.
 */
export function boundWorkUnderWay(app: FastifyInstance, mostAtOnce: number): { readonly underWay: () => number } {
  let underWay = 0;
  app.decorateRequest('isUnderWay', false);
  app.addHook('onRequest', async (request) => {
    if (request.routeOptions.config.always === true) return;
    if (underWay >= mostAtOnce)
      throw new HomewardError(
        'HW_BUSY',
        `expected at most ${mostAtOnce} requests at once, received one more; send it again in ${RETRY_AFTER_SECONDS} s`,
      );
    underWay += 1;
    request.isUnderWay = true;
  });
  // With the answer made, not with its arrival: a caller that goes away never has it arrive, and its work ends all the same.
  app.addHook('onSend', async (request, _reply, payload) => {
    giveBack(request);
    return payload;
  });
  app.addHook('onResponse', async (request) => giveBack(request));
  const giveBack = (request: { isUnderWay: boolean }): void => {
    if (!request.isUnderWay) return;
    request.isUnderWay = false;
    underWay -= 1;
  };
  return { underWay: () => underWay };
}
