import type { Member } from '../../schemas/access.ts';
import { HomewardError } from '../../schemas/error.ts';
import type { Db, Queryable } from '../store/db.ts';
import { integer, real, row } from '../store/row-shape.ts';

/** The quota or the rate is spent; nothing was counted. */
export class QuotaSpentError extends HomewardError {
  /** From when on it makes sense to ask again: the next day (UTC) or the next minute. */
  readonly retryAfterSeconds: number;

  constructor(message: string, retryAfterSeconds: number) {
    super('HW_QUOTA_SPENT', message);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/**
 * Counts look-ups before they are made: against the day of the organisation and the minute of the principal where an agreement limits
 * them, and for what is usual of the principal. All or none, over all nodes, by the database's clock.
 * @throws QuotaSpentError (HW_QUOTA_SPENT)
 */
export async function countLookUps(db: Db, member: Member, count: number, at: Date | null = null): Promise<void> {
  const { agreement, organisationId, principalId } = member;
  const [counted] = await db.read(
    row({ waitSeconds: integer }),
    'select count_look_ups($1, $2, $3, $4, $5, coalesce($6::timestamptz, clock_timestamp())) as wait_seconds',
    [
      organisationId,
      principalId,
      count,
      agreement?.dailyQuota ?? null,
      agreement?.perMinute ?? null,
      at?.toISOString() ?? null,
    ],
  );
  const waitSeconds = counted?.waitSeconds ?? 0;
  if (waitSeconds === 0 || agreement === null) return;
  const { dailyQuota, perMinute } = agreement;
  throw new QuotaSpentError(
    `expected up to ${dailyQuota} look-ups a day of the organisation and ${perMinute} a minute of one caller, received ${count} more; ` +
      (count > Math.min(dailyQuota, perMinute)
        ? `ask for at most ${Math.min(dailyQuota, perMinute)} at once`
        : `ask again in ${waitSeconds} s`),
    waitSeconds,
  );
}

/** What a principal looked up today, and on a usual day: the mean of the days of the last four weeks on which it looked anything up. */
export async function lookUpBaseline(
  db: Queryable,
  principalId: string,
  at: Date = new Date(),
): Promise<{ readonly today: number; readonly usual: number }> {
  const [found] = await db.read(
    row({ today: integer, usual: real }),
    `select coalesce(sum(look_ups) filter (where day = $2::date), 0) as today,
            coalesce(avg(look_ups) filter (where day < $2::date), 0)::float8 as usual
       from look_up_person_day where principal_id = $1 and day between $2::date - 28 and $2::date`,
    [principalId, at.toISOString().slice(0, 10)],
  );
  return found ?? { today: 0, usual: 0 };
}
