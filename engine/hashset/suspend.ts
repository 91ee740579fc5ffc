import { HomewardError } from '../../schemas/error.ts';
import { followMedia, type LeadsFollowed } from '../leads/follow-sets.ts';
import type { Db, Queryable, Transaction } from '../store/db.ts';
import { storableText } from '../store/db.ts';
import { noteSearchedAgain, noteWithdrawn } from '../store/queries/known-changes.ts';
import { evidenceAgainSql } from '../store/queries/record-matches.ts';
import { lockSeriesChanges } from '../store/queries/series-turn.ts';
import { integer, nullable, row, text, timestamp } from '../store/row-shape.ts';
import { retrying } from '../store/sqlstate.ts';
import { FLAG_NAMES } from './formats/record-batch.ts';

/** A record out of the search until a person resumes it, as its source is to be told. */
export interface SuspendedRecord {
  readonly recordId: number;
  readonly source: string;
  readonly setName: string;
  readonly setVersion: number;
  readonly sourceKey: string | null;
  readonly cases: number | null;
  readonly reason: string;
  readonly suspendedAt: string;
}

/** Of known_record.flags: whether the flag was given, and that it is true. */
const DISTRIBUTED = 0b11 << (2 * FLAG_NAMES.indexOf('distributed'));

// A case counts once for each unit that works on it, however many exhibits and files of it are hit. What a person resumed stays searched.
// What its source calls distributed is expected in many cases, and leaving it out of the search would hide it everywhere.
const OVERUSED_SQL = `
select t.record_id, t.set_id, count(distinct (b.organisation, b.case_ref)) as cases
  from match t
  join item i on i.media_id = t.media_id
  join batch b on b.batch_id = i.batch_id
 where t.record_id = any($1::bigint[]) and t.withdrawn_at is null
   and not exists (select from known_suspension x where x.record_id = t.record_id)
   and not exists (select from known_record r where r.record_id = t.record_id and r.flags & ${DISTRIBUTED} = ${DISTRIBUTED})
 group by t.record_id, t.set_id
having count(distinct (b.organisation, b.case_ref)) > $2
 order by t.set_id, t.record_id`;

const OVERUSED = row({ recordId: integer, setId: integer, cases: integer });

/**
 * Suspends those of these records that hit more than `mostCases` unrelated cases: a logo, a blank page or a poisoned record in a set.
 * They are not searched any more, their evidence is withdrawn and leads follow. In a transaction of its own, after the one that
 * recorded the matches: it waits for every scan that is recording evidence of these sets.
 * @param mostCases 0: nothing is ever suspended
 */
export async function suspendOverused(
  db: Db,
  recordIds: readonly number[],
  mostCases: number,
): Promise<SuspendedRecord[]> {
  if (recordIds.length === 0 || mostCases === 0) return [];
  // Asked first without a lock: nearly always there is none.
  if ((await db.read(OVERUSED, OVERUSED_SQL, [recordIds, mostCases])).length === 0) return [];
  return await retrying(
    async () =>
      await db.transaction(async (tx) => {
        await tx.query(
          `select set_id from hash_set where set_id in (select set_id from known_record where record_id = any($1::bigint[]))
            order by set_id for no key update`,
          [recordIds],
        );
        const overused = await tx.read(OVERUSED, OVERUSED_SQL, [recordIds, mostCases]);
        if (overused.length === 0) return [];
        for (const { recordId, setId, cases } of overused) {
          await tx.execute(
            `insert into known_suspension (record_id, set_id, reason, cases) values ($1, $2, $3, $4) on conflict do nothing`,
            [recordId, setId, `it hit ${cases} unrelated cases, where ${mostCases} are allowed`, cases],
          );
        }
        const ids = overused.map((one) => one.recordId);
        await lockSeriesChanges(tx);
        await tx.execute(
          'update match set withdrawn_at = now() where record_id = any($1::bigint[]) and withdrawn_at is null',
          [ids],
        );
        await refreshTouched(tx, ids);
        await noteWithdrawn(
          tx,
          overused.map(({ recordId, setId }) => ({ setId, firstRecordId: recordId, lastRecordId: recordId })),
        );
        return await suspendedAmong(tx, ids);
      }),
  );
}

/** Of all media with evidence that this transaction withdrew or brought back. */
async function refreshTouched(tx: Transaction, recordIds: readonly number[]): Promise<LeadsFollowed> {
  const touched = await tx.read(
    row({ mediaId: integer }),
    `select distinct media_id from match
      where record_id = any($1::bigint[]) and (withdrawn_at = now() or (withdrawn_at is null and created_at = now()))`,
    [recordIds],
  );
  return await followMedia(
    tx,
    touched.map((one) => one.mediaId),
  );
}

const SUSPENDED = row({
  recordId: integer,
  source: text,
  setName: text,
  setVersion: integer,
  sourceKey: nullable(text),
  cases: nullable(integer),
  reason: text,
  suspendedAt: timestamp,
});

const SUSPENDED_SQL = `
select x.record_id, s.source, s.name as set_name, s.version as set_version, r.source_key, x.cases, x.reason, x.suspended_at
  from known_suspension x
  join known_record r on r.record_id = x.record_id
  join hash_set s on s.set_id = r.set_id and s.state = 'active'
 where x.resumed_at is null`;

/** Every suspended record of a set in force, by source, as it is to be told. */
export async function listSuspended(db: Queryable): Promise<SuspendedRecord[]> {
  return await db.read(SUSPENDED, `${SUSPENDED_SQL} order by s.source, s.name, x.record_id`);
}

async function suspendedAmong(db: Queryable, recordIds: readonly number[]): Promise<SuspendedRecord[]> {
  return await db.read(SUSPENDED, `${SUSPENDED_SQL} and x.record_id = any($1::bigint[]) order by x.record_id`, [
    recordIds,
  ]);
}

/**
 * Takes a record into the search again, with the evidence that its suspension had withdrawn. It is not suspended by the same rule again:
 * somebody looked at it.
 * @throws HomewardError HW_RECORD_NOT_FOUND
 */
export async function resumeRecord(
  db: Db,
  resume: { readonly recordId: number; readonly resumedBy: string; readonly justification: string },
): Promise<{ readonly record: SuspendedRecord; readonly leads: LeadsFollowed }> {
  const { recordId } = resume;
  return await retrying(
    async () =>
      await db.transaction(async (tx) => {
        const [record] = await suspendedAmong(tx, [recordId]);
        const [resumed] = await tx.read(
          row({ setId: integer, suspendedAt: text }),
          `update known_suspension set resumed_at = now(), resumed_by = $2, resume_reason = $3
            where record_id = $1 and resumed_at is null returning set_id, suspended_at::text as suspended_at`,
          [recordId, storableText(resume.resumedBy), storableText(resume.justification)],
        );
        if (record === undefined || resumed === undefined) throw notSuspended(recordId);
        const { setId } = resumed;
        await tx.query('select set_id from hash_set where set_id = $1 for no key update', [setId]);
        await lockSeriesChanges(tx);
        await tx.execute(
          `${evidenceAgainSql('t', 'r')}
             from match t join known_record r on r.record_id = t.record_id
            where t.record_id = $1 and t.withdrawn_at = $2::timestamptz
           on conflict do nothing`,
          [recordId, resumed.suspendedAt],
        );
        const leads = await refreshTouched(tx, [recordId]);
        await noteSearchedAgain(tx, { setId, firstRecordId: recordId, lastRecordId: recordId });
        return { record, leads };
      }),
  );
}

function notSuspended(recordId: number): HomewardError {
  return new HomewardError(
    'HW_RECORD_NOT_FOUND',
    `expected the number of a suspended record, received ${recordId}; homeward hashset suspended lists them`,
  );
}
