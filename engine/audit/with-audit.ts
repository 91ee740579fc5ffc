import type { AuditAct } from '../../schemas/audit.ts';
import { HomewardError } from '../../schemas/error.ts';
import type { Db } from '../store/db.ts';
import { type AuditSink, appendAudit } from './append.ts';

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
 * `to` is the database, or what writes the entries of many in groups.
 * @throws HW_AUDIT_UNWRITABLE when either entry cannot be written, and what `work` throws
 */
export async function withAudit<T>(to: Db | AuditSink, act: PlannedAct, work: () => Promise<Audited<T>>): Promise<T> {
  const sink: AuditSink = 'append' in to ? to : { append: async (done) => await appendAudit(to, done) };
  await write(sink, { ...act, outcome: 'started' }, 'nothing was done');
  let audited: Audited<T>;
  try {
    audited = await work();
  } catch (error) {
    const refused = error instanceof HomewardError && error.exitCode === EXIT_USAGE;
    try {
      await write(sink, { ...act, outcome: refused ? 'refused' : 'failed' }, 'it had failed');
    } catch (unwritten) {
      if (unwritten instanceof HomewardError) unwritten.cause = new AggregateError([error, unwritten.cause]);
      throw unwritten;
    }
    throw error;
  }
  const objects = [...new Set([...act.objects, ...(audited.objects ?? [])])];
  await write(
    sink,
    { ...act, objects, outcome: audited.outcome ?? 'done' },
    'it was done and is recorded as started only',
  );
  return audited.result;
}

async function write(sink: AuditSink, act: AuditAct, state: string): Promise<void> {
  try {
    await sink.append(act);
  } catch (error) {
    throw new HomewardError(
      'HW_AUDIT_UNWRITABLE',
      `expected the audit entry of ${act.action} to be written, received a refusal of the database; ${state}; check the database and its free space`,
      { cause: error },
    );
  }
}
