import { Type } from 'typebox';
import { BoundedText, Closed, Count, Hex, Nullable, OneOf, type Static } from './closed.ts';

/** What a net is for. A classifier is an operator's own; it may order the unseen list and never filters it. */
export const PACK_KINDS = [
  'faceDetector',
  'faceLandmarks',
  'faceEmbedding',
  'copyEmbedding',
  'placeEmbedding',
  'classifier',
] as const;
export const PackKind = OneOf(PACK_KINDS);
export type PackKind = Static<typeof PackKind>;

/** Lower case, digits and hyphens: it names a folder. */
export const PackId = Type.String({ pattern: '^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$', maxLength: 64 });
/** Plain file name inside the pack's folder. */
const FileName = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,120}$', maxLength: 121 });
const Side = Type.Integer({ minimum: 8, maximum: 4096 });
const PerChannel = Type.Array(Type.Number(), { minItems: 3, maxItems: 3 });
const Score = Type.Number({ minimum: -1, maximum: 1 });
const Rate = Type.Number({ minimum: 0, maximum: 1 });

export const PackLicence = Closed({
  /** SPDX identifier, or `LicenseRef-...`. */
  id: BoundedText(80),
  url: BoundedText(400),
  /** Who holds it and on what terms, in a sentence. */
  terms: BoundedText(1000),
  /** required: an operator accepts the terms by name when installing (`models install DIR --accept-licence`); the act is recorded. */
  acceptance: OneOf(['none', 'required']),
});

export const PackFile = Closed({ name: FileName, sha256: Hex(32), sizeBytes: Count(4 * 1024 ** 3) });

/** Where the file comes from: weights of an npm package converted here, or what the operator brought. */
export const PackProvenance = Closed({
  origin: OneOf(['converted', 'supplied']),
  /** Such as `@vladmandic/human 3.3.6`, or where the operator had it from. */
  source: BoundedText(300),
  /** The source files that were converted, with their digests; empty where the pack was supplied. */
  sourceFiles: Type.Array(Closed({ path: BoundedText(300), sha256: Hex(32) }), { maxItems: 64 }),
  /** What turned them into ONNX and how its result was compared with the original, in words. */
  conversion: BoundedText(1000),
  /** Net of models/convert that makes the file; null where supplied. */
  net: Nullable(PackId),
});

/** How a picture or an aligned face becomes the input tensor: value = (pixel x scale - mean[channel]) / std[channel]. */
export const PackInput = Closed({
  name: BoundedText(80),
  widthPixels: Side,
  heightPixels: Side,
  layout: OneOf(['nchw', 'nhwc']),
  channelOrder: OneOf(['rgb', 'bgr']),
  scale: Type.Number(),
  /** In the order of channelOrder. */
  mean: PerChannel,
  std: PerChannel,
  /** stretch: to the size, whatever the shape. letterbox: whole picture, black beside it. centreCrop: shorter side to `cropFromSidePixels`, the middle of it. */
  resize: OneOf(['stretch', 'letterbox', 'centreCrop']),
  /** For centreCrop, how long the shorter side is before the middle is cut out; null: as long as the input's, and for the other two. */
  cropFromSidePixels: Nullable(Side),
  filter: OneOf(['bilinear', 'bicubic', 'lanczos3', 'area']),
  /** First reduced to this side, then enlarged to the input: takes away what an edit leaves. */
  lowPassSidePixels: Nullable(Side),
});
export type PackInput = Static<typeof PackInput>;

/** How a face is brought into the position the net was trained on. */
export const PackAlignment = Closed({
  /** landmarkBox: square round the landmarks' box, turned upright, times `expand`. similarity: least-squares similarity onto `points`. box: the detector's box times `expand`. */
  method: OneOf(['landmarkBox', 'similarity', 'box']),
  /** Which landmarks it works on; `points` are in their order. */
  landmarks: OneOf(['68', '5', 'detector', 'none']),
  expand: Type.Number({ minimum: 0.5, maximum: 4 }),
  upright: Type.Boolean(),
  /** Template in pixels of the input; empty unless method is similarity. */
  points: Type.Array(Type.Array(Type.Number(), { minItems: 2, maxItems: 2 }), { maxItems: 106 }),
});
export type PackAlignment = Static<typeof PackAlignment>;

/**
 * One output that is used; a net may have others. Where a detector has several of one role, such as a score for each stride, the nth of
 * them belongs to the nth entry of `detection.anchors`.
 */
export const PackOutput = Closed({
  name: BoundedText(80),
  /** scores and objectness: both are given by a detector whose score is the root of their product (YuNet). */
  role: OneOf(['embedding', 'boxes', 'scores', 'objectness', 'landmarks', 'probabilities']),
  /** Shape without the batch, as the net gives it; with or without the batch in front in the net itself (SCRFD has none). */
  shape: Type.Array(Type.Integer({ minimum: 1, maximum: 100_000 }), { minItems: 1, maxItems: 4 }),
  /** mean: over all places of a map of channels; gem: generalised mean with exponent 3; firstToken: of a transformer's tokens, the one for the whole picture. */
  pooling: OneOf(['none', 'mean', 'gem', 'firstToken']),
  /** Where the channel stands in what is pooled; tokens: [token, channel]. */
  mapLayout: OneOf(['nchw', 'nhwc', 'tokens', 'none']),
  normalise: OneOf(['none', 'l2']),
  /** Length of the stored vector; 0 where the output is not stored. */
  dimensions: Count(16_000),
});
export type PackOutput = Static<typeof PackOutput>;

export const PackDetection = Closed({
  decoder: OneOf(['blazeface', 'ssdMobilenetV1', 'yunet', 'scrfd']),
  scoreThreshold: Rate,
  overlapThreshold: Rate,
  /** Strides or anchor settings of the decoder, by name. */
  anchors: Type.Array(Closed({ stridePixels: Type.Integer({ minimum: 1 }), perCell: Type.Integer({ minimum: 1 }) }), {
    maxItems: 8,
  }),
  /** Pictures whose longer side is above this are also looked at in overlapping tiles of it; null: whole only. */
  tileSidePixels: Nullable(Type.Integer({ minimum: 128, maximum: 8192 })),
  tileOverlap: Rate,
  mostFaces: Type.Integer({ minimum: 1, maximum: 1000 }),
});
export type PackDetection = Static<typeof PackDetection>;

/** Counts of pairs whose similarity is at least `score`: cumulative, so a rate is a count over the total. */
export const CalibrationPoint = Closed({
  score: Score,
  samePairs: Count(),
  differentPairs: Count(),
  /** Upper 95 % bound of the false-match rate at this score, resampled by person or place. */
  falseMatchRateUpper95: Rate,
});

export const PackCalibration = Closed({
  /** Which public data, and what it does not cover. */
  data: BoundedText(600),
  identities: Count(),
  samePairs: Count(),
  differentPairs: Count(),
  /** By rising score. */
  points: Type.Array(CalibrationPoint, { maxItems: 200 }),
});
export type PackCalibration = Static<typeof PackCalibration>;

export const PackThreshold = Closed({
  /** match: evidence from here on. */
  use: OneOf(['match', 'certain']),
  /** Similarity: the cosine; for the metric euclidean 1 - distance x distance / 2, which for vectors of length 1 is the same. */
  score: Score,
  /** Null where whoever published the threshold does not say; such a match is not calibrated. */
  falseMatchRate: Nullable(Rate),
  falseMatchRateUpper95: Nullable(Rate),
  /** Share of true ones among what it finds in a named search (the figure published for SSCD); it holds for that search's size alone. */
  precision: Nullable(Rate),
  /** On what it was chosen, and how it held elsewhere. */
  calibratedOn: BoundedText(600),
});

/** Run before a pack is used: the net must give this output for this input on this machine. */
export const PackSelfTest = Closed({
  /** Input tensor of the manifest's shape: value i is scale x fraction(sin(i + seed) x 43758.5453) + offset, in double precision (the sine hash often used in shaders), so that no picture has to be kept. */
  input: Closed({ seed: Type.Integer(), scale: Type.Number(), offset: Type.Number() }),
  output: BoundedText(80),
  /** First values of that output as the original net gave them in its own framework, before pooling. */
  firstValues: Type.Array(Type.Number(), { minItems: 1, maxItems: 64 }),
  /** Of all values of that output. */
  sumOfSquares: Type.Number({ exclusiveMinimum: 0 }),
  /** A value may be off by this times the root mean square of the output, the sum of squares by twice this times itself. */
  tolerance: Type.Number({ exclusiveMinimum: 0, maximum: 0.05 }),
});
export type PackSelfTest = Static<typeof PackSelfTest>;

export const ModelPackManifest = Closed({
  manifestVersion: Type.Literal(1),
  id: PackId,
  version: Type.String({ pattern: '^[0-9]+\\.[0-9]+\\.[0-9]+$', maxLength: 20 }),
  kind: PackKind,
  title: BoundedText(200),
  licence: PackLicence,
  files: Type.Array(PackFile, { minItems: 1, maxItems: 8 }),
  /** Of `files`, what onnxruntime opens. */
  net: FileName,
  provenance: PackProvenance,
  input: PackInput,
  alignment: Nullable(PackAlignment),
  outputs: Type.Array(PackOutput, { minItems: 1, maxItems: 24 }),
  detection: Nullable(PackDetection),
  /**
   * Of a classifier: what its probabilities are of, in their order. The weights (0 to 1) say how far each class moves a picture forward
   * in the list of the unseen; the score is their weighted sum, at most 1.
   */
  classes: Type.Optional(
    Type.Array(Closed({ name: BoundedText(80), weight: Rate }), { minItems: 1, maxItems: 10_000 }),
  ),
  /** By which stored vectors are compared; null where none are. */
  metric: Nullable(OneOf(['cosine', 'euclidean'])),
  thresholds: Type.Array(PackThreshold, { maxItems: 8 }),
  calibration: Nullable(PackCalibration),
  selfTest: PackSelfTest,
});
export type ModelPackManifest = Static<typeof ModelPackManifest>;

/** Codes of schemas/error.ts with which a net can be refused by the process that tries it. */
const VERDICT_CODES = [
  'HW_MODEL_FILE',
  'HW_MODEL_FORMAT',
  'HW_MODEL_SHAPE',
  'HW_MODEL_SELF_TEST',
  'HW_MODEL_PROVIDER',
] as const;
/** Where inference can run; which of them a machine offers is asked of onnxruntime. */
export const MODEL_PROVIDERS = ['cpu', 'cuda', 'coreml', 'directml'] as const;
export const ModelProvider = OneOf(MODEL_PROVIDERS);
export type ModelProvider = Static<typeof ModelProvider>;

/** What the process that tries a pack is asked; the net's bytes are its standard input. Without a manifest: which providers there are. */
export interface PackTrial {
  readonly manifest: ModelPackManifest | null;
  readonly provider: ModelProvider;
}

/** What the process that tries a pack answers. */
export const PackVerdict = Closed({
  /** Null: the net opens, is what its manifest says, and gives the output of its self-test. */
  refusal: Nullable(Closed({ code: OneOf(VERDICT_CODES), message: BoundedText(600) })),
  /** Providers that onnxruntime was made with here; whether this machine has what they need only a try tells. */
  offered: Type.Array(ModelProvider, { maxItems: 8 }),
  /** All of it, in milliseconds. */
  durationMs: Type.Number({ minimum: 0 }),
});
export type PackVerdict = Static<typeof PackVerdict>;

/**
 * A score of several outputs of packs together: the mean of their cosines by weight. Single outputs have their threshold in their manifest.
 * geometry: inliers of a fundamental matrix / 400 in place of a cosine, for the check that follows a place's score.
 */
export const ModelFusion = Closed({
  id: PackId,
  kind: OneOf(['face', 'copy', 'place', 'geometry']),
  title: BoundedText(200),
  /** Empty for geometry. */
  parts: Type.Array(
    Closed({
      pack: PackId,
      version: BoundedText(20),
      output: BoundedText(80),
      weight: Type.Number({ exclusiveMinimum: 0, maximum: 100 }),
    }),
    { maxItems: 8 },
  ),
  thresholdSimilarity: Score,
  /** On what the threshold was chosen, and how it held elsewhere. */
  calibratedOn: BoundedText(600),
  calibration: Nullable(PackCalibration),
});
export type ModelFusion = Static<typeof ModelFusion>;
