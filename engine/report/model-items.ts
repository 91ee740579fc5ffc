import { MODEL_METHODS, type ModelMethod } from '../../schemas/model-match.ts';
import { OUTCOMES, REASONS } from '../../schemas/outcome.ts';
import type { ReportItemModels, ReportModelMatch, ReportModels } from '../../schemas/report.ts';
import { faceGateSql } from '../match/model-faces.ts';
import type { Db } from '../store/db.ts';
import { bool, integer, nullable, oneOf, real, row, text } from '../store/row-shape.ts';

/** What ran over a batch. */
export interface ModelRuns {
  /** 32 bytes; see embedding_run. */
  readonly profile: Uint8Array;
  /** Whose faces are counted, as `id@version`: another detector may have gone over the same pictures. */
  readonly faceDetectors: readonly string[];
}

const RUN = row({
  mediaId: integer,
  outcome: oneOf(OUTCOMES),
  reason: nullable(oneOf(REASONS)),
  facesFound: nullable(integer),
  facesBelowGate: nullable(integer),
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
  { profile, faceDetectors }: ModelRuns,
): Promise<ReadonlyMap<number, ReportItemModels>> {
  if (mediaIds.length === 0) return new Map();
  const runs = await db.read(
    RUN,
    `select r.media_id, r.outcome, r.reason, r.faces_found,
            case when r.faces_found is not null then
              (select count(*) from face f where f.media_id = r.media_id and ${ofDetectors('f', '$3')} and ${faceGateSql('f')} is not null)
            end as faces_below_gate
       from embedding_run r where r.media_id = any($1::bigint[]) and r.profile = $2`,
    [mediaIds, profile, faceDetectors],
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

const ofDetectors = (face: string, param: string): string =>
  `${face}.detector || '@' || ${face}.detector_version = any(${param}::text[])`;

/** Counts over the contents of a batch, for the head of a report. */
export async function modelCounts(
  db: Db,
  batchId: string,
  { profile, faceDetectors }: ModelRuns,
): Promise<
  Pick<ReportModels, 'done' | 'partial' | 'rejected' | 'failed' | 'faces' | 'facesBelowGate' | 'matched' | 'openLeads'>
> {
  const [runs] = await db.read(
    row({ done: integer, partial: integer, rejected: integer, failed: integer, faces: nullable(integer) }),
    `select count(*) filter (where outcome = 'done') as done, count(*) filter (where outcome = 'partial') as partial,
            count(*) filter (where outcome = 'rejected') as rejected, count(*) filter (where outcome = 'failed') as failed,
            sum(faces_found)::bigint as faces
       from embedding_run
      where profile = $2 and media_id in (select media_id from item where batch_id = $1)`,
    [batchId, profile],
  );
  const [poor] = await db.read(
    row({ eyeDistance: integer, sharpness: integer, pose: integer }),
    `select count(*) filter (where gate = 'eyeDistance') as eye_distance, count(*) filter (where gate = 'sharpness') as sharpness,
            count(*) filter (where gate = 'pose') as pose
       from (select ${faceGateSql('f')} as gate
               from embedding_run r join face f on f.media_id = r.media_id and ${ofDetectors('f', '$3')}
              where r.profile = $2 and r.faces_found is not null
                and r.media_id in (select media_id from item where batch_id = $1)) as judged`,
    [batchId, profile, faceDetectors],
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
    facesBelowGate: runs?.faces == null ? null : (poor ?? null),
    openLeads: leads?.open ?? 0,
  };
}
