import type { Transaction } from '../store/db.ts';

/** Held until the transaction ends by whoever writes or decides proposals: a media is in one open proposal at most. */
export async function lockCandidates(tx: Transaction): Promise<void> {
  await tx.execute('select pg_advisory_xact_lock(4857004)');
}
