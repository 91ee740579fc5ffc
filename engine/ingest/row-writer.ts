import type { Examination } from '../../schemas/fingerprint.ts';
import type { Place } from './place.ts';

/** One item ready to be recorded. */
export interface ItemRow extends Place {
  /** ISO 8601. */
  readonly modifiedAt: string | null;
  readonly examination: Examination;
}

/** Large enough that a transaction costs little per file, small enough that a kill loses little work. */
const ROWS_PER_GROUP = 200;
/** A file that was read is recorded and matched within this time, so that what is known is said early. */
const LONGEST_WAIT_MS = 1_000;
/** Past this many waiting groups, whoever brings more has to wait for the database. */
const MOST_WAITING_GROUPS = 4;

/**
 * Groups rows of either stage and hands each group to `record`, one group at a time. `add` waits when the database is behind, which
 * keeps memory flat however large the batch is.
 */
export class RowWriter<Row> {
  readonly #rowsPerGroup: number;
  readonly #record: (rows: readonly Row[]) => Promise<void>;
  #pending: Row[] = [];
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(record: (rows: readonly Row[]) => Promise<void>, rowsPerGroup: number = ROWS_PER_GROUP) {
    this.#record = record;
    this.#rowsPerGroup = rowsPerGroup;
  }

  async add(row: Row): Promise<void> {
    this.#throwFailure();
    this.#pending.push(row);
    if (this.#pending.length >= this.#rowsPerGroup) this.#start();
    else this.#timer ??= setTimeout(() => this.#start(), LONGEST_WAIT_MS);
    while (this.#pending.length >= MOST_WAITING_GROUPS * this.#rowsPerGroup && this.#writing !== undefined)
      await this.#writing;
    this.#throwFailure();
  }

  /** Records what is left. Call it once nothing is added any more. */
  async finish(): Promise<void> {
    do {
      this.#start();
      await this.#writing;
      this.#throwFailure();
    } while (this.#pending.length > 0);
    clearTimeout(this.#timer);
  }

  #start(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#writing !== undefined || this.#pending.length === 0 || this.#failure !== undefined) return;
    const rows = this.#pending.splice(0, this.#rowsPerGroup);
    this.#writing = this.#record(rows)
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => {
        this.#writing = undefined;
        if (this.#pending.length >= this.#rowsPerGroup) this.#start();
        else if (this.#pending.length > 0) this.#timer ??= setTimeout(() => this.#start(), LONGEST_WAIT_MS);
      });
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
