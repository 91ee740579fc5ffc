import { AsyncLocalStorage } from 'node:async_hooks';
import { sqlStateOf } from './sqlstate.ts';

export interface GroupOptions<Ask, Answer> {
  /** Of one group; an ask that is larger by itself is a group of its own. */
  readonly most: number;
  /** What an ask counts for of `most`; 1 unless told. */
  readonly sizeOf?: (ask: Ask) => number;
  /** Answers by the position of their ask. What it throws, all of the group are told. */
  readonly work: (asks: readonly Ask[]) => Promise<readonly Answer[]>;
}

interface Waiting<Ask, Answer> {
  readonly ask: Ask;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Classes of SQLSTATE that one row alone may have caused: a value that the database cannot hold, a constraint, a limit, a trigger.
 * After a lost connection each of the group would only wait for the same answer again.
 */
const FAULT_OF_ONE: ReadonlySet<string> = new Set(['22', '23', '54', 'P0']);

/**
 * What many ask of the database at once, asked together: what comes while a group is worked on goes into the next one, and a group costs
 * about as much as a single ask. Each is answered by work that began after it asked. Never ask from within a transaction of
 * the same database: embedded, the two would wait for each other.
 */
export class Grouped<Ask, Answer> {
  readonly #options: GroupOptions<Ask, Answer>;
  /** A group is nobody's of those in it: it must not run in the transaction or request of the first. */
  readonly #asGroup = AsyncLocalStorage.snapshot();
  #waiting: Waiting<Ask, Answer>[] = [];
  #working: Promise<void> | undefined;

  constructor(options: GroupOptions<Ask, Answer>) {
    this.#options = options;
  }

  /** How many wait for their group. */
  get waiting(): number {
    return this.#waiting.length;
  }

  async ask(ask: Ask): Promise<Answer> {
    return await new Promise((resolve, reject) => {
      this.#waiting.push({ ask, resolve, reject });
      this.#working ??= this.#asGroup(async () => await this.#workAll());
    });
  }

  /** Resolves once all that was asked is answered. */
  async settled(): Promise<void> {
    await this.#working;
  }

  async #workAll(): Promise<void> {
    while (this.#waiting.length > 0) await this.#work(this.#take());
    this.#working = undefined;
  }

  async #work(group: readonly Waiting<Ask, Answer>[]): Promise<void> {
    try {
      const answers = await this.#options.work(group.map((one) => one.ask));
      if (answers.length !== group.length) throw new TypeError('expected an answer to each of a group, received fewer');
      for (const [at, answer] of answers.entries()) group[at]?.resolve(answer);
    } catch (error) {
      if (group.length > 1 && FAULT_OF_ONE.has(sqlStateOf(error)?.slice(0, 2) ?? '')) {
        // One by one and in their order: a bad one must not refuse its neighbours.
        for (const one of group) await this.#work([one]);
      } else {
        for (const one of group) one.reject(error);
      }
    }
  }

  /** Those that came first, as many as fit. */
  #take(): Waiting<Ask, Answer>[] {
    const { most, sizeOf } = this.#options;
    let size = 0;
    let taken = 0;
    for (const { ask } of this.#waiting) {
      size += sizeOf?.(ask) ?? 1;
      if (taken > 0 && size > most) break;
      taken += 1;
    }
    return this.#waiting.splice(0, taken);
  }
}
