import { readFile } from 'node:fs/promises';
import { createRequire, registerHooks } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';

/** The code of face-api.js's own nets, on the TensorFlow.js of our development packages. */
type FaceApi = typeof import('@vladmandic/face-api/dist/face-api.esm-nobundle.js');

const require = createRequire(import.meta.url);

/** What face-api.js imports, and what is installed instead; it never draws here, so WebGL is left out. */
const INSTEAD: Readonly<Record<string, string>> = {
  '@tensorflow/tfjs/dist/index.js': pathToFileURL(require.resolve('@tensorflow/tfjs-core')).href,
  '@tensorflow/tfjs-backend-wasm/dist/index.js': pathToFileURL(require.resolve('@tensorflow/tfjs-backend-wasm')).href,
  '@tensorflow/tfjs-backend-webgl/dist/index.js': 'data:text/javascript,',
};

let loaded: Promise<FaceApi> | undefined;

function faceApi(): Promise<FaceApi> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<FaceApi> {
  addChainedOperations();
  const hooks = registerHooks({
    resolve: (specifier, context, next) => {
      const url = INSTEAD[specifier];
      return url === undefined ? next(specifier, context) : { url, shortCircuit: true };
    },
  });
  try {
    return await import('@vladmandic/face-api/dist/face-api.esm-nobundle.js');
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

/** The detector, as a function of pictures [1, 512, 512, 3] of 0 to 255. */
export async function ssdMobilenetV1(packageFolder: string) {
  const api = await faceApi();
  const net = new api.SsdMobilenetv1();
  net.loadFromWeightMap(await weights(api, packageFolder, 'ssd_mobilenetv1_model'));
  return (picture: tf.Tensor) => {
    const { boxes, scores } = net.forwardInput(new api.NetInput([picture]));
    return { boxes: flat(boxes[0]), scores: flat(scores[0]) };
  };
}

/** The landmarks, as a function of pictures [1, 112, 112, 3] of 0 to 255. */
export async function faceLandmark68(packageFolder: string) {
  const api = await faceApi();
  const net = new api.FaceLandmark68Net();
  net.loadFromWeightMap(await weights(api, packageFolder, 'face_landmark_68_model'));
  return (picture: tf.Tensor) => flat(net.forwardInput(new api.NetInput([picture])));
}

/** The descriptor, as a function of pictures [1, 150, 150, 3] of 0 to 255. */
export async function faceRecognition(packageFolder: string) {
  const api = await faceApi();
  const net = new api.FaceRecognitionNet();
  net.loadFromWeightMap(await weights(api, packageFolder, 'face_recognition_model'));
  return (picture: tf.Tensor) => flat(net.forwardInput(new api.NetInput([picture])));
}

async function weights(api: FaceApi, packageFolder: string, name: string) {
  const folder = path.join(packageFolder, 'model');
  const manifest: { weights: Parameters<FaceApi['tf']['io']['decodeWeights']>[1] }[] = JSON.parse(
    await readFile(path.join(folder, `${name}-weights_manifest.json`), 'utf8'),
  );
  const data = await readFile(path.join(folder, `${name}.bin`));
  const entries = manifest.flatMap((group) => group.weights);
  return api.tf.io.decodeWeights(Uint8Array.from(data).buffer, entries);
}

/** face-api.js has types of its own for tensors, so what it gives is handed on by its values. */
function flat(tensor: { dataSync(): ArrayLike<number> } | undefined): tf.Tensor {
  if (tensor === undefined) throw new Error('expected an output of face-api.js, received none');
  return tf.tensor1d(Float32Array.from(tensor.dataSync()));
}
