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

/** A second is what a caller needs to come back in order; the bounds on what is accepted keep the wait of the others below it. */
export const RETRY_AFTER_SECONDS = 1;
/** A burst waits its turn for so long. Who has to be refused is held for it as well, so that callers who ask again at once do not take the time of those let in. */
const MOST_WAIT_MS = 250;
/** For each place under way; what waits holds its head alone, the body is not read yet. */
const MOST_WAITING_PER_PLACE = 16;

interface Waiting {
  readonly untilMs: number;
  readonly letIn: (mayGo: boolean) => void;
}

/** So many at once; others wait their turn, in the order in which they came and for a bounded time. */
class Places {
  readonly most: number;
  #taken = 0;
  readonly #waiting: Waiting[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(most: number) {
    this.most = most;
  }

  get taken(): number {
    return this.#taken;
  }

  /** Whether one was had. */
  async take(): Promise<boolean> {
    if (this.#taken < this.most) {
      this.#taken += 1;
      return true;
    }
    if (this.#waiting.length >= this.most * MOST_WAITING_PER_PLACE) return false;
    return await new Promise((letIn) => {
      this.#waiting.push({ untilMs: performance.now() + MOST_WAIT_MS, letIn });
      this.#timer ??= setTimeout(() => this.#refuseLate(), MOST_WAIT_MS);
    });
  }

  /** To who waits longest, or back. */
  give(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#taken -= 1;
    else next.letIn(true);
  }

  #refuseLate(): void {
    const nowMs = performance.now();
    while ((this.#waiting[0]?.untilMs ?? Number.POSITIVE_INFINITY) <= nowMs) this.#waiting.shift()?.letIn(false);
    const [next] = this.#waiting;
    this.#timer = next === undefined ? undefined : setTimeout(() => this.#refuseLate(), next.untilMs - nowMs);
  }
}

/**
 * No more than so many requests at once; the others wait a moment and are then told to come back. Without a bound each of a thousand would
 * wait for all of them, and each would hold memory meanwhile.
 */
export function boundWorkUnderWay(app: FastifyInstance, mostAtOnce: number): { readonly underWay: () => number } {
  const places = new Places(mostAtOnce);
  app.decorateRequest('isUnderWay', false);
  app.addHook('onRequest', async (request) => {
    if (request.routeOptions.config.always === true) return;
    if (!(await places.take()))
      throw new HomewardError(
        'HW_BUSY',
        `expected at most ${mostAtOnce} requests at once, received one more; send it again in ${RETRY_AFTER_SECONDS} s`,
      );
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
    places.give();
  };
  return { underWay: () => places.taken };
}
