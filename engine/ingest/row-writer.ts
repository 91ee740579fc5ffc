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
/** Past this many waiting rows, whoever brings more has to wait for the database. */
const MOST_WAITING_ROWS = 4 * ROWS_PER_GROUP;

/**
 * Groups rows and hands each group to `record`, one group at a time. `add` waits when the database is behind, which
 * keeps memory flat however large the batch is.
 */
export class RowWriter {
  readonly #record: (rows: readonly ItemRow[]) => Promise<void>;
  #pending: ItemRow[] = [];
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(record: (rows: readonly ItemRow[]) => Promise<void>) {
    this.#record = record;
  }

  async add(row: ItemRow): Promise<void> {
    this.#throwFailure();
    this.#pending.push(row);
    if (this.#pending.length >= ROWS_PER_GROUP) this.#start();
    else this.#timer ??= setTimeout(() => this.#start(), LONGEST_WAIT_MS);
    while (this.#pending.length >= MOST_WAITING_ROWS && this.#writing !== undefined) await this.#writing;
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
    const rows = this.#pending.splice(0, ROWS_PER_GROUP);
    this.#writing = this.#record(rows)
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => {
        this.#writing = undefined;
        if (this.#pending.length >= ROWS_PER_GROUP) this.#start();
        else if (this.#pending.length > 0) this.#timer ??= setTimeout(() => this.#start(), LONGEST_WAIT_MS);
      });
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
