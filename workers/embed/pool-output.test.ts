import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PackOutput } from '../../schemas/model-pack.ts';
import { packVector, unitVector } from './pack-vector.ts';
import { pooledVector } from './pool-output.ts';

const output = (changes: Partial<PackOutput>): PackOutput => ({
  name: 'map',
  role: 'embedding',
  shape: [2, 2, 2],
  pooling: 'mean',
  mapLayout: 'nchw',
  normalise: 'none',
  dimensions: 2,
  ...changes,
});
const MAP = Float32Array.from([1, 2, 3, 6, 10, 20, 30, 60]);
const rounded = (values: Float32Array | undefined) =>
  [...(values ?? [])].map((value) => Math.round(value * 1000) / 1000);

describe('pooledVector', () => {
  it('takes the mean of each channel, wherever the channel stands', () => {
    assert.deepEqual(rounded(pooledVector(MAP, output({}), 'euclidean')), [3, 30]);
    assert.deepEqual(rounded(pooledVector(MAP, output({ mapLayout: 'nhwc' }), 'euclidean')), [11, 22]);
  });

  it('takes the third root of the mean of cubes for gem, negative values as nothing', () => {
    const map = Float32Array.from([1, -5, 3, 1, 2, 2, 2, 2]);
    assert.deepEqual(rounded(pooledVector(map, output({ pooling: 'gem' }), 'euclidean')), [1.935, 2]);
  });

  it("takes the first of a transformer's tokens", () => {
    const tokens = output({ shape: [4, 2], pooling: 'firstToken', mapLayout: 'tokens' });
    assert.deepEqual(rounded(pooledVector(MAP, tokens, 'euclidean')), [1, 2]);
  });

  it('gives a vector of length 1 wherever vectors are compared by cosine', () => {
    assert.deepEqual(
      rounded(pooledVector(Float32Array.from([3, 4]), output({ shape: [2], pooling: 'none' }), 'cosine')),
      [0.6, 0.8],
    );
  });

  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
    it(`gives nothing where the output holds ${bad}`, () => {
      const values = MAP.map((value, i) => (i === 5 ? bad : value));
      for (const metric of ['cosine', 'euclidean'] as const)
        assert.equal(pooledVector(values, output({}), metric), undefined);
    });

  it('gives nothing for a vector without direction, or of another shape than the manifest says', () => {
    assert.equal(pooledVector(new Float32Array(8), output({}), 'cosine'), undefined);
    assert.equal(pooledVector(MAP, output({ shape: [3, 2, 2] }), 'cosine'), undefined);
    assert.equal(pooledVector(MAP, output({ dimensions: 3 }), 'cosine'), undefined);
  });
});

describe('packVector', () => {
  it('is little-endian floats in base64, whatever the machine', () => {
    const { values, dimensions } = packVector('pack', '1.0.0', 'out', Float32Array.from([1, -2]));
    assert.equal(values, Buffer.from([0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]).toString('base64'));
    assert.equal(dimensions, 2);
  });
});

describe('unitVector', () => {
  it('keeps the direction of a vector too long for its squares to be summed in 32 bits', () => {
    assert.deepEqual(rounded(unitVector(Float32Array.from([3e30, 4e30]))), [0.6, 0.8]);
  });
});
