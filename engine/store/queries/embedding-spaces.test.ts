import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { ModelPackManifest } from '../../../schemas/model-pack.ts';
import { spaceName, spacesOfManifest } from './embedding-spaces.ts';

type Output = ModelPackManifest['outputs'][number];

const output = (changes: Partial<Output>): Output => ({
  name: 'embedding',
  role: 'embedding',
  shape: [128],
  pooling: 'none',
  mapLayout: 'none',
  normalise: 'l2',
  dimensions: 128,
  ...changes,
});

const pack = { id: 'places', version: '1.2.3', kind: 'placeEmbedding', metric: 'cosine' } as const;

it('each stored output of an embedding pack is a space of its own, and no other pack or output is one', () => {
  const outputs = [
    output({ name: 'block13', dimensions: 816 }),
    output({ name: 'logits', role: 'probabilities', dimensions: 0 }),
    output({ name: 'unstored', dimensions: 0 }),
    output({ name: 'colour', dimensions: 96 }),
  ];
  const spaces = spacesOfManifest({ ...pack, outputs });
  assert.deepEqual(
    spaces.map((one) => [spaceName(one), one.dimensions]),
    [
      ['places@1.2.3/block13', 816],
      ['places@1.2.3/colour', 96],
    ],
  );
  assert.deepEqual(spacesOfManifest({ ...pack, kind: 'faceDetector', metric: null, outputs }), []);
  assert.deepEqual(spacesOfManifest({ ...pack, kind: 'classifier', outputs }), []);
});
