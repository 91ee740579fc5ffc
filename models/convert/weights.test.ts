import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { decodeWeights, readWeights } from './weights.ts';

type Entry = tf.io.WeightsManifestEntry & { dtype: 'float32' | 'int32' };
const BYTES = { float32: 4, int32: 4, float16: 2, uint8: 1, uint16: 2 } as const;

const shape = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 3 });
const affine = fc.record({
  dtype: fc.constantFrom('uint8' as const, 'uint16' as const),
  min: fc.double({ min: -50, max: 50, noNaN: true }),
  scale: fc.double({ min: 1e-6, max: 1, noNaN: true }),
});
const layout = fc.oneof(
  fc.record({ dtype: fc.constantFrom('float32' as const, 'int32' as const) }),
  fc.record({ dtype: fc.constantFrom('float32' as const, 'int32' as const), quantization: affine }),
  fc.constant({ dtype: 'float32' as const, quantization: { dtype: 'float16' as const } }),
);
const entries = fc
  .array(fc.tuple(layout, shape), { minLength: 1, maxLength: 6 })
  .map((list) => list.map(([form, dimensions], index): Entry => ({ name: `w${index}`, shape: dimensions, ...form })));

const sizeBytes = (entry: Entry) =>
  entry.shape.reduce((product, length) => product * length, 1) * BYTES[entry.quantization?.dtype ?? entry.dtype];

describe('decodeWeights', () => {
  it('reads files of mixed types as TensorFlow.js does', () => {
    const file = entries.chain((list) => {
      const total = list.reduce((sum, entry) => sum + sizeBytes(entry), 0);
      return fc.tuple(fc.constant(list), fc.uint8Array({ minLength: total, maxLength: total }));
    });
    fc.assert(
      fc.property(file, ([list, data]) => {
        const ours = decodeWeights([{ paths: [], weights: list }], data);
        const theirs = tf.io.decodeWeights(Uint8Array.from(data).buffer, list);
        for (const [name, tensor] of Object.entries(theirs)) {
          assert.deepEqual(ours.get(name).shape, tensor.shape);
          assert.deepEqual([...ours.values(name)], [...Float32Array.from(tensor.dataSync())]);
          tensor.dispose();
        }
      }),
    );
  });

  it('keeps a zero point between two stored values', () => {
    const quantization = { dtype: 'uint8' as const, min: -0.35, scale: 0.1 };
    const weights = [{ name: 'w', shape: [2], dtype: 'float32' as const, quantization }];
    const { values } = decodeWeights([{ paths: [], weights }], Uint8Array.of(3, 4)).get('w');
    assert.deepEqual(values, Float32Array.of(3 * 0.1 - 0.35, 4 * 0.1 - 0.35));
  });

  for (const length of [3, 5]) {
    it(`refuses ${length} bytes for a weight of 4`, () => {
      const weights = [{ name: 'w', shape: [], dtype: 'float32' as const }];
      assert.throws(() => decodeWeights([{ paths: [], weights }], new Uint8Array(length)), { code: 'HW_MODEL_BUILD' });
    });
  }

  it('refuses a manifest with a type that it does not know', () => {
    const manifest = Buffer.from('[{"paths":[],"weights":[{"name":"w","shape":[1],"dtype":"string"}]}]');
    assert.throws(() => readWeights(manifest, new Uint8Array(1)), { code: 'HW_MODEL_BUILD' });
  });
});
