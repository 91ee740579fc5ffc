import type { Queryable, Transaction } from '../db.ts';
import { row, text } from '../row-shape.ts';

/**
 * Who may go when what evidence rests on changes while a scan records: one advisory lock. It is taken alone by whoever changes a series or
 * the hash sets in force, and together by scans, in each transaction that records vectors, evidence or leads. So each of these comes
 * wholly before a change, which then sees its vectors, evidence and leads and takes them along, or wholly after, and then sees what
 * the series hold now. Without it neither sees what the other has not committed: a picture that becomes known while its vectors
 * are recorded would stay out of the gallery for good, and evidence of a face that was just taken out would stay in force.
 *
 * Searching is not done under the lock, since it may take long, and an embedded database has no second connection for it. A search notes
 * the revision it was made at, and is made again where that is another when its evidence is recorded.
 *
 * The lock comes before the rows of matches, series and leads, and after those of hash sets.
 */
const TURN = 4857003;

/** Held until the transaction ends by whoever changes what evidence and leads rest on: a series, or which hash sets are in force. */
export async function lockSeriesChanges(tx: Transaction): Promise<void> {
  await tx.execute(`select pg_advisory_xact_lock(${TURN})`);
}

/** Keeps the series as they are until the transaction ends, beside others that do the same. */
export async function holdSeries(tx: Transaction): Promise<void> {
  await tx.execute(`select pg_advisory_xact_lock_shared(${TURN})`);
}

/** Differs after every change of a series and every undoing of one. */
export async function seriesRevision(db: Queryable): Promise<string> {
  const [found] = await db.read(
    row({ revision: text }),
    `select coalesce(max(change_id), 0) || ' ' || count(undone_at) as revision from series_change`,
  );
  return found?.revision ?? '';
}
