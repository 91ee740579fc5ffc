import type { AuditAct } from '../../schemas/audit.ts';
import { HomewardError } from '../../schemas/error.ts';
import type { Db } from '../store/db.ts';
import { appendAudit } from './append.ts';

/** An act whose outcome is not known yet. */
export type PlannedAct = Omit<AuditAct, 'outcome'>;

export interface Audited<T> {
  readonly result: T;
  /** Identifiers that became known by doing it, such as the batch; they join those of the plan. */
  readonly objects?: readonly string[];
  /** `done` unless it says otherwise. */
  readonly outcome?: 'done' | 'refused' | 'interrupted';
}

/** Usage errors say that the act was not allowed or made no sense, rather than that it broke. */
const EXIT_USAGE = 2;

/**
 * Does something that touches case material, recorded before and after. The entry `started` comes first: what cannot be
 * recorded is not done. The second entry says how it ended; a process that is killed leaves `started` alone, which says that too.
 * @throws HW_AUDIT_UNWRITABLE when either entry cannot be written, and what `work` throws
 */
export async function withAudit<T>(db: Db, act: PlannedAct, work: () => Promise<Audited<T>>): Promise<T> {
  await write(db, { ...act, outcome: 'started' }, 'nothing was done');
  let audited: Audited<T>;
  try {
    audited = await work();
  } catch (error) {
    const refused = error instanceof HomewardError && error.exitCode === EXIT_USAGE;
    try {
      await write(db, { ...act, outcome: refused ? 'refused' : 'failed' }, 'it had failed');
    } catch (unwritten) {
      if (unwritten instanceof HomewardError) unwritten.cause = new AggregateError([error, unwritten.cause]);
      throw unwritten;
    }
    throw error;
  }
  const objects = [...new Set([...act.objects, ...(audited.objects ?? [])])];
  await write(
    db,
    { ...act, objects, outcome: audited.outcome ?? 'done' },
    'it was done and is recorded as started only',
  );
  return audited.result;
}

async function write(db: Db, act: AuditAct, state: string): Promise<void> {
  try {
    await appendAudit(db, act);
  } catch (error) {
    throw new HomewardError(
      'HW_AUDIT_UNWRITABLE',
      `expected the audit entry of ${act.action} to be written, received a refusal of the database; ${state}; check the database and its free space`,
      { cause: error },
    );
  }
}
