import type { Queryable } from '../db.ts';
import { integer, nullable, row, text, timestamp } from '../row-shape.ts';

export interface SearchAlarm {
  readonly alarmId: number;
  readonly at: string;
  /** Which search gave another answer than the scan, and how they differed. */
  readonly search: string;
  readonly detail: string;
  readonly acknowledgedBy: string | null;
}

export async function recordSearchAlarm(
  db: Queryable,
  { search, detail }: { readonly search: string; readonly detail: string },
): Promise<void> {
  await db.execute('insert into search_alarm (search, detail) values ($1, $2)', [search, detail]);
}

/** Alarms that nobody has acknowledged, the latest first. */
export async function openSearchAlarms(db: Queryable): Promise<SearchAlarm[]> {
  return await db.read(
    row({ alarmId: integer, at: timestamp, search: text, detail: text, acknowledgedBy: nullable(text) }),
    'select alarm_id, at, search, detail, acknowledged_by from search_alarm where acknowledged_by is null order by alarm_id desc',
  );
}

/** Takes note of all open alarms; returns how many there were. */
export async function acknowledgeSearchAlarms(db: Queryable, by: string): Promise<number> {
  return await db.execute(
    'update search_alarm set acknowledged_by = $1, acknowledged_at = now() where acknowledged_by is null',
    [by],
  );
}
