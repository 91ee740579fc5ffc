import type { Transaction } from '../store/db.ts';
import { noteAdded, noteWithdrawn, type RecordBlock } from '../store/queries/known-changes.ts';
import { evidenceAgainSql } from '../store/queries/record-matches.ts';
import { integer, row } from '../store/row-shape.ts';
import { numberBlock } from './promote.ts';
import { TEMPORARY_STAGE } from './stage-tables.ts';

const ADD = TEMPORARY_STAGE.add;

/** Flags that the delta gives: the first of the two bits of each. */
const GIVEN_FLAGS = 0b01_01_01_01_01;

export interface AppliedChanges {
  readonly added: number;
  /** Category, series, tags, key or flags changed; the number stays. */
  readonly recategorised: number;
  /** A hash came to it: it is another record with another number from now on, and evidence passes on to that. */
  readonly replaced: number;
  /** To be noted last of all. */
  readonly addedBlock: RecordBlock;
}

/**
 * New records come in, and those to which a hash came come again with all that both had. Numbers are one block, as at an import.
 * What the delta does not give stays as it was.
 */
export async function insertRecords(
  tx: Transaction,
  set: { readonly setId: number; readonly source: string },
): Promise<AppliedChanges> {
  const { setId, source } = set;
  await tx.execute(
    `insert into series (source, name) select distinct $1, series from ${ADD.records.table} where series is not null on conflict do nothing`,
    [source],
  );
  const [counted] = await tx.read(
    row({ numbers: integer, replaced: integer }),
    `select (select coalesce(max(row_no) + 1, 0) from ${ADD.records.table}) as numbers,
            (select count(*) from change_same where fresh) as replaced`,
  );
  const { numbers, replaced } = counted ?? { numbers: 0, replaced: 0 };
  const recategorised = await recategorise(tx, source);
  const first = await numberBlock(tx, numbers);
  const inserted = await tx.execute(
    `insert into known_record (record_id, set_id, source_key, md5, sha1, sha256, size_bytes, category_code, series_id, tags, flags)
     overriding system value
     select $1::bigint + s.row_no, $2, coalesce(s.source_key, r.source_key), coalesce(s.md5, r.md5), coalesce(s.sha1, r.sha1),
            coalesce(s.sha256, r.sha256), coalesce(s.size_bytes, r.size_bytes), coalesce(s.category_code, r.category_code),
            coalesce(e.series_id, r.series_id), coalesce(s.tags, r.tags), ${mergedFlags('s.flags', 'coalesce(r.flags, 0)')}
       from ${ADD.records.table} s
       left join change_same m on m.row_no = s.row_no
       left join known_record r on r.record_id = m.record_id
       left join series e on e.source = $3 and e.name = s.series
      where m.row_no is null or m.fresh`,
    [first, setId, source],
  );
  const isInserted = 'not exists (select from change_same m where m.row_no = n.row_no and not m.fresh)';
  const isKept = `exists (select from ${ADD.records.table} s where s.row_no = n.row_no)`;
  await tx.execute(
    `insert into known_bits (record_id, set_id, algorithm, bits, quality)
     select $1::bigint + n.row_no, $2::bigint, n.algorithm, n.bits, n.quality from ${ADD.bits.table} n where ${isInserted} and ${isKept}
     union all
     select $1::bigint + m.row_no, $2::bigint, b.algorithm, b.bits, b.quality
       from change_same m join known_bits b on b.record_id = m.record_id
      where m.fresh and not exists (
        select from ${ADD.bits.table} n where n.row_no = m.row_no and n.algorithm = b.algorithm and n.bits = b.bits)`,
    [first, setId],
  );
  // Orientations as the delta supplies them, and after them those that only the old record had.
  await tx.execute(
    `insert into known_photodna (record_id, set_id, orientation, value)
     select record_id, $2::bigint, least(15, row_number() over (partition by record_id order by old, orientation) - 1), value from (
       select $1::bigint + n.row_no as record_id, 0 as old, n.orientation, n.value
         from ${ADD.photoDna.table} n where ${isInserted} and ${isKept}
       union all
       select $1::bigint + m.row_no, 1, p.orientation, p.value
         from change_same m join known_photodna p on p.record_id = m.record_id
        where m.fresh and not exists (select from ${ADD.photoDna.table} n where n.row_no = m.row_no and n.value = p.value)
     ) given`,
    [first, setId],
  );
  await tx.execute('analyze known_record, known_bits, known_photodna');
  return {
    added: inserted - replaced,
    recategorised,
    replaced,
    addedBlock: { setId, firstRecordId: first, lastRecordId: first + numbers - 1 },
  };
}

const mergedFlags = (given: string, stored: string): string =>
  `((${stored}::int & ~((${given}::int & ${GIVEN_FLAGS}) * 3)) | ${given}::int)::smallint`;

/** Corrects records where they stand. `change_moved` says of which the evidence has to follow. */
async function recategorise(tx: Transaction, source: string): Promise<number> {
  await tx.script('create temporary table change_moved (record_id bigint not null) on commit drop;');
  await tx.execute(
    `insert into change_moved (record_id)
     select m.record_id from change_same m
       join ${ADD.records.table} s on s.row_no = m.row_no
       join known_record r on r.record_id = m.record_id
       left join series e on e.source = $1 and e.name = s.series
      where not m.fresh and (coalesce(s.category_code, r.category_code) is distinct from r.category_code
                             or coalesce(e.series_id, r.series_id) is distinct from r.series_id)`,
    [source],
  );
  return await tx.execute(
    `update known_record r
        set source_key = n.source_key, size_bytes = n.size_bytes, category_code = n.category_code, series_id = n.series_id,
            tags = n.tags, flags = n.flags
       from (
         select o.record_id, coalesce(s.source_key, o.source_key) as source_key, coalesce(s.size_bytes, o.size_bytes) as size_bytes,
                coalesce(s.category_code, o.category_code) as category_code, coalesce(e.series_id, o.series_id) as series_id,
                coalesce(s.tags, o.tags) as tags, ${mergedFlags('s.flags', 'o.flags')} as flags
           from change_same m
           join ${ADD.records.table} s on s.row_no = m.row_no
           join known_record o on o.record_id = m.record_id
           left join series e on e.source = $1 and e.name = s.series
          where not m.fresh
       ) n
      where r.record_id = n.record_id
        and (r.source_key, r.size_bytes, r.category_code, r.series_id, r.tags, r.flags)
            is distinct from (n.source_key, n.size_bytes, n.category_code, n.series_id, n.tags, n.flags)`,
    [source],
  );
}

/**
 * Evidence follows its records: with the new category and series where they were corrected, to the new number where a hash came, and
 * withdrawn where the record was. The caller holds the set and the series.
 */
export async function moveEvidence(tx: Transaction, addedBlock: RecordBlock): Promise<void> {
  // What rests on a weaker digest does not pass on to a record whose SHA-256 says otherwise.
  await tx.execute(
    `${evidenceAgainSql('t', 'n')}
       from change_same m
       join match t on t.record_id = m.record_id and t.withdrawn_at is null
       join known_record n on n.record_id = $1::bigint + m.row_no
       join media i on i.media_id = t.media_id
      where m.fresh and (t.method not in ('md5', 'sha1') or n.sha256 is null or n.sha256 = i.sha256)
     on conflict do nothing`,
    [addedBlock.firstRecordId],
  );
  await tx.execute(
    `update match t set withdrawn_at = now()
       from (select record_id from change_moved union select record_id from change_withdrawn
             union select record_id from change_same where fresh) c
      where t.record_id = c.record_id and t.withdrawn_at is null`,
  );
  // Of one statement for each, since the row that is withdrawn and the one in its place must not meet in the index of evidence in force.
  await tx.execute(
    `${evidenceAgainSql('t', 'r')}
       from change_moved v
       join match t on t.record_id = v.record_id and t.withdrawn_at = now()
       join known_record r on r.record_id = v.record_id
     on conflict do nothing`,
  );
}

/** Takes out of the search what was withdrawn or replaced. @returns the numbers that left, as few blocks as cover them */
export async function dropRecords(tx: Transaction, addedBlock: RecordBlock): Promise<RecordBlock[]> {
  const { setId, firstRecordId } = addedBlock;
  await tx.execute(
    `insert into known_withdrawal (record_id, set_id, reason)
     select record_id, $1::bigint, max(reason) from (
       select record_id, left(reason, 1000) as reason from change_withdrawn
       union all
       select record_id, 'replaced by record ' || ($2::bigint + row_no) from change_same where fresh
     ) gone group by record_id`,
    [setId, firstRecordId],
  );
  await tx.execute(
    `update known_suspension x set record_id = $1::bigint + m.row_no from change_same m where m.fresh and x.record_id = m.record_id`,
    [firstRecordId],
  );
  const blocks = await tx.read(
    row({ setId: integer, firstRecordId: integer, lastRecordId: integer }),
    `select $1::bigint as set_id, min(record_id) as first_record_id, max(record_id) as last_record_id
       from (select record_id, record_id - row_number() over (order by record_id) as island
               from (select record_id from change_withdrawn union select record_id from change_same where fresh) gone) g
      group by island order by 2`,
    [setId],
  );
  await tx.execute(
    `delete from known_record r
      using (select record_id from change_withdrawn union select record_id from change_same where fresh) g
      where r.record_id = g.record_id`,
  );
  return blocks;
}

/** Last in the transaction. */
export async function noteChanges(tx: Transaction, gone: readonly RecordBlock[], added: AppliedChanges): Promise<void> {
  await noteWithdrawn(tx, gone);
  if (added.added + added.replaced > 0) await noteAdded(tx, added.addedBlock);
}
