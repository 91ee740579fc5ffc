import { Type } from 'typebox';
import { BoundedText, Closed, Count, Hex, Nullable, OneOf, type Static } from './closed.ts';
import { KEYPOINT_BYTES, MOST_FACES, MOST_KEYPOINTS } from './constants.ts';
import { PackId } from './model-pack.ts';
import { NullableReason, Outcome } from './outcome.ts';

export { KEYPOINT_BYTES, MOST_FACES, MOST_KEYPOINTS };

const MOST_VECTOR_VALUES = 16_000;
const base64Length = (bytes: number) => Math.ceil(bytes / 3) * 4;

/** Little-endian 32-bit floats in base64; bounded, and too short by far to be a picture's pixels. */
export const VectorBase64 = Type.String({
  maxLength: base64Length(MOST_VECTOR_VALUES * 4),
  pattern: '^[A-Za-z0-9+/]*={0,2}$',
});

/** One vector of one output of one pack. Only vectors of the same pack, version and output are ever compared. */
export const PackVector = Closed({
  pack: PackId,
  version: BoundedText(20),
  output: BoundedText(80),
  dimensions: Type.Integer({ minimum: 1, maximum: MOST_VECTOR_VALUES }),
  /** Finite, and of length 1 where the metric is cosine. */
  values: VectorBase64,
});
export type PackVector = Static<typeof PackVector>;

const PixelPlace = Type.Integer({ minimum: -65_535, maximum: 131_070 });
const Degrees = Type.Number({ minimum: -180, maximum: 180 });

export const Face = Closed({
  detector: PackId,
  detectorVersion: BoundedText(20),
  /** In pixels of the picture as stored in the file, before EXIF orientation; may reach beyond its edge. */
  box: Closed({ x: PixelPlace, y: PixelPlace, width: Count(131_070), height: Count(131_070) }),
  /** Likewise; 68 of them, or none where they could not be placed. */
  landmarks: Type.Array(Type.Tuple([PixelPlace, PixelPlace]), { maxItems: 68 }),
  detectionScore: Type.Number({ minimum: 0, maximum: 1 }),
  /** Distance between the eyes' centres, which is what resolution of a face is stated in. */
  eyeDistancePixels: Type.Number({ minimum: 0, maximum: 131_070 }),
  /** Variance of the Laplacian of the aligned face's luma (0 to 255); below some 30 it is blurred. */
  sharpness: Type.Number({ minimum: 0, maximum: 1_000_000 }),
  pose: Closed({ yawDegrees: Degrees, pitchDegrees: Degrees, rollDegrees: Degrees }),
  /** 0 to 100 from size, sharpness, pose and detection score; what counts for it is in workers/embed. */
  quality: Count(100),
  vectors: Type.Array(PackVector, { maxItems: 8 }),
});
export type Face = Static<typeof Face>;

/** For the geometric check of places alone: capped, quantised, never exported (a picture could be guessed from more). */
export const Keypoints = Closed({
  algorithm: Type.Literal('rootsift/1'),
  count: Count(MOST_KEYPOINTS),
  /** `count` records of KEYPOINT_BYTES. */
  data: Type.String({ maxLength: base64Length(MOST_KEYPOINTS * KEYPOINT_BYTES), pattern: '^[A-Za-z0-9+/]*={0,2}$' }),
});
export type Keypoints = Static<typeof Keypoints>;

export const EMBED_STEPS = [
  'read',
  'decode',
  'detect',
  'landmarks',
  'faces',
  'copies',
  'places',
  'classify',
  'keypoints',
] as const;

/** What a classifier says of a picture: 0 to 1, the weighted sum of its classes. */
export const PackScore = Closed({
  pack: PackId,
  version: BoundedText(20),
  score: Type.Number({ minimum: 0, maximum: 1 }),
});
export type PackScore = Static<typeof PackScore>;

/** What the steps took, each named once; those that were not gone through are missing. */
export const EmbedStepTimes = Type.Array(
  Closed({ step: OneOf(EMBED_STEPS), durationMs: Type.Number({ minimum: 0 }) }),
  { maxItems: 16 },
);

/** All that the models say about one file's content. Closed and bounded: pixels cannot be expressed in it. */
export const Embedding = Closed({
  /** done, partial (the picture is damaged, or a part of the models failed), rejected (no picture, or changed since its digests were taken) or failed. */
  outcome: Outcome,
  reason: NullableReason,
  /** Of the bytes that were read now; null where they were not read to their end. */
  sha256: Nullable(Hex(32)),
  /** Null where faces were not to be looked for. */
  facesFound: Nullable(Count(100_000)),
  faces: Type.Array(Face, { maxItems: MOST_FACES }),
  vectors: Type.Array(PackVector, { maxItems: 16 }),
  /** Of classifiers, which order the list of the unseen. */
  scores: Type.Array(PackScore, { maxItems: 8 }),
  keypoints: Nullable(Keypoints),
  /** Such as `cpu`; embeddings differ a little between providers. */
  provider: BoundedText(40),
  /** Wall time by step, in milliseconds. */
  stepMs: EmbedStepTimes,
});
export type Embedding = Static<typeof Embedding>;

/** What the models are asked for. */
export const EmbedPlan = Closed({
  /** Pack of the detector; null: faces are not looked for at all, as the law asks unless an authority allows it. */
  faceDetector: Nullable(PackId),
  /** All other packs of the plan, by kind; face packs are left out where faceDetector is null. */
  packs: Type.Array(PackId, { maxItems: 16 }),
  keypoints: Type.Boolean(),
});
export type EmbedPlan = Static<typeof EmbedPlan>;

/** Result of the geometric check of one pair of pictures. */
export const GeometryResult = Closed({
  /** Correspondences that pass the ratio test in both directions. */
  tentative: Count(MOST_KEYPOINTS),
  fundamentalInliers: Count(MOST_KEYPOINTS),
  homographyInliers: Count(MOST_KEYPOINTS),
});
export type GeometryResult = Static<typeof GeometryResult>;
