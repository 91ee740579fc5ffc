import { MODEL_METHODS, type ModelMethod } from '../../schemas/model-match.ts';
import { OUTCOMES, REASONS } from '../../schemas/outcome.ts';
import type { ReportItemModels, ReportModelMatch, ReportModels } from '../../schemas/report.ts';
import type { Db } from '../store/db.ts';
import { bool, integer, nullable, oneOf, real, row, text } from '../store/row-shape.ts';

const RUN = row({
  mediaId: integer,
  outcome: oneOf(OUTCOMES),
  reason: nullable(oneOf(REASONS)),
  facesFound: nullable(integer),
});

const MATCH = row({
  mediaId: integer,
  matchId: integer,
  method: oneOf(MODEL_METHODS),
  algorithm: text,
  distance: real,
  threshold: real,
  expectedFalseMatches: nullable(real),
  calibrated: bool,
  borderline: bool,
  inliers: nullable(integer),
  source: text,
  series: text,
  reference: nullable(text),
});

/** By media: what a page of items shows of the models. Evidence that was withdrawn is not shown. */
export async function modelsOf(
  db: Db,
  mediaIds: readonly number[],
  profile: Uint8Array,
): Promise<ReadonlyMap<number, ReportItemModels>> {
  if (mediaIds.length === 0) return new Map();
  const runs = await db.read(
    RUN,
    'select media_id, outcome, reason, faces_found from embedding_run where media_id = any($1::bigint[]) and profile = $2',
    [mediaIds, profile],
  );
  const found = await db.read(
    MATCH,
    `select t.media_id, t.match_id, t.method, t.algorithm, t.distance, t.threshold, t.expected_false_matches, t.calibrated, t.borderline,
            t.inliers, e.source, e.name as series, coalesce(u.reference, p.reference, c.reference) as reference
       from model_match t
       join series e on e.series_id = t.series_id
       left join subject u on u.subject_id = t.subject_id
       left join place p on p.place_id = t.place_id
       left join camera c on c.camera_id = t.camera_id
      where t.media_id = any($1::bigint[]) and t.withdrawn_at is null
      order by t.media_id, t.method, t.distance, e.source, e.name, t.match_id`,
    [mediaIds],
  );
  const matches = Map.groupBy(found, (match) => match.mediaId);
  return new Map(
    runs.map(({ mediaId, ...run }) => [
      mediaId,
      {
        ...run,
        matches: (matches.get(mediaId) ?? []).map(({ mediaId: _media, ...match }): ReportModelMatch => match),
      },
    ]),
  );
}

/** Counts over the contents of a batch, for the head of a report. */
export async function modelCounts(
  db: Db,
  batchId: string,
  profile: Uint8Array,
): Promise<Pick<ReportModels, 'done' | 'partial' | 'rejected' | 'failed' | 'faces' | 'matched' | 'openLeads'>> {
  const [runs] = await db.read(
    row({ done: integer, partial: integer, rejected: integer, failed: integer, faces: nullable(integer) }),
    `select count(*) filter (where outcome = 'done') as done, count(*) filter (where outcome = 'partial') as partial,
            count(*) filter (where outcome = 'rejected') as rejected, count(*) filter (where outcome = 'failed') as failed,
            sum(faces_found)::bigint as faces
       from embedding_run
      where profile = $2 and media_id in (select media_id from item where batch_id = $1)`,
    [batchId, profile],
  );
  const matched = await db.read(
    row({ method: oneOf(MODEL_METHODS), media: integer }),
    `select method, count(distinct media_id) as media from model_match
      where withdrawn_at is null and media_id in (select media_id from item where batch_id = $1)
      group by method order by method`,
    [batchId],
  );
  const [leads] = await db.read(
    row({ open: integer }),
    `select count(*) as open from lead where state = 'open' and media_id in (select media_id from item where batch_id = $1)`,
    [batchId],
  );
  return {
    ...(runs ?? { done: 0, partial: 0, rejected: 0, failed: 0, faces: null }),
    matched: matched.map(({ method, media }): { method: ModelMethod; media: number } => ({ method, media })),
    openLeads: leads?.open ?? 0,
  };
}
