import type { SetPurpose } from '../../schemas/constants.ts';
import { followSets, type LeadsFollowed, NO_LEADS_FOLLOWED } from '../leads/follow-sets.ts';
import type { SqlParam, Transaction } from '../store/db.ts';
import { dropBlocks, noteAdded, noteWithdrawn, type RecordBlock } from '../store/queries/known-changes.ts';
import { markKnownGood } from '../store/queries/known-good.ts';
import { evidenceAgainSql } from '../store/queries/record-matches.ts';
import { lockSeriesChanges } from '../store/queries/series-turn.ts';
import { integer, row, text } from '../store/row-shape.ts';
import type { StageTables } from './stage-tables.ts';

export interface Promotion {
  readonly setId: number;
  readonly source: string;
  readonly name: string;
  readonly tables: StageTables;
  readonly purpose: SetPurpose;
}

export interface Promoted {
  readonly records: number;
  /** Records dropped because an earlier one of the file has the same digest or, where it has none, earlier ones have all of its hashes. */
  readonly duplicates: number;
  /** What became of leads that rested on the version before. */
  readonly leads: LeadsFollowed;
}

/**
 * Evidence in force of set $1 that holds for set $2 as well. The same record is one that agrees in the strongest digest of the old one,
 * or, where that has none, in a perceptual hash. What rests on a weaker digest does not pass on to a record whose SHA-256 says otherwise.
 */
const PASS_ON_SQL = `
with evidence as materialized (
  select t.*, o.sha256, o.sha1, o.md5, m.sha256 as media_sha256
    from match t join known_record o on o.record_id = t.record_id join media m on m.media_id = t.media_id
   where t.set_id = $1 and t.withdrawn_at is null
), passed as (
  select t.*, n.record_id as new_record_id from evidence t join known_record n on n.set_id = $2 and n.sha256 = t.sha256
  union all
  select t.*, n.record_id from evidence t join known_record n on n.set_id = $2 and n.sha1 = t.sha1 where t.sha256 is null
  union all
  select t.*, n.record_id from evidence t join known_record n on n.set_id = $2 and n.md5 = t.md5 where t.sha256 is null and t.sha1 is null
  union all
  select t.*, nb.record_id
    from evidence t
    join known_bits ob on ob.record_id = t.record_id
    join known_bits nb on nb.set_id = $2 and nb.algorithm = ob.algorithm and nb.bits = ob.bits
   where coalesce(t.sha256, t.sha1, t.md5) is null
)
${evidenceAgainSql('p', 'n')}
  from passed p join known_record n on n.record_id = p.new_record_id
 where p.method not in ('md5', 'sha1') or n.sha256 is null or n.sha256 = p.media_sha256
on conflict do nothing`;

/**
 * Brings a staged set into force in the caller's transaction: either all of it is searched afterwards or none. The version before it
 * is superseded; evidence that rested on it passes on where the new version holds the same record and is withdrawn where it does not;
 * leads follow their evidence.
 */
export async function promote(tx: Transaction, promotion: Promotion): Promise<Promoted> {
  const { setId, source, name, tables } = promotion;
  const records = tables.records.table;
  const bits = tables.bits.table;
  const photoDna = tables.photoDna.table;
  const duplicates = await dropDuplicates(tx, tables);
  await tx.execute(
    `insert into series (source, name) select distinct $1, series from ${records} where series is not null on conflict do nothing`,
    [source],
  );
  const [counted] = await tx.read(
    row({ count: integer, numbers: integer }),
    `select count(*) as count, coalesce(max(row_no) + 1, 0) as numbers from ${records}`,
  );
  const { count, numbers } = counted ?? { count: 0, numbers: 0 };
  const first = await numberBlock(tx, numbers);
  await load(
    tx,
    'known_record',
    `insert into known_record (record_id, set_id, source_key, md5, sha1, sha256, size_bytes, category_code, series_id, tags, flags)
     overriding system value
     select $1::bigint + r.row_no, $2, r.source_key, r.md5, r.sha1, r.sha256, r.size_bytes, r.category_code, e.series_id, r.tags, r.flags
       from ${records} r
       left join series e on e.source = $3 and e.name = r.series`,
    [first, setId, source],
  );
  const ofKeptRecords = duplicates === 0 ? '' : `where exists (select from ${records} r where r.row_no = b.row_no)`;
  await load(
    tx,
    'known_bits',
    `insert into known_bits (record_id, set_id, algorithm, bits, quality)
     select $1::bigint + b.row_no, $2, b.algorithm, b.bits, b.quality from ${bits} b ${ofKeptRecords}`,
    [first, setId],
  );
  await load(
    tx,
    'known_photodna',
    `insert into known_photodna (record_id, set_id, orientation, value)
     select $1::bigint + b.row_no, $2, b.orientation, b.value from ${photoDna} b ${ofKeptRecords}`,
    [first, setId],
  );
  // Before anything joins the new rows: with the statistics of yesterday a join would take a set of millions for a single row.
  await tx.execute('analyze known_record, known_bits, known_photodna, match');
  const superseded = await supersede(tx, { setId, source, name });
  await tx.execute(`update hash_set set state = 'active', record_count = $2 where set_id = $1`, [setId, count]);
  const leads = await leadsAfter(
    tx,
    superseded.map((block) => block.setId),
  );
  const block = { setId, firstRecordId: first, lastRecordId: first + numbers - 1 };
  if (promotion.purpose === 'good') await markKnownGood(tx, block);
  await noteWithdrawn(tx, superseded);
  await noteAdded(tx, block);
  return { records: count, duplicates, leads };
}

/**
 * A block of numbers of our own, one for each row of the file, so that a record's number is arithmetic and hashes find their record
 * without a join; duplicates leave gaps. Serialised by the caller's lock. @returns the first
 */
export async function numberBlock(tx: Transaction, numbers: number): Promise<number> {
  const [base] = await tx.read(
    row({ first: integer }),
    `select setval(pg_get_serial_sequence('known_record', 'record_id'), nextval(pg_get_serial_sequence('known_record', 'record_id')) + $1::bigint + 1) - $1::bigint as first`,
    [numbers],
  );
  return base?.first ?? 0;
}

const INDEX = row({ name: text, definition: text });

/**
 * Runs an insert of many rows. Into an empty table they go without its indexes, which are then built sorted: half the time for
 * digests, which are scattered over the whole of an index. Where there are rows, others search them, and this would shut them out.
 */
async function load(
  tx: Transaction,
  table: 'known_record' | 'known_bits' | 'known_photodna',
  insert: string,
  params: readonly SqlParam[],
): Promise<void> {
  const indexes = await tx.read(
    INDEX,
    `select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition
       from pg_index
      where indrelid = $1::regclass and not indisprimary and not exists (select from ${table})`,
    [table],
  );
  for (const { name } of indexes) await tx.execute(`drop index ${name}`);
  await tx.execute(insert, params);
  for (const { definition } of indexes) await tx.execute(definition);
}

/** Of staged records with the same strongest digest, or without one and with no hash of their own, the first is kept. @returns how many went */
export async function dropDuplicates(tx: Transaction, tables: StageTables): Promise<number> {
  const [records, bits, photoDna] = [tables.records.table, tables.bits.table, tables.photoDna.table];
  const byDigest = await tx.execute(
    `delete from ${records} r using (
       select row_no, row_number() over (partition by coalesce(sha256, sha1, md5) order by row_no) as nth
         from ${records} where coalesce(sha256, sha1, md5) is not null
     ) d where d.row_no = r.row_no and d.nth > 1`,
  );
  // Only when an earlier record has every one of its hashes: one with a hash that none before it has is worth keeping.
  const byBits = await tx.execute(
    `delete from ${records} r using (
       select row_no from (
         select b.row_no, min(b.row_no) over (partition by b.algorithm, b.bits) as first_row_no
           from ${bits} b join ${records} o on o.row_no = b.row_no
          where coalesce(o.sha256, o.sha1, o.md5) is null
            and not exists (select from ${photoDna} p where p.row_no = b.row_no)
       ) hashes group by row_no having bool_and(first_row_no < row_no)
     ) d where d.row_no = r.row_no`,
  );
  return byDigest + byBits;
}

/** @returns the blocks of the versions that were in force before */
async function supersede(
  tx: Transaction,
  promotion: { setId: number; source: string; name: string },
): Promise<RecordBlock[]> {
  const blocks: RecordBlock[] = [];
  const earlier = await tx.read(
    row({ setId: integer }),
    `select set_id from hash_set where source = $1 and name = $2 and state = 'active' and set_id <> $3 for no key update`,
    [promotion.source, promotion.name, promotion.setId],
  );
  for (const { setId } of earlier) {
    await tx.execute(PASS_ON_SQL, [setId, promotion.setId]);
    blocks.push(...(await withdrawSet(tx, setId, 'superseded')));
  }
  return blocks;
}

/**
 * Takes a set out of force and puts none in its place: its records go, evidence that rested on it stays readable and is marked as
 * withdrawn, leads follow.
 */
export async function removeFromForce(tx: Transaction, setId: number): Promise<LeadsFollowed> {
  const blocks = await withdrawSet(tx, setId, 'removed');
  const leads = await leadsAfter(tx, [setId]);
  await noteWithdrawn(tx, blocks);
  return leads;
}

/** Last of all and not earlier, since it keeps others from matching: loading a set takes minutes, this does not. */
async function leadsAfter(tx: Transaction, setIds: readonly number[]): Promise<LeadsFollowed> {
  if (setIds.length === 0) return NO_LEADS_FOLLOWED;
  await lockSeriesChanges(tx);
  return await followSets(tx, setIds);
}

async function withdrawSet(
  tx: Transaction,
  setId: number,
  state: 'superseded' | 'removed',
): Promise<readonly RecordBlock[]> {
  // First: it waits for scans that are recording evidence of this set, so that what they record is withdrawn with the rest.
  await tx.execute('update hash_set set state = $2 where set_id = $1', [setId, state]);
  await tx.execute('update match set withdrawn_at = now() where set_id = $1 and withdrawn_at is null', [setId]);
  await tx.execute('delete from known_bits where set_id = $1', [setId]);
  await tx.execute('delete from known_photodna where set_id = $1', [setId]);
  await tx.execute('delete from known_record where set_id = $1', [setId]);
  return await dropBlocks(tx, setId);
}
