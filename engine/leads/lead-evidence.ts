import { ORIENTATIONS, PDQ_FLAVOURS } from '../../schemas/fingerprint.ts';
import { MODEL_METHODS, ModelMatchDetails } from '../../schemas/model-match.ts';
import { bitLog10LikelihoodRatio } from '../match/bit-weight.ts';
import type { Queryable } from '../store/db.ts';
import { bool, integer, json, nullable, oneOf, real, row, text } from '../store/row-shape.ts';

export const LEAD_METHODS = ['pdq', 'blockhash', ...MODEL_METHODS] as const;
export type LeadMethod = (typeof LEAD_METHODS)[number];

/** One piece of evidence of a media against a series, from either table. */
export interface LeadEvidence {
  /** `m` and the number in match, `v` and the number in model_match. */
  readonly id: string;
  readonly mediaId: number;
  /** The series that it counts for: the one that the evidence's own was merged into, if it was. */
  readonly seriesId: number;
  readonly method: LeadMethod;
  readonly algorithm: string;
  /** Bits for a perceptual hash, 1 - similarity for a vector, 0 for a camera. */
  readonly distance: number;
  readonly threshold: number;
  readonly expectedFalseMatches: number | null;
  /** Comparisons made for the media; null for perceptual hashes, where the expected number says it all. */
  readonly comparisons: number | null;
  readonly calibrated: boolean;
  readonly borderline: boolean;
  readonly log10LikelihoodRatio: number;
  readonly orientation: (typeof ORIENTATIONS)[number] | null;
  /** Hash set and version of a perceptual hash's record. */
  readonly set: string | null;
  /** A negative set with a picture that this one is also near; it then makes no lead by itself. */
  readonly contradictedBy: string | null;
  readonly inliers: number | null;
  readonly details: ModelMatchDetails | null;
  readonly faceId: number | null;
  /** Eye distance of the face found, in pixels. */
  readonly eyeDistancePixels: number | null;
  /** Pseudonym of the subject, place or camera that it names. */
  readonly reference: string | null;
}

/** All that is in force for some media: evidence, and what is known of them by digest. */
export interface EvidenceInForce {
  readonly evidence: readonly LeadEvidence[];
  /** Media that some known record has by digest. */
  readonly knownMedia: ReadonlySet<number>;
  /** `media series` pairs of which the series holds this very content, by digest or as its own media. */
  readonly heldBySeries: ReadonlySet<string>;
}

export const pairKey = (mediaId: number, seriesId: number): string => `${mediaId} ${seriesId}`;

const BITS = row({
  matchId: integer,
  mediaId: integer,
  seriesId: integer,
  method: oneOf(['pdq', 'blockhash'] as const),
  algorithm: text,
  distanceBits: integer,
  thresholdBits: integer,
  orientation: nullable(oneOf(ORIENTATIONS)),
  flavour: nullable(oneOf(PDQ_FLAVOURS)),
  expectedFalseMatches: nullable(real),
  setName: text,
  contradictedBy: nullable(text),
});

// The nearest of each algorithm: a series may hold the same picture many times.
const BITS_SQL = `
select distinct on (t.media_id, t.series_id, t.algorithm)
       t.match_id, t.media_id, t.series_id, t.method, t.algorithm, t.distance_bits, t.threshold_bits, t.orientation, t.flavour,
       t.expected_false_matches, s.source || ' ' || s.name || ' version ' || s.version as set_name,
       c.source || ' ' || c.name || ' version ' || c.version as contradicted_by
  from match t join hash_set s on s.set_id = t.set_id and s.state = 'active'
  left join hash_set c on c.set_id = t.contradicted_by_set and c.state = 'active'
 where t.media_id = any($1::bigint[]) and t.withdrawn_at is null and t.series_id is not null and t.method in ('pdq', 'blockhash')
 order by t.media_id, t.series_id, t.algorithm, t.distance_bits, t.match_id`;

const VECTORS = row({
  matchId: integer,
  mediaId: integer,
  seriesId: integer,
  method: oneOf(MODEL_METHODS),
  algorithm: text,
  distance: real,
  threshold: real,
  expectedFalseMatches: nullable(real),
  calibrated: bool,
  borderline: bool,
  log10LikelihoodRatio: real,
  gallerySize: integer,
  inliers: nullable(integer),
  details: nullable(json(ModelMatchDetails)),
  faceId: nullable(integer),
  eyeDistancePixels: nullable(real),
  reference: nullable(text),
});

const VECTORS_SQL = `
select v.match_id, v.media_id, v.series_id, v.method, v.algorithm, v.distance, v.threshold, v.expected_false_matches, v.calibrated,
       v.borderline, v.log10_likelihood_ratio as log10_likelihood_ratio, v.gallery_size, v.inliers, nullif(v.details, '{}') as details,
       v.face_id, f.eye_distance_pixels,
       coalesce(u.reference, p.reference, c.reference) as reference
  from model_match v
  left join face f on f.face_id = v.face_id
  left join subject u on u.subject_id = v.subject_id
  left join place p on p.place_id = v.place_id
  left join camera c on c.camera_id = v.camera_id
 where v.media_id = any($1::bigint[]) and v.withdrawn_at is null
 order by v.match_id`;

const HELD_SQL = `
select t.media_id, t.series_id from match t join hash_set s on s.set_id = t.set_id and s.state = 'active'
 where t.media_id = any($1::bigint[]) and t.withdrawn_at is null and t.method in ('md5', 'sha1', 'sha256')
union
select media_id, series_id from series_media where media_id = any($1::bigint[])`;

/** What is in force for these media. Evidence of a series that was merged counts for the one it was merged into. */
export async function evidenceInForce(db: Queryable, mediaIds: readonly number[]): Promise<EvidenceInForce> {
  const rootOf = await mergedSeries(db);
  const bits = await db.read(BITS, BITS_SQL, [mediaIds]);
  const vectors = await db.read(VECTORS, VECTORS_SQL, [mediaIds]);
  const held = await db.read(row({ mediaId: integer, seriesId: nullable(integer) }), HELD_SQL, [mediaIds]);
  return {
    evidence: [
      ...bits.map(
        (one): LeadEvidence => ({
          id: `m${one.matchId}`,
          mediaId: one.mediaId,
          seriesId: rootOf(one.seriesId),
          method: one.method,
          algorithm: one.algorithm,
          distance: one.distanceBits,
          threshold: one.thresholdBits,
          expectedFalseMatches: one.expectedFalseMatches,
          comparisons: null,
          calibrated: one.expectedFalseMatches !== null && one.expectedFalseMatches <= 1,
          borderline: false,
          log10LikelihoodRatio: bitLog10LikelihoodRatio(one.algorithm, one.thresholdBits),
          orientation: one.orientation,
          set: one.setName,
          contradictedBy: one.contradictedBy,
          inliers: null,
          details: null,
          faceId: null,
          eyeDistancePixels: null,
          reference: null,
        }),
      ),
      ...vectors.map(
        ({ matchId, gallerySize, seriesId, ...one }): LeadEvidence => ({
          ...one,
          id: `v${matchId}`,
          seriesId: rootOf(seriesId),
          comparisons: gallerySize,
          orientation: null,
          set: null,
          contradictedBy: null,
        }),
      ),
    ],
    knownMedia: new Set(held.map((one) => one.mediaId)),
    heldBySeries: new Set(
      held.flatMap((one) => (one.seriesId === null ? [] : [pairKey(one.mediaId, rootOf(one.seriesId))])),
    ),
  };
}

/** Where a series that was merged leads to, at any depth; all others to themselves. */
export async function mergedSeries(db: Queryable): Promise<(seriesId: number) => number> {
  const merged = await db.read(
    row({ seriesId: integer, mergedInto: integer }),
    'select series_id, merged_into from series where merged_into is not null',
  );
  const next = new Map(merged.map((one) => [one.seriesId, one.mergedInto]));
  return (seriesId) => {
    let at = seriesId;
    // As many steps as there are merges: a circle, which nothing should make, must not hang a scan.
    for (let step = 0; step <= next.size; step += 1) at = next.get(at) ?? at;
    return at;
  };
}
