import { AsyncLocalStorage } from 'node:async_hooks';
import type { AuditAct, AuditEntry } from '../../schemas/audit.ts';
import { HomewardError } from '../../schemas/error.ts';
import type { Db } from '../store/db.ts';
import { retrying, sqlStateOf } from '../store/sqlstate.ts';
import type { AuditSink } from './append.ts';
import { type WriteOptions, writeGroup } from './write-group.ts';

/** Entries of one transaction: 256 of them are some 200 kB of parameters, and more a group gained nothing. */
const MOST_OF_GROUP = 256;
/** Beyond this the database is behind by seconds, and whoever asks is told so instead of waiting in memory. */
const MOST_WAITING = 10_000;

/**
 * Classes of SQLSTATE that one row alone may have caused: a value that the database cannot hold, a constraint, a limit, a trigger.
 * After a lost connection each act of the group would only wait for the same answer again.
 */
const FAULT_OF_ONE_ACT: ReadonlySet<string> = new Set(['22', '23', '54', 'P0']);

interface Waiting {
  readonly act: AuditAct;
  readonly resolve: (entry: AuditEntry) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Writes entries in groups, for a process in which many act at once: what comes while a group is written goes into the next
 * one. Each append resolves after the commit of its group, so the promise "recorded before it is done" holds for each.
 * Never append within a transaction of the same database: embedded, the two would wait for each other.
 */
export class AuditWriter implements AuditSink, AsyncDisposable {
  readonly #db: Db;
  readonly #options: WriteOptions;
  /** Runs a group as the writer, not as the caller who happened to come first. */
  readonly #asWriter = AsyncLocalStorage.snapshot();
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #closed = false;

  constructor(db: Db, options: WriteOptions = {}) {
    this.#db = db;
    this.#options = options;
  }

  /**
   * Resolves with the entry once it is committed.
   * @throws HW_AUDIT_UNWRITABLE where too many wait or the writer was closed, and what the database says
   */
  async append(act: AuditAct): Promise<AuditEntry> {
    if (this.#closed || this.#waiting.length >= MOST_WAITING) {
      const received = this.#closed ? 'a writer that was closed' : `${MOST_WAITING} entries that wait for the database`;
      throw new HomewardError(
        'HW_AUDIT_UNWRITABLE',
        `expected room for the audit entry of ${act.action}, received ${received}; nothing was done; try again later`,
      );
    }
    return await new Promise((resolve, reject) => {
      this.#waiting.push({ act, resolve, reject });
      this.#writing ??= this.#asWriter(() => this.#writeAll());
    });
  }

  /** Waits until all that was appended is written; may be called twice. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      await this.#write(this.#waiting.splice(0, MOST_OF_GROUP));
    }
    this.#writing = undefined;
  }

  async #write(group: readonly Waiting[]): Promise<void> {
    try {
      const acts = group.map((one) => one.act);
      const entries = await retrying(async () => await writeGroup(this.#db, acts, this.#options));
      for (const [at, one] of group.entries()) {
        const entry = entries[at];
        if (entry === undefined) one.reject(new TypeError('expected an entry for each act, received fewer'));
        else one.resolve(entry);
      }
    } catch (error) {
      if (group.length > 1 && FAULT_OF_ONE_ACT.has(sqlStateOf(error)?.slice(0, 2) ?? '')) {
        // One by one and in their order: one bad act must not refuse its neighbours.
        for (const one of group) await this.#write([one]);
      } else {
        for (const one of group) one.reject(error);
      }
    }
  }
}
