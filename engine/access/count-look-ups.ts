import type { Member } from '../../schemas/access.ts';
import { HomewardError } from '../../schemas/error.ts';
import type { Db, Queryable } from '../store/db.ts';
import { Grouped } from '../store/grouped.ts';
import { keptPlan } from '../store/kept-plan.ts';
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

interface Count {
  readonly member: Member;
  readonly count: number;
  /** Null: by the database's clock. */
  readonly at: Date | null;
}

/** More of a group gained nothing. */
const MOST_OF_GROUP = 256;

/**
 * Counts look-ups before they are made: against the day of the organisation and the minute of the principal where an agreement limits
 * them, and for what is usual of the principal. All or none of one request, over all nodes, by the database's clock.
 * Requests that come at once are counted together, since all of an organisation wait for the same row.
 */
export class LookUpCounts {
  readonly #groups: Grouped<Count, number>;

  constructor(db: Db) {
    this.#groups = new Grouped({ most: MOST_OF_GROUP, work: async (group) => await countGroup(db, group) });
  }

  /** @throws QuotaSpentError (HW_QUOTA_SPENT) */
  async count(member: Member, count: number, at: Date | null = null): Promise<void> {
    const waitSeconds = await this.#groups.ask({ member, count, at });
    const { agreement } = member;
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
}

/** Seconds to wait, by position: 0 where it was counted. Together first; where together is too much, each by itself, as they came. */
async function countGroup(db: Db, group: readonly Count[]): Promise<number[]> {
  const callers = [...Map.groupBy(group, sameCaller).entries()]
    // In one order for all nodes, so that none waits for a row of the other in a ring.
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, counts]) => counts);
  const together = await countEach(
    db,
    callers.flatMap((counts) =>
      counts.slice(0, 1).map((one) => ({ ...one, count: counts.reduce((sum, { count }) => sum + count, 0) })),
    ),
  );
  const tooMany = callers.filter((counts, at) => counts.length > 1 && together[at] !== 0).flat();
  const alone = tooMany.length === 0 ? [] : await countEach(db, tooMany);
  const waits = new Map<Count, number>(tooMany.map((one, at) => [one, alone[at] ?? 0]));
  for (const [at, counts] of callers.entries())
    for (const one of counts) if (!waits.has(one)) waits.set(one, together[at] ?? 0);
  return group.map((one) => waits.get(one) ?? 0);
}

const sameCaller = ({ member, at }: Count): string =>
  JSON.stringify([
    member.organisationId,
    member.principalId,
    member.agreement?.dailyQuota,
    member.agreement?.perMinute,
    at?.getTime(),
  ]);

const COUNT_SQL = keptPlan(
  `select count_look_ups(c.organisation_id, c.principal_id, c.look_ups, c.a_day, c.a_minute, coalesce(c.at, clock_timestamp())) as wait_seconds
       from unnest($1::text[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::timestamptz[])
         as c (organisation_id, principal_id, look_ups, a_day, a_minute, at)`,
);

async function countEach(db: Db, counts: readonly Count[]): Promise<number[]> {
  const counted = await db.read(row({ waitSeconds: integer }), COUNT_SQL, [
    counts.map(({ member }) => member.organisationId),
    counts.map(({ member }) => member.principalId),
    counts.map(({ count }) => count),
    counts.map(({ member }) => member.agreement?.dailyQuota ?? null),
    counts.map(({ member }) => member.agreement?.perMinute ?? null),
    counts.map(({ at }) => at?.toISOString() ?? null),
  ]);
  return counted.map(({ waitSeconds }) => waitSeconds);
}

/**
 * Counts records of a list that was handed in against the day of its organisation, where an agreement in force limits it; a rate a minute is
 * for single requests. @throws HW_QUOTA_SPENT; nothing was counted then
 */
export async function countListed(
  db: Db,
  { organisationId, submittedBy }: { readonly organisationId: string; readonly submittedBy: string },
  count: number,
): Promise<void> {
  const [counted] = await db.read(
    row({ waitSeconds: integer }),
    `select count_look_ups($1, $2, $3,
       (select daily_quota from agreement
         where organisation_id = $1 and activated_at is not null and revoked_at is null
           and (now() at time zone 'UTC')::date between first_day and last_day
         order by activated_at desc limit 1), null, clock_timestamp()) as wait_seconds`,
    [organisationId, submittedBy, count],
  );
  const waitSeconds = counted?.waitSeconds ?? 0;
  if (waitSeconds > 0)
    throw new QuotaSpentError(
      `expected no more records than the day of the organisation has left, received ${count} more; hand in the rest in ${waitSeconds} s`,
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
