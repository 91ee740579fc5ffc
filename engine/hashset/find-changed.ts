import type { Transaction } from '../store/db.ts';
import { integer, row } from '../store/row-shape.ts';
import { TEMPORARY_STAGE } from './stage-tables.ts';

const ADD = TEMPORARY_STAGE.add;
const WITHDRAW = TEMPORARY_STAGE.withdraw;

/**
 * Temporary tables of one update, in which rows of the delta meet records in force.
 * change_withdrawn: what is taken back. change_same: which record a row of the delta is; fresh: the row brings a hash that it lacks.
 */
const CREATE_SQL = `
create temporary table change_withdrawn (record_id bigint not null, row_no bigint not null, reason text) on commit drop;
create temporary table change_same (row_no bigint not null, record_id bigint not null, fresh boolean not null default false) on commit drop;`;

// By the strongest digest that both have; a key beside it has to agree. Without a digest the key names, and without either a PDQ does.
const WITHDRAWN_SQL = `
insert into change_withdrawn (record_id, row_no, reason)
select record_id, row_no, reason from (
  select r.record_id, w.row_no, w.tags as reason, w.source_key as wanted_key, r.source_key
    from ${WITHDRAW.records.table} w join known_record r on r.set_id = $1 and r.sha256 = w.sha256
  union all
  select r.record_id, w.row_no, w.tags, w.source_key, r.source_key
    from ${WITHDRAW.records.table} w join known_record r on r.set_id = $1 and r.sha1 = w.sha1
   where w.sha256 is null or r.sha256 is null
  union all
  select r.record_id, w.row_no, w.tags, w.source_key, r.source_key
    from ${WITHDRAW.records.table} w join known_record r on r.set_id = $1 and r.md5 = w.md5
   where (w.sha256 is null or r.sha256 is null) and (w.sha1 is null or r.sha1 is null)
  union all
  select r.record_id, w.row_no, w.tags, w.source_key, r.source_key
    from ${WITHDRAW.records.table} w join known_record r on r.set_id = $1 and r.source_key = w.source_key
   where coalesce(w.sha256, w.sha1, w.md5) is null
  union all
  select b.record_id, w.row_no, w.tags, null, null
    from ${WITHDRAW.records.table} w
    join ${WITHDRAW.bits.table} wb on wb.row_no = w.row_no
    join known_bits b on b.set_id = $1 and b.algorithm in ('pdq', 'pdq-512', 'pdq-full') and b.bits = wb.bits
   where coalesce(w.sha256, w.sha1, w.md5) is null and w.source_key is null
) named
where wanted_key is null or source_key = wanted_key`;

// A record without digests is the same when it has every hash of the row; which record a key names is the source's to change.
const SAME_SQL = `
insert into change_same (row_no, record_id)
select distinct on (row_no) row_no, record_id from (
  select s.row_no, r.record_id, 1 as rank
    from ${ADD.records.table} s join known_record r on r.set_id = $1 and r.sha256 = s.sha256
  union all
  select s.row_no, r.record_id, 2
    from ${ADD.records.table} s join known_record r on r.set_id = $1 and r.sha1 = s.sha1
   where s.sha256 is null or r.sha256 is null
  union all
  select s.row_no, r.record_id, 3
    from ${ADD.records.table} s join known_record r on r.set_id = $1 and r.md5 = s.md5
   where (s.sha256 is null or r.sha256 is null) and (s.sha1 is null or r.sha1 is null)
  union all
  select s.row_no, b.record_id, 4
    from ${ADD.records.table} s
    join ${ADD.bits.table} sb on sb.row_no = s.row_no
    join known_bits b on b.set_id = $1 and b.algorithm = sb.algorithm and b.bits = sb.bits
    join known_record r on r.record_id = b.record_id and coalesce(r.sha256, r.sha1, r.md5) is null
   where coalesce(s.sha256, s.sha1, s.md5) is null
   group by s.row_no, b.record_id
  having count(distinct (sb.algorithm, sb.bits)) = (
    select count(distinct (o.algorithm, o.bits)) from ${ADD.bits.table} o where o.row_no = s.row_no)
) found
where not exists (select from change_withdrawn g where g.record_id = found.record_id)
order by row_no, rank, record_id`;

// Of two rows that are one record, such as by SHA-256 and by MD5, the first counts.
const TWICE_SQL = `
with twice as (
  delete from change_same s using change_same o where o.record_id = s.record_id and o.row_no < s.row_no returning s.row_no
)
delete from ${ADD.records.table} r using (select distinct row_no from twice) t where t.row_no = r.row_no`;

const FRESH_SQL = `
update change_same m set fresh = true
  from ${ADD.records.table} s, known_record r
 where s.row_no = m.row_no and r.record_id = m.record_id and (
       (s.sha256 is not null and r.sha256 is null)
    or (s.sha1 is not null and r.sha1 is null)
    or (s.md5 is not null and r.md5 is null)
    or exists (select from ${ADD.bits.table} b where b.row_no = m.row_no and not exists (
         select from known_bits k where k.record_id = m.record_id and k.algorithm = b.algorithm and k.bits = b.bits))
    or exists (select from ${ADD.photoDna.table} p where p.row_no = m.row_no and not exists (
         select from known_photodna k where k.record_id = m.record_id and k.value = p.value)))`;

export interface FoundChanges {
  /** Rows of the delta that repeat another row of it. */
  readonly duplicates: number;
  /** Withdrawals that name no record in force. */
  readonly notFound: number;
  readonly withdrawn: number;
}

/** Finds which records of the set the staged rows of a delta are, in the caller's transaction. */
export async function findChanged(tx: Transaction, setId: number): Promise<FoundChanges> {
  await tx.script(CREATE_SQL);
  // The planner takes a table that was just loaded for a small one and would look each of a million rows up by a scan of the set.
  for (const { records, bits, photoDna } of [ADD, WITHDRAW])
    await tx.execute(`analyze ${records.table}, ${bits.table}, ${photoDna.table}`);
  await tx.execute(WITHDRAWN_SQL, [setId]);
  await tx.execute('analyze change_withdrawn');
  await tx.execute(SAME_SQL, [setId]);
  const duplicates = await tx.execute(TWICE_SQL);
  await tx.execute('analyze change_same');
  await tx.execute(FRESH_SQL);
  const [counted] = await tx.read(
    row({ notFound: integer, withdrawn: integer }),
    `select (select count(*) from ${WITHDRAW.records.table} w
              where not exists (select from change_withdrawn g where g.row_no = w.row_no)) as not_found,
            (select count(distinct record_id) from change_withdrawn) as withdrawn`,
  );
  return { duplicates, notFound: counted?.notFound ?? 0, withdrawn: counted?.withdrawn ?? 0 };
}
