import type { Db } from '../store/db.ts';
import { recordAuditAlarm } from './alarms.ts';
import { signingKeyInUse } from './audit-keys.ts';
import { makeCheckpoint, organisationsToSign, type SignedCheckpoint } from './checkpoint.ts';
import { dropCheckpoints } from './drop-folder.ts';

/** What an attacker may rewrite unseen is what was added since the last checkpoint. */
const DEFAULT_INTERVAL_MS = 60 * 60_000;

export interface ScheduleOptions {
  readonly keyFile: string;
  /** Null: copies are not written anywhere. */
  readonly dropFolder: string | null;
  readonly intervalMs?: number;
  /** Told of every failure, which is an open alarm in the database too, where that can be written. Must not throw. */
  readonly onAlarm: (error: unknown, organisation: string | null) => void;
  readonly onCheckpoint?: (made: SignedCheckpoint) => void;
}

/** Makes checkpoints of every organisation that has new entries, as long as a process runs. */
export class CheckpointSchedule implements AsyncDisposable {
  readonly #db: Db;
  readonly #options: ScheduleOptions;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;

  constructor(db: Db, options: ScheduleOptions) {
    this.#db = db;
    this.#options = options;
  }

  /** May be called twice. The timer keeps no process alive. */
  start(): void {
    this.#timer ??= setInterval(() => void this.runNow(), this.#options.intervalMs ?? DEFAULT_INTERVAL_MS).unref();
  }

  /** Makes them now, or waits for those that are being made. Never rejects: trouble goes to `onAlarm`. */
  async runNow(): Promise<void> {
    this.#running ??= this.#makeAll().finally(() => {
      this.#running = undefined;
    });
    await this.#running;
  }

  /** Ends the schedule and waits for what is under way; may be called twice. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.#running;
  }

  async #makeAll(): Promise<void> {
    const { keyFile, dropFolder, onAlarm, onCheckpoint } = this.#options;
    let organisations: readonly string[];
    try {
      organisations = await organisationsToSign(this.#db);
      if (organisations.length === 0) return;
    } catch (error) {
      onAlarm(error, null);
      return;
    }
    for (const organisation of organisations) {
      try {
        const key = await signingKeyInUse(this.#db, keyFile);
        const made = await makeCheckpoint(this.#db, organisation, key);
        if (made !== null) onCheckpoint?.(made);
        if (dropFolder !== null) await dropCheckpoints(this.#db, organisation, dropFolder);
      } catch (error) {
        onAlarm(error, organisation);
        await this.#recordAlarm(organisation, error);
      }
    }
  }

  async #recordAlarm(organisation: string, error: unknown): Promise<void> {
    const detail = error instanceof Error ? error.message : String(error);
    try {
      await recordAuditAlarm(this.#db, { kind: 'checkpointFailed', organisation, sequence: 0, detail });
    } catch (unrecorded) {
      this.#options.onAlarm(unrecorded, organisation);
    }
  }
}
