import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { COLOUR_DIMENSIONS, COLOUR_OUTPUT, COPY_PARTS, partOutput } from '../../../schemas/constants.ts';
import type { ModelPackManifest } from '../../../schemas/model-pack.ts';
import { type SpaceKey, spaceName, spacesOfManifest } from './embedding-spaces.ts';

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

const named = (spaces: readonly SpaceKey[]): [string, number][] =>
  spaces.map((one) => [spaceName(one), one.dimensions]);

describe('spaces of a pack', () => {
  const outputs = [
    output({ name: 'block13', dimensions: 816 }),
    output({ name: 'logits', role: 'probabilities', dimensions: 0 }),
    output({ name: 'unstored', dimensions: 0 }),
    output({ name: 'penultimate', dimensions: 1280 }),
  ];

  it('are its stored outputs, and for places the colours', () => {
    assert.deepEqual(named(spacesOfManifest({ ...pack, outputs })), [
      ['places@1.2.3/block13', 816],
      ['places@1.2.3/penultimate', 1280],
      [`places@1.2.3/${COLOUR_OUTPUT}`, COLOUR_DIMENSIONS],
    ]);
  });

  it('are one for each part of a picture where copies are told', () => {
    const spaces = spacesOfManifest({
      ...pack,
      kind: 'copyEmbedding',
      outputs: [output({ name: 'low', dimensions: 64 })],
    });
    assert.deepEqual(
      named(spaces),
      COPY_PARTS.map((part) => [`places@1.2.3/${partOutput('low', part)}`, 64]),
    );
  });

  it('are none for a detector or a classifier', () => {
    assert.deepEqual(spacesOfManifest({ ...pack, kind: 'faceDetector', metric: null, outputs }), []);
    assert.deepEqual(spacesOfManifest({ ...pack, kind: 'classifier', outputs }), []);
  });
});
