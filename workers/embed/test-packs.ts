import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { convertNet, NETS } from '../../models/convert/convert.ts';
import type { ModelPackManifest, PackInput, PackOutput } from '../../schemas/model-pack.ts';

/** TEMP */
const ROOT = path.resolve(import.meta.dirname, '../..');
const CONVERTER = path.join(ROOT, 'models/convert');

function cacheFolder(): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(CONVERTER)
    .filter((n) => n.endsWith('.ts') && !n.endsWith('.test.ts'))
    .sort())
    hash.update(readFileSync(path.join(CONVERTER, name)));
  return path.join(tmpdir(), `homeward-models-${hash.digest('hex').slice(0, 16)}`);
}

export async function netBytes(net: string): Promise<Uint8Array> {
  const folder = cacheFolder();
  try {
    return readFileSync(path.join(folder, `${net}.onnx`));
  } catch {
    const { bytes } = await convertNet(net, path.join(ROOT, 'node_modules'));
    mkdirSync(folder, { recursive: true });
    const own = mkdtempSync(path.join(folder, 'making-'));
    writeFileSync(path.join(own, net), bytes);
    renameSync(path.join(own, net), path.join(folder, `${net}.onnx`));
    rmSync(own, { recursive: true });
    return bytes;
  }
}

const input = (side: number, changes: Partial<PackInput> = {}): PackInput => ({
  name: 'input',
  widthPixels: side,
  heightPixels: side,
  layout: 'nchw',
  channelOrder: 'rgb',
  scale: 1,
  mean: [0, 0, 0],
  std: [1, 1, 1],
  resize: 'stretch',
  cropFromSidePixels: null,
  filter: 'bilinear',
  lowPassSidePixels: null,
  ...changes,
});
const output = (
  name: string,
  role: PackOutput['role'],
  shape: number[],
  changes: Partial<PackOutput> = {},
): PackOutput => ({
  name,
  role,
  shape,
  pooling: 'none',
  mapLayout: 'none',
  normalise: role === 'embedding' ? 'l2' : 'none',
  dimensions: role === 'embedding' ? (shape[0] ?? 0) : 0,
  ...changes,
});

type Part = Pick<ModelPackManifest, 'kind' | 'input' | 'outputs'> & Partial<ModelPackManifest>;
const manifest = (id: string, net: string, part: Part): ModelPackManifest => ({
  manifestVersion: 1,
  id,
  version: '1.0.0',
  title: id,
  licence: { id: 'MIT', url: 'https://example.org', terms: '', acceptance: 'none' },
  files: [{ name: `${net}.onnx`, sha256: createHash('sha256').update(net).digest('hex'), sizeBytes: 0 }],
  net: `${net}.onnx`,
  provenance: { origin: 'converted', source: '', sourceFiles: [], conversion: '', net },
  alignment: null,
  detection: null,
  metric: null,
  thresholds: [],
  calibration: null,
  selfTest: {
    input: { seed: 1, scale: 1, offset: 0 },
    output: part.outputs[0]?.name ?? '',
    firstValues: [0],
    sumOfSquares: 1,
    tolerance: 0.01,
  },
  ...part,
});
export const PACKS: Record<string, ModelPackManifest> = {
  blazeface: manifest('blazeface', 'blazeface', {
    kind: 'faceDetector',
    input: input(256, { mean: [127.5, 127.5, 127.5], std: [127.5, 127.5, 127.5], resize: 'letterbox' }),
    outputs: [output('boxes', 'boxes', [896, 16]), output('scores', 'scores', [896, 1])],
    detection: {
      decoder: 'blazeface',
      scoreThreshold: 0.5,
      overlapThreshold: 0.3,
      anchors: [
        { stridePixels: 16, perCell: 2 },
        { stridePixels: 32, perCell: 6 },
      ],
      tileSidePixels: 1024,
      tileOverlap: 0.25,
      mostFaces: 1000,
    },
  }),
  ssd: manifest('ssd-mobilenetv1', 'ssd-mobilenetv1', {
    kind: 'faceDetector',
    input: input(512, { mean: [127.5, 127.5, 127.5], std: [127.5, 127.5, 127.5], resize: 'letterbox' }),
    outputs: [output('boxes', 'boxes', [5118, 4]), output('scores', 'scores', [5118])],
    detection: {
      decoder: 'ssdMobilenetV1',
      scoreThreshold: 0.5,
      overlapThreshold: 0.5,
      anchors: [],
      tileSidePixels: 1024,
      tileOverlap: 0.25,
      mostFaces: 1000,
    },
  }),
  landmarks: manifest('face-landmarks-68', 'face-landmarks-68', {
    kind: 'faceLandmarks',
    input: input(112, { mean: [122.782, 117.001, 104.298], std: [255, 255, 255] }),
    outputs: [output('landmarks', 'landmarks', [136])],
    alignment: { method: 'box', landmarks: 'detector', expand: 1.4, upright: true, points: [] },
  }),
  dlib: manifest('dlib-128', 'dlib-resnet', {
    kind: 'faceEmbedding',
    input: input(150, { mean: [122.782, 117.001, 104.298], std: [255, 255, 255] }),
    outputs: [output('embedding', 'embedding', [128])],
    alignment: { method: 'landmarkBox', landmarks: '68', expand: 1.25, upright: true, points: [] },
    metric: 'cosine',
  }),
  faceres: manifest('faceres-1024', 'faceres', {
    kind: 'faceEmbedding',
    input: input(224, { channelOrder: 'bgr', mean: [103.939, 116.779, 123.68] }),
    outputs: [output('embedding', 'embedding', [1024])],
    alignment: { method: 'landmarkBox', landmarks: '68', expand: 1.25, upright: true, points: [] },
    metric: 'cosine',
  }),
  copy: manifest('mobilenet-v2-copy', 'mobilenet-v2-mid', {
    kind: 'copyEmbedding',
    input: input(224, {
      mean: [127.5, 127.5, 127.5],
      std: [127.5, 127.5, 127.5],
      lowPassSidePixels: 88,
      filter: 'bilinear',
    }),
    outputs: [output('penultimate', 'embedding', [1792])],
    metric: 'cosine',
  }),
  place: manifest('mobilenet-v2-place', 'mobilenet-v2-mid', {
    kind: 'placeEmbedding',
    input: input(224, { mean: [127.5, 127.5, 127.5], std: [127.5, 127.5, 127.5] }),
    outputs: [
      output('block13', 'embedding', [816, 14, 14], { pooling: 'mean', mapLayout: 'nchw', dimensions: 816 }),
      output('penultimate', 'embedding', [1792]),
    ],
    metric: 'cosine',
  }),
};
export const NET_IDS = [...NETS.keys()];
