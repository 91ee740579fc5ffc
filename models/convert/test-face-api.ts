import { readFile } from 'node:fs/promises';
import { createRequire, registerHooks } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';

/** The part of face-api.js that the tests run: its own code of the nets, on the TensorFlow.js of our development packages. */
interface FaceApi {
  readonly NetInput: new (tensors: readonly tf.Tensor[]) => object;
  readonly SsdMobilenetv1: new () => FaceApiNet<{ readonly boxes: tf.Tensor[]; readonly scores: tf.Tensor[] }>;
  readonly FaceLandmark68Net: new () => FaceApiNet<tf.Tensor>;
  readonly FaceRecognitionNet: new () => FaceApiNet<tf.Tensor>;
}

interface FaceApiNet<Output> {
  loadFromWeightMap(weights: tf.NamedTensorMap): void;
  forwardInput(input: object): Output;
}

const require = createRequire(import.meta.url);

/** What face-api.js imports, and what is installed instead; it never draws here, so WebGL is left out. */
const INSTEAD: Readonly<Record<string, string>> = {
  '@tensorflow/tfjs/dist/index.js': pathToFileURL(require.resolve('@tensorflow/tfjs-core')).href,
  '@tensorflow/tfjs-backend-wasm/dist/index.js': pathToFileURL(require.resolve('@tensorflow/tfjs-backend-wasm')).href,
  '@tensorflow/tfjs-backend-webgl/dist/index.js': 'data:text/javascript,',
};

let loaded: Promise<FaceApi> | undefined;

function faceApi(packageFolder: string): Promise<FaceApi> {
  loaded ??= load(packageFolder);
  return loaded;
}

async function load(packageFolder: string): Promise<FaceApi> {
  addChainedOperations();
  const hooks = registerHooks({
    resolve: (specifier, context, next) => {
      const url = INSTEAD[specifier];
      return url === undefined ? next(specifier, context) : { url, shortCircuit: true };
    },
  });
  try {
    return await import(pathToFileURL(path.join(packageFolder, 'dist', 'face-api.esm-nobundle.js')).href);
  } finally {
    hooks.deregister();
  }
}

/** tfjs-core leaves out the operations as methods of a tensor, and the package that has them is not installed. */
function addChainedOperations(): void {
  const reshaped = function (this: tf.Tensor, ...shape: number[]) {
    return tf.reshape(this, shape);
  };
  Object.assign(tf.Tensor.prototype, {
    as2D: reshaped,
    as3D: reshaped,
    as4D: reshaped,
    as1D: function (this: tf.Tensor) {
      return tf.reshape(this, [this.size]);
    },
    add: function (this: tf.Tensor, other: tf.Tensor) {
      return tf.add(this, other);
    },
    sub: function (this: tf.Tensor, other: tf.Tensor) {
      return tf.sub(this, other);
    },
    mul: function (this: tf.Tensor, other: tf.Tensor) {
      return tf.mul(this, other);
    },
    div: function (this: tf.Tensor, other: tf.Tensor) {
      return tf.div(this, other);
    },
    mean: function (this: tf.Tensor, axes: number[]) {
      return tf.mean(this, axes);
    },
  });
}

type Picture = tf.Tensor;

/** The detector, as a function of pictures [1, 512, 512, 3] of 0 to 255. */
export async function ssdMobilenetV1(packageFolder: string) {
  const api = await faceApi(packageFolder);
  const net = await withWeights(new api.SsdMobilenetv1(), packageFolder, 'ssd_mobilenetv1_model');
  return (picture: Picture) => net.forwardInput(new api.NetInput([picture]));
}

/** The landmarks, as a function of pictures [1, 112, 112, 3] of 0 to 255. */
export async function faceLandmark68(packageFolder: string) {
  const api = await faceApi(packageFolder);
  const net = await withWeights(new api.FaceLandmark68Net(), packageFolder, 'face_landmark_68_model');
  return (picture: Picture) => net.forwardInput(new api.NetInput([picture]));
}

/** The descriptor, as a function of pictures [1, 150, 150, 3] of 0 to 255. */
export async function faceRecognition(packageFolder: string) {
  const api = await faceApi(packageFolder);
  const net = await withWeights(new api.FaceRecognitionNet(), packageFolder, 'face_recognition_model');
  return (picture: Picture) => net.forwardInput(new api.NetInput([picture]));
}

async function withWeights<Net extends FaceApiNet<unknown>>(
  net: Net,
  packageFolder: string,
  name: string,
): Promise<Net> {
  const folder = path.join(packageFolder, 'model');
  const manifest: { weights: tf.io.WeightsManifestEntry[] }[] = JSON.parse(
    await readFile(path.join(folder, `${name}-weights_manifest.json`), 'utf8'),
  );
  const data = await readFile(path.join(folder, `${name}.bin`));
  const entries = manifest.flatMap((group) => group.weights);
  net.loadFromWeightMap(tf.io.decodeWeights(Uint8Array.from(data).buffer, entries));
  return net;
}
