import type { Queryable, Transaction } from '../db.ts';
import { integer, row } from '../row-shape.ts';
import type { RecordBlock } from './known-changes.ts';
import type { DigestHit } from './record-matches.ts';
import { byStrongestDigest, STORED_CONTENTS } from './strongest-digest.ts';

/**
 * Condition on a media: a known-good set in force has it. No evidence, and nothing that known material gives way to.
 * @param mediaId column or parameter with its number; written by us, since it becomes part of the SQL
 */
export const knownGoodSql = (mediaId: string): string =>
  `exists (select from media_good g join hash_set gs on gs.set_id = g.set_id and gs.state = 'active' and gs.purpose = 'good' where g.media_id = ${mediaId})`;

/** Records which contents known-good sets have, as a digest look-up found it. Those of the same content and record are there once. */
export async function recordKnownGood(tx: Transaction, hits: readonly DigestHit[]): Promise<void> {
  const good = hits.filter(({ purpose }) => purpose === 'good');
  if (good.length === 0) return;
  await tx.execute(
    `insert into media_good (media_id, set_id, record_id, method)
     select f.media_id, r.set_id, r.record_id, f.method
       from unnest($1::bigint[], $2::bigint[], $3::text[]) as f(media_id, record_id, method)
       join known_record r on r.record_id = f.record_id
       join hash_set s on s.set_id = r.set_id and s.state = 'active' and s.purpose = 'good'
      order by f.media_id, f.record_id
     on conflict do nothing`,
    [good.map((one) => one.mediaId), good.map((one) => one.recordId), good.map((one) => one.method)],
  );
}

/**
 * Records which stored contents these records of a known-good set have: for records that came after the contents. By the strongest
 * digest of a record, and never the empty file, as in `findDigestHits`.
 */
export async function markKnownGood(tx: Transaction, block: RecordBlock): Promise<number> {
  const records = '(select * from known_record where set_id = $1 and record_id between $2 and $3)';
  return await tx.execute(
    `insert into media_good (media_id, set_id, record_id, method)
     ${byStrongestDigest('w.media_id, r.set_id, r.record_id', STORED_CONTENTS, records)}
     on conflict do nothing`,
    [block.setId, block.firstRecordId, block.lastRecordId],
  );
}

/** Those of these contents that a known-good set in force has. */
export async function knownGoodAmong(db: Queryable, mediaIds: readonly number[]): Promise<ReadonlySet<number>> {
  const found = await db.read(
    row({ mediaId: integer }),
    `select w.media_id from unnest($1::bigint[]) as w(media_id) where ${knownGoodSql('w.media_id')}`,
    [mediaIds],
  );
  return new Set(found.map(({ mediaId }) => mediaId));
}
