import { PURPOSE_PATTERN } from '../../schemas/access.ts';
import { AUDIT_OPERATIONS } from '../../schemas/audit.ts';
import { GOVERNANCE_OUTPUT_VERSION, type GovernanceReport } from '../../schemas/governance.ts';
import { listCases } from '../erasure/retention.ts';
import type { Queryable } from '../store/db.ts';
import { integer, nullable, oneOf, row, text, timestamp } from '../store/row-shape.ts';
import type { Period } from './period.ts';

const ACT = row({
  operation: oneOf(AUDIT_OPERATIONS),
  action: text,
  purpose: nullable(text),
  started: integer,
  done: integer,
  refused: integer,
  failed: integer,
  interrupted: integer,
});

/** What is told of an organisation's acts in a period. The audit is the source of what was done, the tables of what came of it. */
export async function governanceReport(db: Queryable, organisation: string, period: Period): Promise<GovernanceReport> {
  const acts = (await actsOf(db, organisation, period)).map(({ started, ...act }) => ({
    ...act,
    unfinished: Math.max(0, started - act.done - act.refused - act.failed - act.interrupted),
  }));
  const total = (of: (act: (typeof acts)[number]) => number): number => acts.reduce((sum, act) => sum + of(act), 0);
  return {
    schemaVersion: GOVERNANCE_OUTPUT_VERSION,
    organisation,
    period,
    acts,
    totals: {
      done: total((act) => act.done),
      refused: total((act) => act.refused),
      failed: total((act) => act.failed),
      interrupted: total((act) => act.interrupted),
      unfinished: total((act) => act.unfinished),
    },
    itemTrouble: await itemTrouble(db, organisation, period),
    failedSubmissions: await failedSubmissions(db, organisation, period),
    scans: await scansOf(db, organisation, period),
    erasures: await erasuresOf(db, organisation, period),
    ...(await countsOf(db, organisation, period)),
  };
}

type Scope = readonly [organisation: string, from: string, until: string];
const scope = (organisation: string, { from, until }: Period): Scope => [organisation, from, until];

async function actsOf(db: Queryable, organisation: string, period: Period) {
  return await db.read(
    ACT,
    `select entry->>'operation' as operation, entry->>'action' as action,
            case when entry->>'purpose' is null then null when entry->>'purpose' ~ $4 then entry->>'purpose' else 'free text' end as purpose,
            count(*) filter (where entry->>'outcome' = 'started') as started,
            count(*) filter (where entry->>'outcome' = 'done') as done,
            count(*) filter (where entry->>'outcome' = 'refused') as refused,
            count(*) filter (where entry->>'outcome' = 'failed') as failed,
            count(*) filter (where entry->>'outcome' = 'interrupted') as interrupted
       from audit_entry
      where organisation = $1 and at >= $2 and at < $3
      group by 1, 2, 3 order by 1, 2, 3 limit 10000`,
    [...scope(organisation, period), PURPOSE_PATTERN],
  );
}

async function itemTrouble(db: Queryable, organisation: string, period: Period) {
  return await db.read(
    row({ outcome: text, reason: nullable(text), items: integer }),
    `select i.outcome, i.reason, count(*) as items from item i join batch b using (batch_id)
      where b.organisation = $1 and i.created_at >= $2 and i.created_at < $3 and i.outcome <> 'done'
      group by 1, 2 order by 3 desc, 1, 2 limit 1000`,
    scope(organisation, period),
  );
}

async function failedSubmissions(db: Queryable, organisation: string, period: Period) {
  return await db.read(
    row({ code: text, submissions: integer }),
    `select coalesce(s.failure_code, 'none') as code, count(*) as submissions from submission s join organisation o using (organisation_id)
      where (o.name = $1 or o.organisation_id = $1) and s.submitted_at >= $2 and s.submitted_at < $3 and s.state = 'failed'
      group by 1 order by 2 desc, 1 limit 1000`,
    scope(organisation, period),
  );
}

/** From the audit, which stays when a case is erased: the end of a scan, and the latest beginning before it of the same batch. */
async function scansOf(db: Queryable, organisation: string, period: Period): Promise<GovernanceReport['scans']> {
  const [found] = await db.read(
    row({ ended: integer, milliseconds: integer, items: integer }),
    `with ends as (
       select sequence, at, (select o from jsonb_array_elements_text(entry->'objects') o where o like 'batch identity %' limit 1) as identity
         from audit_entry
        where organisation = $1 and at >= $2 and at < $3 and entry->>'action' in ('scan', 'scan with names revealed')
          and entry->>'outcome' <> 'started'
     )
     select count(*) as ended,
            coalesce(sum(greatest(0, round(extract(epoch from e.at - s.at) * 1000))), 0)::bigint as milliseconds,
            (select count(*) from item i join batch b using (batch_id)
              where b.organisation = $1 and i.created_at >= $2 and i.created_at < $3) as items
       from ends e
       left join lateral (
         select at from audit_entry a
          where a.organisation = $1 and a.sequence < e.sequence and a.entry->>'outcome' = 'started'
            and a.entry->'objects' ? e.identity
          order by a.sequence desc limit 1
       ) s on true`,
    scope(organisation, period),
  );
  const { ended, milliseconds, items } = found ?? { ended: 0, milliseconds: 0, items: 0 };
  return { ended, machineHours: Math.round(milliseconds / 3_600) / 1_000, items };
}

async function erasuresOf(db: Queryable, organisation: string, period: Period): Promise<GovernanceReport['erasures']> {
  return await db.read(
    row({
      outcome: text,
      closedAt: timestamp,
      erasedAt: nullable(timestamp),
      items: integer,
      media: integer,
      backupsGoneBy: nullable(text),
      leftToOperator: integer,
    }),
    `select outcome, closed_at, erased_at, coalesce((counts->>'item')::bigint, 0) as items, coalesce((counts->>'media')::bigint, 0) as media,
            backups_gone_by::text as backups_gone_by, coalesce(jsonb_array_length(left_to_operator), 0) as left_to_operator
       from case_closure
      where organisation = $1 and closed_at >= $2 and closed_at < $3 and erasure is not null order by closure_id limit 10000`,
    scope(organisation, period),
  );
}

async function countsOf(
  db: Queryable,
  organisation: string,
  period: Period,
): Promise<Pick<GovernanceReport, 'closedKept' | 'reviews' | 'custody' | 'suspendedRecords' | 'alarms'>> {
  const [found] = await db.read(
    row({
      closedKept: integer,
      decidedKeep: integer,
      decidedErase: integer,
      events: integer,
      changedDigests: integer,
      suspended: integer,
      resumed: integer,
      inForceNow: integer,
      raised: integer,
      openNow: integer,
    }),
    `select
       (select count(*) from case_closure where organisation = $1 and closed_at >= $2 and closed_at < $3 and erasure is null) as closed_kept,
       (select count(*) from retention_decision
         where organisation = $1 and decided_at >= $2 and decided_at < $3 and decision = 'keep') as decided_keep,
       (select count(*) from retention_decision
         where organisation = $1 and decided_at >= $2 and decided_at < $3 and decision = 'erase') as decided_erase,
       (select count(*) from custody_event where organisation = $1 and recorded_at >= $2 and recorded_at < $3) as events,
       (select count(*) from custody_event
         where organisation = $1 and recorded_at >= $2 and recorded_at < $3 and sha256_before <> sha256_after) as changed_digests,
       (select count(*) from known_suspension where suspended_at >= $2 and suspended_at < $3) as suspended,
       (select count(*) from known_suspension where resumed_at >= $2 and resumed_at < $3) as resumed,
       (select count(*) from known_suspension where resumed_at is null) as in_force_now,
       (select count(*) from search_alarm where at >= $2 and at < $3) as raised,
       (select count(*) from search_alarm where acknowledged_at is null) as open_now`,
    scope(organisation, period),
  );
  if (found === undefined) throw new Error('a select without from gave no row');
  const {
    closedKept,
    decidedKeep,
    decidedErase,
    events,
    changedDigests,
    suspended,
    resumed,
    inForceNow,
    raised,
    openNow,
  } = found;
  return {
    closedKept,
    reviews: { decidedKeep, decidedErase, dueNow: (await listCases(db, organisation, true)).length },
    custody: { events, changedDigests },
    suspendedRecords: { suspended, resumed, inForceNow },
    alarms: { raised, openNow },
  };
}
