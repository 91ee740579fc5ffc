import type { Transaction } from '../db.ts';

const TURN = 4857003;

/** Held until the transaction ends by whoever changes what evidence and leads rest on: a series, or which hash sets are in force. */
export async function lockSeriesChanges(tx: Transaction): Promise<void> {
  await tx.execute(`select pg_advisory_xact_lock(${TURN})`);
}
