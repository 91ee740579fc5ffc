import { HomewardError } from '../../schemas/error.ts';
import type { Db, SqlParam } from '../store/db.ts';
import { knownGoodSql } from '../store/queries/known-good.ts';

/** Which media are meant: those of a case, of a batch, or all. */
export interface Scope {
  readonly caseRef?: string;
  /** UUID. */
  readonly batchId?: string;
}

/**
 * Condition on `m.media_id`: pictures that were examined, match nothing known and are not known to be good. Known is what a match in force says (of a set in
 * force, or by model unless a person rejected that lead), and what a unit has put into a series of its own.
 * Takes two parameters, case and batch or null for either, at $1 and $2. Needs `f`, the fingerprint that LATEST_FINGERPRINT gives.
 */
export const UNMATCHED = `
      f.width_pixels is not null and f.outcome in ('done', 'partial')
  and not exists (select from match t join hash_set s on s.set_id = t.set_id and s.state = 'active'
                   where t.media_id = m.media_id and t.withdrawn_at is null)
  and not exists (select from model_match t
                   where t.media_id = m.media_id and t.withdrawn_at is null
                     and not exists (select from lead l where l.media_id = t.media_id and l.series_id = t.series_id and l.state = 'rejected'))
  and m.media_id not in (select media_id from series_media)
  and not ${knownGoodSql('m.media_id')}
  and (($1::text is null and $2::uuid is null)
    or exists (select from item i join batch b on b.batch_id = i.batch_id
                where i.media_id = m.media_id and ($1::text is null or b.case_ref = $1) and ($2::uuid is null or b.batch_id = $2)))`;

/** One fingerprint of a media: of exact mode where there is one, by the latest pipeline. "offset 0": a join that may be turned round would sort all fingerprints. */
export const LATEST_FINGERPRINT = `
  join lateral (
    select * from fingerprint where media_id = m.media_id order by (mode = 'exact') desc, pipeline_version desc limit 1 offset 0
  ) f on true`;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Parameters for UNMATCHED.
 * @throws HomewardError HW_BATCH_NOT_FOUND where nothing of that case or batch is here: an empty answer would say that all is known
 */
export async function scopeParams(db: Db, scope: Scope): Promise<readonly [SqlParam, SqlParam]> {
  const { caseRef = null, batchId = null } = scope;
  if (caseRef === null && batchId === null) return [null, null];
  const valid = batchId === null || UUID.test(batchId);
  const found = valid
    ? await db.query(
        'select 1 as one from batch where ($1::text is null or case_ref = $1) and ($2::uuid is null or batch_id = $2) limit 1',
        [caseRef, batchId],
      )
    : [];
  if (found.length === 0) {
    const given = [
      ...(caseRef === null ? [] : [`case ${JSON.stringify(caseRef)}`]),
      ...(batchId === null ? [] : [`batch ${JSON.stringify(batchId)}`]),
    ];
    throw new HomewardError(
      'HW_BATCH_NOT_FOUND',
      `expected a case or batch that was scanned, received ${given.join(' and ')}, of which nothing is here; check the spelling, a report names both`,
    );
  }
  return [caseRef, batchId];
}
