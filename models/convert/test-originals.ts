import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { loadGraphModelSync } from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import { faceLandmark68, faceRecognition, ssdMobilenetV1 } from './test-face-api.ts';
import { PACKAGES_ROOT } from './test-packages.ts';

/** The nets as their packages publish them, run by TensorFlow.js: what a converted net is held against. */

export { PACKAGES_ROOT };

const require = createRequire(import.meta.url);
const HUMAN = path.join(PACKAGES_ROOT, '@vladmandic', 'human');
const FACE_API = path.join(PACKAGES_ROOT, '@vladmandic', 'face-api');
const NSFWJS = path.join(PACKAGES_ROOT, 'nsfwjs');

/** Takes what the converted net takes, as [1, height, width, 3]; gives what it gives, by name and in its layout. */
type Original = (input: tf.Tensor) => Readonly<Record<string, tf.Tensor>>;

const HUB_MODULE =
  'StatefulPartitionedCall/sequential/keras_layer/StatefulPartitionedCall/StatefulPartitionedCall/StatefulPartitionedCall/predict';
/** Which face-api.js takes from each colour before it divides by 255. */
const MEAN_RGB = [122.782, 117.001, 104.298];
const fromMean = (input: tf.Tensor) => tf.add(tf.mul(input, 255), MEAN_RGB);

const ORIGINALS = new Map<string, () => Promise<Original>>([
  [
    'blazeface',
    async () => {
      const run = await humanModel('blazeface', ['Identity', 'Identity_1', 'Identity_2', 'Identity_3']);
      return (input: tf.Tensor) => {
        const [scores16, scores32, boxes16, boxes32] = run(input);
        return { boxes: joined(boxes16, boxes32), scores: joined(scores16, scores32) };
      };
    },
  ],
  [
    'faceres',
    async () => {
      const run = await humanModel('faceres', ['global_pooling/Mean']);
      return (input: tf.Tensor) => ({ embedding: present(run(input)[0]) });
    },
  ],
  [
    'mobilenet-v2-mid',
    async () => {
      const run = nsfwjsModel([
        `${HUB_MODULE}/MobilenetV2/expanded_conv_13/expand/Relu6`,
        `${HUB_MODULE}/feature_vector/SpatialSqueeze`,
      ]);
      return (input: tf.Tensor) => {
        const [map, penultimate] = run(tf.div(tf.add(input, 1), 2));
        return { block13: tf.transpose(present(map), [0, 3, 1, 2]), penultimate: present(penultimate) };
      };
    },
  ],
  [
    'ssd-mobilenetv1',
    async () => {
      const run = await ssdMobilenetV1(FACE_API);
      return (input: tf.Tensor) => run(tf.mul(tf.add(input, 1), 127.5));
    },
  ],
  [
    'face-landmarks-68',
    async () => {
      const run = await faceLandmark68(FACE_API);
      return (input: tf.Tensor) => ({ landmarks: run(fromMean(input)) });
    },
  ],
  [
    'dlib-resnet',
    async () => {
      const run = await faceRecognition(FACE_API);
      return (input: tf.Tensor) => ({ embedding: run(fromMean(input)) });
    },
  ],
]);

/** The outputs of the original of a net by name, flat and in the order of the converted net, for one input [3, side, side]. */
export async function originalOutputs(
  net: string,
  input: Float32Array,
  sidePixels: number,
): Promise<ReadonlyMap<string, Float32Array>> {
  setWasmPaths(`${path.join(PACKAGES_ROOT, '@tensorflow', 'tfjs-backend-wasm', 'dist')}${path.sep}`);
  await tf.setBackend('wasm');
  const original = await present(ORIGINALS.get(net))();
  const tensors = tf.tidy(() =>
    original(tf.transpose(tf.tensor4d(input, [1, 3, sidePixels, sidePixels]), [0, 2, 3, 1])),
  );
  return new Map(Object.entries(tensors).map(([name, tensor]) => [name, Float32Array.from(tensor.dataSync())]));
}

async function humanModel(name: string, outputs: readonly string[]) {
  const description = JSON.parse(await readFile(path.join(HUMAN, 'models', `${name}.json`), 'utf8'));
  return graphModel(description, await readFile(path.join(HUMAN, 'models', `${name}.bin`)), outputs);
}

/** Runs the modules of data as nsfwjs does, so that our reading of them as text is held against it. */
function nsfwjsModel(outputs: readonly string[]) {
  const part = (name: string) => require(path.join(NSFWJS, 'dist', 'models', 'mobilenet_v2_mid', `${name}.min.js`));
  const shards = ['group1-shard1of2', 'group1-shard2of2'].map((name) => Buffer.from(String(part(name)), 'base64'));
  return graphModel(part('model'), Buffer.concat(shards), outputs);
}

function graphModel(description: tf.io.ModelJSON, data: Uint8Array, outputs: readonly string[]) {
  const model = loadGraphModelSync({
    modelTopology: description.modelTopology,
    weightSpecs: description.weightsManifest.flatMap((group) => group.weights),
    weightData: Uint8Array.from(data).buffer,
  });
  return (input: tf.Tensor): readonly tf.Tensor[] => [model.execute(input, [...outputs])].flat();
}

function joined(first: tf.Tensor | undefined, second: tf.Tensor | undefined): tf.Tensor {
  return tf.concat([present(first), present(second)], 1);
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('expected an output of the original, received none');
  return value;
}
