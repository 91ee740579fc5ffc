import type { Queryable } from '../store/db.ts';
import { bool, integer, oneOf, row, text, timestamp } from '../store/row-shape.ts';

const AUDIT_ALARMS = ['clockSteppedBack', 'checkpointFailed', 'witnessConflict'] as const;
type AuditAlarmKind = (typeof AUDIT_ALARMS)[number];

export interface AuditAlarm {
  readonly alarmId: number;
  /** By the clock of the database. */
  readonly at: string;
  readonly kind: AuditAlarmKind;
  /** Whose chain it is about. */
  readonly organisation: string;
  readonly sequence: number;
  readonly detail: string;
}

/**
 * Raises an alarm. One of its kind that is open for the organisation is enough: two machines whose clocks differ would add one with
 * every entry. A contradiction between copies is recorded each time, being evidence.
 */
export async function recordAuditAlarm(db: Queryable, alarm: Omit<AuditAlarm, 'alarmId' | 'at'>): Promise<void> {
  await db.execute(
    `insert into audit_alarm (kind, organisation, sequence, detail)
     select $1::text, $2::text, $3::bigint, $4::text
      where $1::text = 'witnessConflict'
         or not exists (select 1 from audit_alarm where kind = $1::text and organisation = $2::text and cleared_at is null)`,
    [alarm.kind, alarm.organisation, alarm.sequence, alarm.detail.slice(0, 1_000)],
  );
}

const ALARM = row({
  alarmId: integer,
  at: timestamp,
  kind: oneOf(AUDIT_ALARMS),
  organisation: text,
  sequence: integer,
  detail: text,
});

/** Alarms that nobody has cleared, the latest first. */
export async function openAuditAlarms(db: Queryable): Promise<AuditAlarm[]> {
  return await db.read(
    ALARM,
    'select alarm_id, at, kind, organisation, sequence, detail from audit_alarm where cleared_at is null order by alarm_id desc limit 1000',
  );
}

/**
 * Whether a clock stepped back and no person has said that it is right again. While it is so, nothing may be decided by the
 * first or last day of an agreement: a clock that is wrong lets one in that has ended.
 */
export async function clockSteppedBack(db: Queryable): Promise<boolean> {
  const [found] = await db.read(
    row({ stepped: bool }),
    `select exists (select 1 from audit_alarm where kind = 'clockSteppedBack' and cleared_at is null) as stepped`,
  );
  return found?.stepped ?? true;
}

/** Clears all open alarms up to a number, which the person has seen; returns how many there were. */
export async function clearAuditAlarms(
  db: Queryable,
  { upTo, by, justification }: { readonly upTo: number; readonly by: string; readonly justification: string },
): Promise<number> {
  return await db.execute(
    'update audit_alarm set cleared_by = $2, cleared_at = now(), justification = $3 where cleared_at is null and alarm_id <= $1',
    [upTo, by, justification.slice(0, 2_000)],
  );
}
