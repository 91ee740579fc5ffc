import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NOT_A_NUMBER, node, tinyManifest, tinyNet } from '../../models/registry/test-kit.ts';
import type { ModelPackManifest } from '../../schemas/model-pack.ts';
import type { DecodedPicture } from '../decode/decoded-picture.ts';
import { lookedAtPicture } from './looked-at-picture.ts';
import { MediaEmbedder } from './media-embedder.ts';

/** Shares of red, green and blue as probabilities; red is worth nothing, green half, blue all. */
const NET = tinyNet({
  nodes: [node('GlobalAveragePool', ['input'], 'pooled'), node('Flatten', ['pooled'], 'embedding')],
});
const CLASSES = [
  { name: 'red', weight: 0 },
  { name: 'green', weight: 0.5 },
  { name: 'blue', weight: 1 },
];

function classifier(net: Uint8Array): ModelPackManifest {
  const manifest = tinyManifest(net, { id: 'colours', kind: 'classifier', classes: CLASSES, metric: null });
  return {
    ...manifest,
    input: { ...manifest.input, scale: 1 / 255, mean: [0, 0, 0] },
    outputs: manifest.outputs.map((output) => ({
      ...output,
      role: 'probabilities' as const,
      normalise: 'none' as const,
      dimensions: 0,
    })),
  };
}

function plain(colour: readonly [number, number, number]): DecodedPicture {
  const pixels = Buffer.alloc(32 * 32 * 3);
  for (let i = 0; i < pixels.length; i++) pixels[i] = colour[i % 3] ?? 0;
  return {
    kind: 'decoded',
    pixels,
    widthPixels: 32,
    heightPixels: 32,
    decodedWidthPixels: 32,
    decodedHeightPixels: 32,
    channels: 3,
    reductionFactor: 1,
    frames: 1,
    decoder: 'none',
    damage: null,
  };
}

async function scoreOf(net: Uint8Array, colour: readonly [number, number, number]) {
  const manifest = classifier(net);
  const embedder = await MediaEmbedder.open([{ manifest, bytes: net }]);
  try {
    const plan = { faceDetector: null, packs: [manifest.id], keypoints: false };
    return await embedder.embed(lookedAtPicture(plain(colour), 1), plan);
  } finally {
    await embedder.close();
  }
}

describe("an operator's classifier", () => {
  it('gives a picture the weighted sum of its classes, with pack and version', async () => {
    const { scores, vectors, trouble } = await scoreOf(NET, [255, 51, 102]);
    assert.equal(trouble, null);
    assert.deepEqual(vectors, []);
    assert.deepEqual(
      scores.map(({ pack, version, score }) => [pack, version, score.toFixed(4)]),
      [['colours', '1.0.0', '0.5000']],
    );
  });

  it('never gives more than 1', async () => {
    assert.equal((await scoreOf(NET, [0, 255, 255])).scores[0]?.score, 1);
  });

  it('gives none where the net gives no numbers, and says so', async () => {
    const { scores, trouble } = await scoreOf(tinyNet({ nodes: NOT_A_NUMBER }), [9, 9, 9]);
    assert.deepEqual(scores, []);
    assert.match(trouble ?? '', /colours: expected 3 finite probabilities, received none/);
  });
});
