import type { AuditAct, AuditEntry } from '../../schemas/audit.ts';
import { HomewardError } from '../../schemas/error.ts';
import type { Db } from '../store/db.ts';
import { Grouped } from '../store/grouped.ts';
import { retrying } from '../store/sqlstate.ts';
import type { AuditSink } from './append.ts';
import { type WriteOptions, writeGroup } from './write-group.ts';

/** Entries of one transaction: 256 of them are some 200 kB of parameters, and more a group gained nothing. */
const MOST_OF_GROUP = 256;
/** Beyond this the database is behind by seconds, and whoever asks is told so instead of waiting in memory. */
const MOST_WAITING = 10_000;

/**
 * Writes entries in groups, for a process in which many act at once: what comes while a group is written goes into the next
 * one. Each append resolves after the commit of its group, so the promise "recorded before it is done" holds for each.
 * Never append within a transaction of the same database: embedded, the two would wait for each other.
 */
export class AuditWriter implements AuditSink, AsyncDisposable {
  readonly #groups: Grouped<AuditAct, AuditEntry>;
  #closed = false;

  constructor(db: Db, options: WriteOptions = {}) {
    const goingOn = { heads: new Map(), ...options };
    this.#groups = new Grouped({
      most: MOST_OF_GROUP,
      work: async (acts) => await retrying(async () => await writeGroup(db, acts, goingOn)),
    });
  }

  /**
   * Resolves with the entry once it is committed.
   * @throws HW_AUDIT_UNWRITABLE where too many wait or the writer was closed, and what the database says
   */
  async append(act: AuditAct): Promise<AuditEntry> {
    if (this.#closed || this.#groups.waiting >= MOST_WAITING) {
      const received = this.#closed ? 'a writer that was closed' : `${MOST_WAITING} entries that wait for the database`;
      throw new HomewardError(
        'HW_AUDIT_UNWRITABLE',
        `expected room for the audit entry of ${act.action}, received ${received}; nothing was done; try again later`,
      );
    }
    return await this.#groups.ask(act);
  }

  /** Waits until all that was appended is written; may be called twice. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#groups.settled();
  }
}
