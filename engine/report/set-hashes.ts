import type { Db } from '../store/db.ts';
import { integer, row, text } from '../store/row-shape.ts';

/** Records of a set that can be found by one kind of hash, such as md5, pdq-512, pdq (flavour not named) or blockhash-256-r512. */
export interface SetHashes {
  readonly algorithm: string;
  readonly records: number;
}

/**
 * What the records of these sets can be found by. Counted once for each state of a set and kept with the number of its latest change:
 * counting a set of ten million takes seconds, and every report says it.
 */
export async function hashesOfSets(db: Db, setIds: readonly number[]): Promise<Map<number, SetHashes[]>> {
  const stale = await db.read(
    row({ setId: integer, changeId: integer }),
    `select s.set_id, coalesce(max(c.change_id), 0) as change_id
       from hash_set s left join known_change c on c.set_id = s.set_id
      where s.set_id = any($1::bigint[])
      group by s.set_id
     having coalesce(max(c.change_id), 0) > coalesce((select max(h.change_id) from hash_set_hashes h where h.set_id = s.set_id), -1)`,
    [setIds],
  );
  for (const { setId, changeId } of stale) await count(db, setId, changeId);
  const kept = await db.read(
    row({ setId: integer, algorithm: text, records: integer }),
    'select set_id, algorithm, records from hash_set_hashes where set_id = any($1::bigint[]) and records > 0 order by set_id, position',
    [setIds],
  );
  return new Map(
    [...Map.groupBy(kept, (one) => one.setId)].map(([setId, of]) => [
      setId,
      of.map(({ algorithm, records }) => ({ algorithm, records })),
    ]),
  );
}

// One pass over the records for the three digests, by which most of a large set is found. Records taken back are not searched, and not counted.
const COUNT_SQL = `
with digests as (
  select count(md5) as md5, count(sha1) as sha1, count(sha256) as sha256 from searched_record where set_id = $1
), bits as (
  select algorithm, count(distinct record_id) as records from searched_bits where set_id = $1 group by algorithm
)
insert into hash_set_hashes (set_id, change_id, position, algorithm, records)
select $1::bigint, $2::bigint, 0, 'sha256', sha256 from digests
union all select $1::bigint, $2::bigint, 1, 'sha1', sha1 from digests
union all select $1::bigint, $2::bigint, 2, 'md5', md5 from digests
union all select $1::bigint, $2::bigint, 2 + row_number() over (order by algorithm), algorithm, records from bits`;

async function count(db: Db, setId: number, changeId: number): Promise<void> {
  await db.transaction(async (tx) => {
    // Two reports that count at once: the second waits and counts again, to the same end.
    await tx.execute('select 1 from hash_set where set_id = $1 for update', [setId]);
    await tx.execute('delete from hash_set_hashes where set_id = $1', [setId]);
    await tx.execute(COUNT_SQL, [setId, changeId]);
  });
}
