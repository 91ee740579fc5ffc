import { DECODE_MODES } from '../../schemas/constants.ts';
import type { DecodeMode } from '../../schemas/fingerprint.ts';
import type { Db } from '../store/db.ts';
import { digestEvidence, digestHitSql, type FoundMatch, readDigestHits } from '../store/queries/record-matches.ts';
import { integer, oneOf, row, text } from '../store/row-shape.ts';

/** Evidence by digest, with the fingerprint under which it is recorded. */
export interface FoundDigest {
  readonly match: FoundMatch;
  readonly mode: DecodeMode;
  readonly pipelineVersion: string;
}

/** Of several fingerprints that of exact mode and the latest pipeline: a digest is the same in all, and is evidence once. */
const UNDER_SQL = `
select f.number - 1 as number, p.mode, p.pipeline_version
  from unnest($1::bigint[], $2::bigint[], $3::text[]) with ordinality as f(media_id, record_id, method, number)
 cross join lateral (
   select mode, pipeline_version from fingerprint where media_id = f.media_id
    order by (mode = 'exact') desc, pipeline_version desc limit 1 offset 0
 ) p
 where not exists (select from match t where t.media_id = f.media_id and t.record_id = f.record_id and t.method = f.method
                      and t.withdrawn_at is null)
 order by f.number`;

/**
 * What new records say by digest of the media behind one number up to another, as far as it is not recorded yet.
 *
 * @param ranges numbers of the new records, as `newRangesSql` gives them
 */
export async function findNewDigestMatches(
  db: Db,
  ranges: string,
  afterMediaId: number,
  lastMediaId: number,
): Promise<FoundDigest[]> {
  const records = `(select r.record_id, r.sha256, r.sha1, r.md5
    from ${ranges} as n(first_id, last_id) join searched_record r on r.record_id between n.first_id and n.last_id)`;
  const sql = digestHitSql('media_id > $1 and media_id <= $2', records);
  const found = digestEvidence(await readDigestHits(db, sql, [afterMediaId, lastMediaId]));
  if (found.length === 0) return [];
  const under = await db.read(row({ number: integer, mode: oneOf(DECODE_MODES), pipelineVersion: text }), UNDER_SQL, [
    found.map((one) => one.mediaId),
    found.map((one) => one.recordId),
    found.map((one) => one.method),
  ]);
  return under.flatMap(({ number, ...fingerprint }) => {
    const one = found[number];
    return one === undefined ? [] : [{ match: one, ...fingerprint }];
  });
}
