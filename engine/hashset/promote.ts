import type { Transaction } from '../store/db.ts';
import { integer, row } from '../store/row-shape.ts';
import type { StageTables } from './stage-tables.ts';

export interface Promotion {
  readonly setId: number;
  readonly source: string;
  readonly name: string;
  readonly tables: StageTables;
}

export interface Promoted {
  readonly records: number;
  /** Records dropped because an earlier one of the file has the same digest, or the same perceptual hash and no digest. */
  readonly duplicates: number;
}

const COUNT = row({ count: integer });

/**
 * Brings a staged set into force in the caller's transaction: either all of it is searched afterwards or none. The version before it
 * is superseded; evidence that rested on it passes on where the new version holds the same record and is withdrawn where it does not.
 */
export async function promote(tx: Transaction, promotion: Promotion): Promise<Promoted> {
  const { setId, source, name, tables } = promotion;
  const records = tables.records.table;
  const bits = tables.bits.table;
  const duplicates = await dropDuplicates(tx, records, bits);
  await tx.execute(
    `insert into series (source, name) select distinct $1, series from ${records} where series is not null on conflict do nothing`,
    [source],
  );
  const [counted] = await tx.read(COUNT, `select count(*) as count from ${records}`);
  const count = counted?.count ?? 0;
  // A block of numbers of our own, so that hashes find their record without a join on anything wider. Serialised by the caller's lock.
  const [base] = await tx.read(
    row({ first: integer }),
    `select setval(pg_get_serial_sequence('known_record', 'record_id'), nextval(pg_get_serial_sequence('known_record', 'record_id')) + $1::bigint + 1) - $1::bigint as first`,
    [count],
  );
  const first = base?.first ?? 0;
  await tx.execute(`create temporary table promoted on commit drop as
    select row_no, row_number() over (order by row_no) - 1 as place from ${records}`);
  await tx.execute(
    `insert into known_record (record_id, set_id, source_key, md5, sha1, sha256, size_bytes, category_code, series_id, tags, flags)
     overriding system value
     select $1::bigint + p.place, $2, r.source_key, r.md5, r.sha1, r.sha256, r.size_bytes, r.category_code, e.series_id, r.tags, r.flags
       from ${records} r
       join promoted p on p.row_no = r.row_no
       left join series e on e.source = $3 and e.name = r.series
      order by r.row_no`,
    [first, setId, source],
  );
  await tx.execute(
    `insert into known_bits (record_id, set_id, algorithm, bits, quality)
     select $1::bigint + p.place, $2, b.algorithm, b.bits, b.quality
       from ${bits} b join promoted p on p.row_no = b.row_no`,
    [first, setId],
  );
  await supersede(tx, { setId, source, name });
  await tx.execute(`update hash_set set state = 'active', record_count = $2 where set_id = $1`, [setId, count]);
  return { records: count, duplicates };
}

async function dropDuplicates(tx: Transaction, records: string, bits: string): Promise<number> {
  const byDigest = await tx.execute(
    `delete from ${records} r using (
       select row_no, row_number() over (partition by coalesce(sha256, sha1, md5) order by row_no) as nth
         from ${records} where coalesce(sha256, sha1, md5) is not null
     ) d where d.row_no = r.row_no and d.nth > 1`,
  );
  const byBits = await tx.execute(
    `delete from ${records} r using (
       select b.row_no, row_number() over (partition by b.algorithm, b.bits order by b.row_no) as nth
         from ${bits} b join ${records} o on o.row_no = b.row_no
        where coalesce(o.sha256, o.sha1, o.md5) is null
     ) d where d.row_no = r.row_no and d.nth > 1`,
  );
  return byDigest + byBits;
}

async function supersede(tx: Transaction, promotion: { setId: number; source: string; name: string }): Promise<void> {
  const earlier = await tx.read(
    row({ setId: integer }),
    `select set_id from hash_set where source = $1 and name = $2 and state = 'active' and set_id <> $3`,
    [promotion.source, promotion.name, promotion.setId],
  );
  for (const { setId } of earlier) {
    await tx.execute(
      `insert into match (media_id, set_id, record_id, method, algorithm, mode, pipeline_version, distance_bits, threshold_bits,
                          orientation, flavour, expected_false_matches, series_id, category_code)
       select t.media_id, $2, n.record_id, t.method, t.algorithm, t.mode, t.pipeline_version, t.distance_bits, t.threshold_bits,
              t.orientation, t.flavour, t.expected_false_matches, n.series_id, n.category_code
         from match t
         join known_record o on o.record_id = t.record_id
         join known_record n on n.set_id = $2
          and ((o.sha256 is not null and n.sha256 = o.sha256) or (o.sha256 is null and o.sha1 is not null and n.sha1 = o.sha1)
               or (o.sha256 is null and o.sha1 is null and o.md5 is not null and n.md5 = o.md5))
        where t.set_id = $1 and t.withdrawn_at is null
       on conflict do nothing`,
      [setId, promotion.setId],
    );
    await withdrawSet(tx, setId, 'superseded');
  }
}

/** Takes a set out of force: its records go, evidence that rested on it stays readable and is marked as withdrawn. */
export async function withdrawSet(tx: Transaction, setId: number, state: 'superseded' | 'removed'): Promise<void> {
  await tx.execute('update match set withdrawn_at = now() where set_id = $1 and withdrawn_at is null', [setId]);
  await tx.execute('delete from known_bits where set_id = $1', [setId]);
  await tx.execute('delete from known_record where set_id = $1', [setId]);
  await tx.execute('update hash_set set state = $2 where set_id = $1', [setId, state]);
}
