import { dlibResnet } from './dlib-resnet.ts';
import { faceLandmarks68 } from './face-landmarks-68.ts';
import type { GraphBuilder, Wire } from './graph-builder.ts';
import { graphModel } from './graph-model.ts';
import { GraphModelReader } from './graph-model-reader.ts';
import type { OnnxPort } from './onnx-model.ts';
import { exportedLiteral } from './script-data.ts';
import { type SourceFile, unreadable } from './source-files.ts';
import { ssdMobilenetV1 } from './ssd-mobilenet-v1.ts';
import { readWeights } from './weights.ts';

/** One net that the converter makes: all inputs are [batch, 3, height, width] in float32, batch of any length. */
export interface Net {
  readonly source: readonly SourceFile[];
  /** Height and width of the input. */
  readonly sidePixels: number;
  readonly outputs: readonly OnnxPort[];
  /** The wires of `outputs` in their order. `files` are the contents of `source` in its order. */
  readonly build: (builder: GraphBuilder, files: readonly Uint8Array[]) => readonly Wire[];
}

const HUMAN = '@vladmandic/human';
const FACE_API = '@vladmandic/face-api';
/** Common beginning of the nodes of nsfwjs's net: a TensorFlow Hub module inside two Keras models. */
const HUB_MODULE =
  'StatefulPartitionedCall/sequential/keras_layer/StatefulPartitionedCall/StatefulPartitionedCall/StatefulPartitionedCall/predict';

const output = (name: string, ...shape: readonly number[]): OnnxPort => ({ name, shape: ['batch', ...shape] });

/** Which nets there are. Digests are those of the packages at the versions of the lock file. */
export const CONVERTED_NETS: Readonly<Record<string, Net>> = {
  /** Face detector of MediaPipe for 256 pixels: 512 boxes of cells of 16 pixels, then 384 of cells of 32. */
  blazeface: {
    source: [
      {
        packageName: HUMAN,
        path: 'models/blazeface.json',
        sha256: 'cd7bbfc078270572beb39f9e5ae67aadbd50b5e67cff37e6d4f6b3ea39312e5f',
      },
      {
        packageName: HUMAN,
        path: 'models/blazeface.bin',
        sha256: 'dc9a97fdc50bc43216554bdd69aa3e7b9361a519ee7bdd996a2f69a98a6f9b72',
      },
    ],
    sidePixels: 256,
    outputs: [output('boxes', 896, 16), output('scores', 896, 1)],
    build: (builder, [description, data]) => {
      const reader = graphModelReader(builder, description, data, 'input');
      const scores = ['Identity', 'Identity_1'].map((name) => reader.wire(name));
      const boxes = ['Identity_2', 'Identity_3'].map((name) => reader.wire(name));
      return [builder.concatenated(boxes, 1), builder.concatenated(scores, 1)];
    },
  },
  'ssd-mobilenetv1': {
    source: [
      {
        packageName: FACE_API,
        path: 'model/ssd_mobilenetv1_model-weights_manifest.json',
        sha256: '888f744dffbc84f5f060d1f8427d9742341943a2dfaaf9205d10029b7e7a2955',
      },
      {
        packageName: FACE_API,
        path: 'model/ssd_mobilenetv1_model.bin',
        sha256: '2835640602d53718aa6ae9a42896327eaa21beefed056c218d32ca7d79e1e2f8',
      },
    ],
    sidePixels: 512,
    outputs: [output('boxes', 5118, 4), output('scores', 5118)],
    build: (builder, files) => {
      const { boxes, scores } = ssdMobilenetV1(builder, weightsOf(files));
      return [boxes, scores];
    },
  },
  'face-landmarks-68': {
    source: [
      {
        packageName: FACE_API,
        path: 'model/face_landmark_68_model-weights_manifest.json',
        sha256: 'ca4886639f86e99b39fed0c155f81b63317225773bd9616716e887b0153389c9',
      },
      {
        packageName: FACE_API,
        path: 'model/face_landmark_68_model.bin',
        sha256: '4611ef65c87d836d03d684b30eec4d195d8b219fa1dd58fc58945831c6b9299b',
      },
    ],
    sidePixels: 112,
    outputs: [output('landmarks', 136)],
    build: (builder, files) => [faceLandmarks68(builder, weightsOf(files))],
  },
  'dlib-resnet': {
    source: [
      {
        packageName: FACE_API,
        path: 'model/face_recognition_model-weights_manifest.json',
        sha256: 'cbaffa501b0b9275a12b63357a6843e7e30c054e1c9151e1a5f879b26e32986b',
      },
      {
        packageName: FACE_API,
        path: 'model/face_recognition_model.bin',
        sha256: 'b413e420d6840b2775fba32008db6f3cddb07d485967fb42cfcf379c16a8c589',
      },
    ],
    sidePixels: 150,
    outputs: [output('embedding', 128)],
    build: (builder, files) => [dlibResnet(builder, weightsOf(files))],
  },
  /** MobileNet of HSE-FaceRes. Its outputs for age and gender are left out: no such attribute of a person is computed. */
  faceres: {
    source: [
      {
        packageName: HUMAN,
        path: 'models/faceres.json',
        sha256: '5b83d49c0385d2e68a05122441b94226313677cae9fcc40b9587ad50079eb4df',
      },
      {
        packageName: HUMAN,
        path: 'models/faceres.bin',
        sha256: '2c7d2d62b76c97528b736527aa09d310ea71743c9e3e79fb6c62d4b2d73af79b',
      },
    ],
    sidePixels: 224,
    outputs: [output('embedding', 1024)],
    build: (builder, [description, data]) => [
      graphModelReader(builder, description, data, 'input_1').wire('global_pooling/Mean'),
    ],
  },
  /**
   * The part of nsfwjs's MobileNet v2 (width 1.4) before its classifier, which is left out. block13 is the map of the 13th
   * block after its expansion, penultimate the average of the last map. The input is taken after the net's own 2x - 1.
   */
  'mobilenet-v2-mid': {
    source: [
      {
        packageName: 'nsfwjs',
        path: 'dist/models/mobilenet_v2_mid/model.min.js',
        sha256: 'a7a9e701491e2449b221dab7c424957f853e700602b5575da33cfd745616f964',
      },
      {
        packageName: 'nsfwjs',
        path: 'dist/models/mobilenet_v2_mid/group1-shard1of2.min.js',
        sha256: 'f2e79a209e44d668220ec5f1533a98f2be954e3953685bf074d201b82fefc29a',
      },
      {
        packageName: 'nsfwjs',
        path: 'dist/models/mobilenet_v2_mid/group1-shard2of2.min.js',
        sha256: 'f291df992a0131741372506a6072fb9f1645bff7c973c983fd6276f5f9625d5e',
      },
    ],
    sidePixels: 224,
    outputs: [output('block13', 816, 14, 14), output('penultimate', 1792)],
    build: (builder, [description, ...shards]) => {
      const data = Buffer.concat(shards.map(base64Content));
      const model = graphModel(exportedLiteral(present(description)), data);
      const reader = new GraphModelReader(model, builder, `${HUB_MODULE}/hub_input/Sub`);
      return [
        reader.wire(`${HUB_MODULE}/MobilenetV2/expanded_conv_13/expand/Relu6`),
        reader.wire(`${HUB_MODULE}/feature_vector/SpatialSqueeze`),
      ];
    },
  },
};

function graphModelReader(
  builder: GraphBuilder,
  description: Uint8Array | undefined,
  data: Uint8Array | undefined,
  inputNode: string,
): GraphModelReader {
  const parsed: unknown = JSON.parse(Buffer.from(present(description)).toString('utf8'));
  return new GraphModelReader(graphModel(parsed, present(data)), builder, inputNode);
}

function weightsOf([manifest, data]: readonly Uint8Array[]) {
  return readWeights(present(manifest), present(data));
}

function base64Content(script: Uint8Array): Uint8Array {
  const content = exportedLiteral(script);
  if (typeof content !== 'string') throw unreadable('weights in base64', typeof content);
  return Buffer.from(content, 'base64');
}

function present(file: Uint8Array | undefined): Uint8Array {
  if (file === undefined) throw unreadable('all source files of the net', 'fewer');
  return file;
}
