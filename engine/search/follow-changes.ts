import { setTimeout as delay } from 'node:timers/promises';
import type { Db } from '../store/db.ts';
import { KNOWN_CHANGES_CHANNEL, latestKnownChange } from '../store/queries/known-changes.ts';

export interface FollowOptions {
  /** The last change that was seen. */
  readonly after: number;
  /** Longest time between two looks. The server tells of a change at once; what it told while the line was down is found by looking. */
  readonly pollMs: number;
  readonly signal: AbortSignal;
  /** Called with the number of the latest change, once it is another one than before; the next look waits for it. */
  readonly onChange: (changeId: number) => Promise<void>;
  /** A look that failed, such as while the server restarts; the next one is after `pollMs`. */
  readonly onFailure: (error: unknown) => void;
}

/** Follows what comes into the search and leaves it, until `signal` is aborted. */
export async function followKnownChanges(db: Db, options: FollowOptions): Promise<void> {
  let wake = new AbortController();
  let seen = options.after;
  await using _listening = await db.listen(KNOWN_CHANGES_CHANNEL, () => wake.abort());
  while (!options.signal.aborted) {
    // Made anew before the look: what is told from here on is not slept through.
    wake = new AbortController();
    try {
      const latest = await latestKnownChange(db);
      if (latest !== seen) {
        await options.onChange(latest);
        seen = latest;
      }
    } catch (error) {
      options.onFailure(error);
    }
    await delay(options.pollMs, undefined, { signal: AbortSignal.any([options.signal, wake.signal]) }).catch(
      () => undefined,
    );
  }
}
