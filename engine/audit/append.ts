import type { AuditAct, AuditEntry } from '../../schemas/audit.ts';
import type { Db } from '../store/db.ts';
import { retrying } from '../store/sqlstate.ts';
import { type WriteOptions, writeGroup } from './write-group.ts';

/** Where entries go. An append resolves once its entry is committed, and rejects where it was not. */
export interface AuditSink {
  append(act: AuditAct): Promise<AuditEntry>;
}

/** Adds one entry to the chain of its organisation, in a transaction of its own, and returns it. */
export async function appendAudit(db: Db, act: AuditAct, options: WriteOptions = {}): Promise<AuditEntry> {
  const [entry] = await retrying(async () => await writeGroup(db, [act], options));
  if (entry === undefined) throw new TypeError('expected an entry for the act, received none');
  return entry;
}
