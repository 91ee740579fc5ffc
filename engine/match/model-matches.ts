import type { ModelMethod } from '../../schemas/model-match.ts';
import { jsonParam, type Transaction } from '../store/db.ts';
import { integer, row } from '../store/row-shape.ts';
import type { ModelEvidence } from './model-evidence.ts';

/** Numbers of columns a row has, times this, stays below what one statement can carry. */
const ROWS_PER_STATEMENT = 1_000;

/**
 * Records evidence that is not recorded yet; returns how many rows are new. The same evidence again changes nothing, and keeps the
 * size of the search it was found in. One piece of evidence stands for one known object: of two pairs of one media with the same
 * subject, place or camera by the same method the farther one is not recorded, or withdrawn where it was there first.
 * Faces have to name the grounds they were searched under.
 */
export async function recordModelMatches(
  tx: Transaction,
  pipelineVersion: string,
  evidence: readonly ModelEvidence[],
): Promise<number> {
  // In one order for everybody, so that two scans of the same contents do not wait for each other in a circle.
  const ordered = evidence.toSorted(
    (a, b) => a.mediaId - b.mediaId || a.seriesId - b.seriesId || a.method.localeCompare(b.method),
  );
  let recorded = 0;
  for (let at = 0; at < ordered.length; at += ROWS_PER_STATEMENT) {
    recorded += await insertRows(tx, pipelineVersion, ordered.slice(at, at + ROWS_PER_STATEMENT));
  }
  if (recorded > 0) await keepNearest(tx, [...new Set(ordered.map((one) => one.mediaId))]);
  return recorded;
}

async function insertRows(tx: Transaction, pipelineVersion: string, rows: readonly ModelEvidence[]): Promise<number> {
  // As one JSON value: nineteen arrays of parameters cost more to bind than to read, and null needs no care.
  return await tx.execute(
    `insert into model_match (media_id, method, algorithm, pipeline_version, distance, threshold, expected_false_matches, calibrated,
                              borderline, log10_likelihood_ratio, gallery_size, inliers, details, face_id, known_face_id, known_media_id,
                              series_id, subject_id, place_id, camera_id, authority, necessity)
     select "mediaId", method, algorithm, $1, distance, threshold, "expectedFalseMatches", calibrated, borderline,
            "log10LikelihoodRatio", "gallerySize", inliers, details, "faceId", "knownFaceId", "knownMediaId",
            "seriesId", "subjectId", "placeId", "cameraId", authority, necessity
       from jsonb_to_recordset($2::jsonb) as r(
         "mediaId" bigint, method text, algorithm text, distance float8, threshold float8, "expectedFalseMatches" float8,
         calibrated boolean, borderline boolean, "log10LikelihoodRatio" float8, "gallerySize" bigint, inliers integer, details jsonb,
         "faceId" bigint, "knownFaceId" bigint, "knownMediaId" bigint, "seriesId" bigint, "subjectId" bigint, "placeId" bigint,
         "cameraId" bigint, authority text, necessity text)
      where not exists (
        select from model_match as o
         where o.media_id = r."mediaId" and o.method = r.method and o.algorithm = r.algorithm and o.series_id = r."seriesId"
           and o.withdrawn_at is null and o.distance <= r.distance
           and coalesce(o.subject_id, 0) = coalesce(r."subjectId", 0) and coalesce(o.place_id, 0) = coalesce(r."placeId", 0)
           and coalesce(o.camera_id, 0) = coalesce(r."cameraId", 0)
           and (r."subjectId" is not null or r."placeId" is not null or r."cameraId" is not null
                or coalesce(o.known_face_id, o.known_media_id, 0) = coalesce(r."knownFaceId", r."knownMediaId", 0)))
     on conflict do nothing`,
    [pipelineVersion, jsonParam(rows)],
  );
}

async function keepNearest(tx: Transaction, mediaIds: readonly number[]): Promise<void> {
  await tx.execute(
    `update model_match set withdrawn_at = now()
      where match_id in (
        select match_id from (
          select match_id, row_number() over (
                   partition by media_id, method, algorithm, series_id, subject_id, place_id, camera_id,
                                case when subject_id is null and place_id is null and camera_id is null
                                     then coalesce(known_face_id, known_media_id) end
                   order by distance, inliers desc nulls last, match_id) as place
            from model_match where media_id = any($1::bigint[]) and withdrawn_at is null
        ) as ranked where place > 1
      )`,
    [mediaIds],
  );
}

/** What evidence to take out of force; every condition given has to hold. */
export interface WithdrawnEvidence {
  readonly mediaIds?: readonly number[];
  readonly seriesIds?: readonly number[];
  readonly method?: ModelMethod;
  /** Such as that of a pack version that is no longer used. */
  readonly algorithm?: string;
  readonly faceIds?: readonly number[];
  readonly knownFaceIds?: readonly number[];
  readonly knownMediaIds?: readonly number[];
  readonly subjectIds?: readonly number[];
  readonly placeIds?: readonly number[];
  readonly cameraIds?: readonly number[];
}

/**
 * Marks evidence as withdrawn; it stays readable. Returns the media whose leads have to be refreshed.
 * Nothing is withdrawn where no condition is given.
 */
export async function withdrawModelMatches(tx: Transaction, which: WithdrawnEvidence): Promise<number[]> {
  const ids: readonly (readonly [string, readonly number[] | undefined])[] = [
    ['media_id', which.mediaIds],
    ['series_id', which.seriesIds],
    ['face_id', which.faceIds],
    ['known_face_id', which.knownFaceIds],
    ['known_media_id', which.knownMediaIds],
    ['subject_id', which.subjectIds],
    ['place_id', which.placeIds],
    ['camera_id', which.cameraIds],
  ];
  const conditions: string[] = [];
  const params: (string | readonly number[])[] = [];
  for (const [column, values] of ids) {
    if (values !== undefined) conditions.push(`${column} = any($${params.push(values)}::bigint[])`);
  }
  if (which.method !== undefined) conditions.push(`method = $${params.push(which.method)}`);
  if (which.algorithm !== undefined) conditions.push(`algorithm = $${params.push(which.algorithm)}`);
  if (conditions.length === 0) return [];
  const withdrawn = await tx.read(
    row({ mediaId: integer }),
    `update model_match set withdrawn_at = now() where withdrawn_at is null and ${conditions.join(' and ')} returning media_id`,
    params,
  );
  return [...new Set(withdrawn.map((one) => one.mediaId))];
}
