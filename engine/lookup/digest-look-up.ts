import type { KnownRecord } from '../../schemas/known-record.ts';
import type { Queryable } from '../store/db.ts';
import { keptPlan } from '../store/kept-plan.ts';
import { byStrongestDigest } from '../store/queries/strongest-digest.ts';
import { integer, oneOf, row } from '../store/row-shape.ts';

export interface DigestHit {
  readonly query: number;
  readonly recordId: number;
  readonly method: 'sha256' | 'sha1' | 'md5';
}

const HIT = row({ query: integer, recordId: integer, method: oneOf(['sha256', 'sha1', 'md5'] as const) });

const WANTED = `
with wanted as materialized (
  select number - 1 as query, decode(sha256, 'hex') as sha256, decode(sha1, 'hex') as sha1, decode(md5, 'hex') as md5
    from unnest($1::text[], $2::text[], $3::text[]) with ordinality as t(sha256, sha1, md5, number)
)`;

/** Through the indexes: a record is in that of its strongest digest. */
const INDEXED = byStrongestDigest('query, record_id', 'wanted', 'searched_record');
const INDEXED_SQL = keptPlan(`${WANTED}${INDEXED}`);

/** A record with a stronger digest than was asked for is in no index of that kind; those of the weaker ones are gone through as well. */
const WEAKER_SQL = keptPlan(`${WANTED}${INDEXED}
union all
select query, record_id, 'sha1'
  from wanted w join searched_record r on r.sha1 = w.sha1 where w.sha256 is null and r.sha256 is not null
union all
select query, record_id, 'md5'
  from wanted w join searched_record r on r.md5 = w.md5
 where (w.sha256 is null or r.sha256 is null) and (w.sha1 is null or r.sha1 is null) and (r.sha256 is not null or r.sha1 is not null)`);

/** Known records with a digest of these, by the strongest digest that both have; by position. */
export async function digestHits(
  db: Queryable,
  records: readonly Pick<KnownRecord, 'sha256' | 'sha1' | 'md5'>[],
): Promise<DigestHit[]> {
  const weaker = records.some(
    (one) => (one.sha256 === null || one.sha1 === null) && (one.sha1 !== null || one.md5 !== null),
  );
  return await db.read(HIT, weaker ? WEAKER_SQL : INDEXED_SQL, [
    records.map((one) => one.sha256),
    records.map((one) => one.sha1),
    records.map((one) => one.md5),
  ]);
}
