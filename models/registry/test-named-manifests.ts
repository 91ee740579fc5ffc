import type { ModelPackManifest, PackInput, PackOutput } from '../../schemas/model-pack.ts';
import { tinyManifest, tinyNet } from './test-kit.ts';

/**
 * Manifests of the models that operators are expected to bring, by what their authors publish of them: the schema has to be able to say it all.
 * The files are a test's own; only what describes the nets is theirs.
 */

const BASE = tinyManifest(tinyNet());
const IMAGENET = { scale: 1 / 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
/** (x - 127.5) / 127.5. */
const CENTRED = { scale: 1, mean: [127.5, 127.5, 127.5], std: [127.5, 127.5, 127.5] };
/** Eyes, nose, corners of the mouth at 112 pixels, as InsightFace publishes them (face_align.py). */
const ARCFACE_POINTS = [
  [38.2946, 51.6963],
  [73.5318, 51.5014],
  [56.0252, 71.7366],
  [41.5493, 92.3655],
  [70.7299, 92.2041],
];
const ON_ARCFACE: ModelPackManifest['alignment'] = {
  method: 'similarity',
  landmarks: '5',
  expand: 1,
  upright: false,
  points: ARCFACE_POINTS,
};

const square = (side: number, changes: Partial<PackInput>): PackInput => ({
  ...BASE.input,
  ...changes,
  widthPixels: side,
  heightPixels: side,
});
const vector = (name: string, dimensions: number, changes: Partial<PackOutput> = {}): PackOutput => ({
  name,
  role: 'embedding',
  shape: [dimensions],
  pooling: 'none',
  mapLayout: 'none',
  normalise: 'l2',
  dimensions,
  ...changes,
});
const plain = (name: string, role: PackOutput['role'], ...shape: number[]): PackOutput => ({
  name,
  role,
  shape,
  pooling: 'none',
  mapLayout: 'none',
  normalise: 'none',
  dimensions: 0,
});
const licence = (id: string, url: string, terms: string, acceptance: 'none' | 'required' = 'none') => ({
  id,
  url,
  terms,
  acceptance,
});
const pack = (id: string, changes: Partial<ModelPackManifest>): ModelPackManifest => {
  const made = { ...BASE, id, title: id, ...changes };
  return { ...made, selfTest: { ...BASE.selfTest, output: made.outputs[0]?.name ?? '' } };
};
const threshold = (score: number, changes: Partial<ModelPackManifest['thresholds'][number]>) => ({
  use: 'match' as const,
  score,
  falseMatchRate: null,
  falseMatchRateUpper95: null,
  precision: null,
  calibratedOn: 'as published by its authors',
  ...changes,
});
/** Cells of a square grid of this stride. */
const cells = (side: number, stridePixels: number): number => (side / stridePixels) ** 2;
const STRIDES = [8, 16, 32];

export const NAMED_MANIFESTS: Readonly<Record<string, ModelPackManifest>> = {
  'SSCD, small side 288': pack('sscd-disc-mixup', {
    licence: licence('MIT', 'https://github.com/facebookresearch/sscd-copy-detection', 'Free to use.'),
    input: square(288, { ...IMAGENET, resize: 'centreCrop', filter: 'bilinear' }),
    outputs: [vector('embedding', 512)],
    thresholds: [threshold(0.75, { precision: 0.9, calibratedOn: 'DISC2021, its authors' })],
  }),
  'SSCD, stretched to 320': pack('sscd-320', {
    input: square(320, { ...IMAGENET, resize: 'stretch' }),
    outputs: [vector('embedding', 512)],
  }),
  'DINOv2, its token for the whole picture': pack('dinov2-base', {
    licence: licence('Apache-2.0', 'https://github.com/facebookresearch/dinov2', 'Free to use.'),
    kind: 'placeEmbedding',
    input: square(224, { ...IMAGENET, resize: 'centreCrop', cropFromSidePixels: 256, filter: 'bicubic' }),
    outputs: [vector('last_hidden_state', 768, { shape: [257, 768], pooling: 'firstToken', mapLayout: 'tokens' })],
  }),
  MegaLoc: pack('megaloc', {
    licence: licence('MIT', 'https://github.com/gmberton/MegaLoc', 'Free to use.'),
    kind: 'placeEmbedding',
    input: square(322, { ...IMAGENET, resize: 'stretch' }),
    outputs: [vector('descriptor', 8448)],
  }),
  SFace: pack('sface', {
    licence: licence('Apache-2.0', 'https://github.com/opencv/opencv_zoo', 'Free to use.'),
    kind: 'faceEmbedding',
    input: square(112, { scale: 1, mean: [0, 0, 0], std: [1, 1, 1] }),
    alignment: ON_ARCFACE,
    outputs: [vector('fc1', 128)],
    thresholds: [threshold(0.363, { calibratedOn: 'LFW, its authors' })],
  }),
  'SFace by its distance of 1.128': pack('sface-distance', {
    kind: 'faceEmbedding',
    input: square(112, { scale: 1, mean: [0, 0, 0], std: [1, 1, 1] }),
    alignment: ON_ARCFACE,
    outputs: [vector('fc1', 128)],
    metric: 'euclidean',
    thresholds: [threshold(1 - 1.128 ** 2 / 2, { calibratedOn: 'LFW, its authors' })],
  }),
  'InsightFace buffalo_l': pack('insightface-w600k-r50', {
    licence: licence(
      'LicenseRef-InsightFace-NonCommercial',
      'https://github.com/deepinsight/insightface',
      'Non-commercial research only.',
      'required',
    ),
    kind: 'faceEmbedding',
    input: square(112, { ...CENTRED, channelOrder: 'rgb' }),
    alignment: ON_ARCFACE,
    outputs: [vector('683', 512)],
  }),
  AdaFace: pack('adaface-ir101', {
    licence: licence('MIT', 'https://github.com/mk-minchul/AdaFace', 'Free to use.'),
    kind: 'faceEmbedding',
    input: square(112, { ...CENTRED, channelOrder: 'bgr' }),
    alignment: ON_ARCFACE,
    outputs: [vector('feature', 512)],
  }),
  YuNet: pack('yunet', {
    licence: licence('MIT', 'https://github.com/opencv/opencv_zoo', 'Free to use.'),
    kind: 'faceDetector',
    input: square(640, { channelOrder: 'bgr', scale: 1, mean: [0, 0, 0], std: [1, 1, 1], resize: 'letterbox' }),
    outputs: [
      ...STRIDES.map((stride) => plain(`cls_${stride}`, 'scores', cells(640, stride), 1)),
      ...STRIDES.map((stride) => plain(`obj_${stride}`, 'objectness', cells(640, stride), 1)),
      ...STRIDES.map((stride) => plain(`bbox_${stride}`, 'boxes', cells(640, stride), 4)),
      ...STRIDES.map((stride) => plain(`kps_${stride}`, 'landmarks', cells(640, stride), 10)),
    ],
    detection: {
      decoder: 'yunet',
      scoreThreshold: 0.9,
      overlapThreshold: 0.3,
      anchors: STRIDES.map((stridePixels) => ({ stridePixels, perCell: 1 })),
      tileSidePixels: 1280,
      tileOverlap: 0.2,
      mostFaces: 1000,
    },
    metric: null,
  }),
  'SCRFD, which leaves the batch out': pack('scrfd-10g', {
    licence: licence(
      'LicenseRef-InsightFace-NonCommercial',
      'https://github.com/deepinsight/insightface',
      'Non-commercial research only.',
      'required',
    ),
    kind: 'faceDetector',
    input: square(640, { ...CENTRED, std: [128, 128, 128], resize: 'letterbox' }),
    outputs: [
      ...['448', '471', '494'].map((name, at) => plain(name, 'scores', cells(640, STRIDES[at] ?? 8) * 2, 1)),
      ...['451', '474', '497'].map((name, at) => plain(name, 'boxes', cells(640, STRIDES[at] ?? 8) * 2, 4)),
      ...['454', '477', '500'].map((name, at) => plain(name, 'landmarks', cells(640, STRIDES[at] ?? 8) * 2, 10)),
    ],
    detection: {
      decoder: 'scrfd',
      scoreThreshold: 0.5,
      overlapThreshold: 0.4,
      anchors: STRIDES.map((stridePixels) => ({ stridePixels, perCell: 2 })),
      tileSidePixels: null,
      tileOverlap: 0,
      mostFaces: 1000,
    },
    metric: null,
  }),
  'a classifier of the operator': pack('scene-classifier', {
    kind: 'classifier',
    input: square(224, { ...IMAGENET, resize: 'centreCrop' }),
    outputs: [plain('probabilities', 'probabilities', 12)],
    classes: Array.from({ length: 12 }, (_, i) => ({ name: `scene ${i}`, weight: i / 11 })),
    metric: null,
  }),
};
