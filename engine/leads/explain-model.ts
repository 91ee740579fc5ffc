import { MOST_KEYPOINTS } from '../../schemas/embedding.ts';
import { MODEL_METHODS, ModelMatchDetails } from '../../schemas/model-match.ts';
import type { ModelFusion, ModelPackManifest } from '../../schemas/model-pack.ts';
import { SIMILARITY_TOLERANCE } from '../match/model-evidence.ts';
import { FACE_GATE } from '../match/model-faces.ts';
import type { Queryable } from '../store/db.ts';
import { bool, bytes, integer, json, nullable, oneOf, real, row, text, timestamp } from '../store/row-shape.ts';
import { COPY_PART_RULE, comparedVector } from './compared-vector.ts';

/** What is known of packs, and of scores of several of them, besides what the database holds. */
export interface ModelFacts {
  readonly packs: readonly Pick<ModelPackManifest, 'id' | 'version' | 'files' | 'thresholds' | 'calibration'>[];
  readonly fusions: readonly ModelFusion[];
}

const FOUND = row({
  method: oneOf(MODEL_METHODS),
  algorithm: text,
  pipelineVersion: text,
  distance: real,
  threshold: real,
  expectedFalseMatches: nullable(real),
  calibrated: bool,
  borderline: bool,
  log10LikelihoodRatio: real,
  gallerySize: integer,
  details: nullable(json(ModelMatchDetails)),
  faceId: nullable(integer),
  knownFaceId: nullable(integer),
  authority: nullable(text),
  necessity: nullable(text),
  createdAt: timestamp,
  withdrawnAt: nullable(timestamp),
  sha256: bytes,
  knownSha256: nullable(bytes),
  source: text,
  series: text,
  subject: nullable(text),
  place: nullable(text),
  camera: nullable(text),
  bodySerial: nullable(text),
  lensSerial: nullable(text),
  provider: nullable(text),
});

const FOUND_SQL = `
select v.method, v.algorithm, v.pipeline_version, v.distance, v.threshold, v.expected_false_matches, v.calibrated, v.borderline,
       v.log10_likelihood_ratio, v.gallery_size, nullif(v.details, '{}') as details, v.face_id, v.known_face_id, v.authority, v.necessity,
       v.created_at, v.withdrawn_at, m.sha256, k.sha256 as known_sha256, s.source, s.name as series,
       u.reference as subject, p.reference as place, c.reference as camera, c.body_serial, c.lens_serial,
       (select r.provider from embedding_run r where r.media_id = v.media_id order by r.created_at desc limit 1) as provider
  from model_match v
  join media m on m.media_id = v.media_id
  join series s on s.series_id = v.series_id
  left join media k on k.media_id = v.known_media_id
  left join subject u on u.subject_id = v.subject_id
  left join place p on p.place_id = v.place_id
  left join camera c on c.camera_id = v.camera_id
 where v.match_id = $1`;

const FACE = row({
  faceId: integer,
  sha256: bytes,
  detector: text,
  detectorVersion: text,
  x: integer,
  y: integer,
  width: integer,
  height: integer,
  detectionScore: real,
  eyeDistancePixels: real,
  sharpness: real,
  yawDegrees: real,
  pitchDegrees: real,
  rollDegrees: real,
});

const FORMULAS = {
  score:
    'sum of weight x similarity over the spaces, divided by the sum of the weights; similarity is the cosine of two vectors of length 1',
  distance: '1 - score',
  evidence:
    'distance <= threshold, and for faces both pass the gate, for places the geometric check passes (15 fundamental or 10 homography inliers)',
  expectedFalseMatches: 'comparisons x falseMatchRateUpper95',
  comparisons:
    'known vectors times the faces, or the one picture, that were looked for; for a copy the sum over all pairs of parts that are compared, whichever was found',
  falseMatchRateUpper95:
    'least, over calibrated scores t <= s, of max(bound of the calibration at t, different(t) / D, 1 - 0.05^(1/D)); D is the number of different pairs',
  likelihoodRatio:
    'min(interval ratio of same to different pairs, pooled until it does not fall with the score; greatest, over t <= s, of (same(t) / S) / falseMatchRateUpper95(t)), at least 1 - 0.05^(1/S)',
  calibrated: 'expectedFalseMatches <= 1',
} as const;

const CAMERA_FORMULAS = {
  evidence:
    'normalised serial numbers are equal (capital letters and digits, leading zeros and fillers gone), and make and model do not differ',
  falseMatchRateUpper95:
    'max(1/10,000, min(1/1,000, 1 - 0.05^(1 / devices seen))), a convention of this engine; null where other makes or models bear the number',
  expectedFalseMatches: 'comparisons x falseMatchRateUpper95',
  likelihoodRatio: '1 / falseMatchRateUpper95',
  calibrated: 'expectedFalseMatches <= 1',
} as const;

/** See `explainMatch`; null where there is no such match. */
export async function explainModelMatch(
  db: Queryable,
  matchId: number,
  facts: ModelFacts,
): Promise<Record<string, unknown> | null> {
  const [found] = await db.read(FOUND, FOUND_SQL, [matchId]);
  if (found === undefined) return null;
  const { details } = found;
  const faceIds = [found.faceId, found.knownFaceId].filter((id) => id !== null);
  const faces = await db.read(
    FACE,
    `select f.face_id, m.sha256, f.detector, f.detector_version, f.box_x as x, f.box_y as y, f.box_width as width, f.box_height as height,
            f.detection_score, f.eye_distance_pixels, f.sharpness, f.yaw_degrees, f.pitch_degrees, f.roll_degrees
       from face f join media m on m.media_id = f.media_id where f.face_id = any($1::bigint[])`,
    [faceIds],
  );
  const face = (id: number | null) => {
    const one = faces.find(({ faceId }) => faceId === id);
    return one === undefined ? null : { ...one, sha256: one.sha256.toString('hex') };
  };
  return {
    method: found.method,
    algorithm: found.algorithm,
    inForce: found.withdrawnAt === null,
    foundAt: found.createdAt,
    withdrawnAt: found.withdrawnAt,
    pipelineVersion: found.pipelineVersion,
    provider: found.method === 'camera' ? null : found.provider,
    media: { sha256: found.sha256.toString('hex'), face: face(found.faceId) },
    known: {
      source: found.source,
      series: found.series,
      subject: found.subject,
      place: found.place,
      camera: found.camera === null ? null : serialOf(found),
      sha256: found.knownSha256?.toString('hex') ?? null,
      face: face(found.knownFaceId),
    },
    scores: (details?.scores ?? []).map(({ space, knownSpace, similarity, weight }) => ({
      media: comparedVector(space, found.method),
      known: comparedVector(knownSpace, found.method),
      similarity,
      weight,
    })),
    distance: found.distance,
    threshold: found.threshold,
    borderline: found.borderline,
    borderlineWithin: found.method === 'camera' ? null : SIMILARITY_TOLERANCE,
    gate: found.method === 'face' ? FACE_GATE : null,
    geometry: details?.geometry == null ? null : { ...details.geometry, mostKeypoints: MOST_KEYPOINTS },
    serial: details?.serial ?? null,
    comparisons: found.gallerySize,
    falseMatchRateUpper95: details?.falseMatchRateUpper95 ?? null,
    expectedFalseMatches: found.expectedFalseMatches,
    calibrated: found.calibrated,
    log10LikelihoodRatio: found.log10LikelihoodRatio,
    packs: packsIn(found.algorithm, facts.packs),
    // Of the score as a whole; where a single pack's output is the score, its own is with the pack.
    fusions: facts.fusions.filter(
      (one) => algorithmOf(one) === found.algorithm || (one.kind === 'geometry' && found.method === 'place'),
    ),
    grounds: found.method === 'face' ? { authority: found.authority, necessity: found.necessity } : null,
    adultsOnly: found.method === 'face',
    formulas: found.method === 'camera' ? CAMERA_FORMULAS : FORMULAS,
    ...(found.method === 'copy' ? { partRule: COPY_PART_RULE } : {}),
  };
}

function serialOf(found: {
  readonly camera: string | null;
  readonly bodySerial: string | null;
  readonly lensSerial: string | null;
}) {
  return { reference: found.camera, bodySerial: found.bodySerial, lensSerial: found.lensSerial };
}

/** The algorithm that evidence by a fusion carries. */
function algorithmOf({ parts }: ModelFusion): string {
  return parts.map(({ pack, version, output }) => `${pack}@${version}/${output}`).join('+');
}

/** The packs an algorithm names, with what is known of each here; another version than the one named is another pack. */
function packsIn(algorithm: string, packs: ModelFacts['packs']) {
  const named = [...algorithm.matchAll(/([a-z0-9-]+)@(\d+\.\d+\.\d+)\//g)].map(([, id, version]) => ({ id, version }));
  const distinct = [...new Map(named.map((one) => [`${one.id}@${one.version}`, one])).values()];
  return distinct.map(({ id, version }) => {
    const pack = packs.find((one) => one.id === id && one.version === version);
    return {
      id,
      version,
      installed: pack !== undefined,
      files: pack?.files ?? null,
      thresholds: pack?.thresholds ?? null,
      calibration: pack?.calibration ?? null,
    };
  });
}
