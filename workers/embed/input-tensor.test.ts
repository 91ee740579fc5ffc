import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PackInput } from '../../schemas/model-pack.ts';
import { tensorLength, writeRegion } from './input-tensor.ts';
import { Pyramid } from './pyramid.ts';
import { plainInput } from './test-input.ts';

const INPUT = plainInput(8, { filter: 'area' });
const COLOUR = [30, 60, 90] as const;

/** Left half black, right half of one colour. */
function halves(widthPixels: number, heightPixels: number): Pyramid {
  const pixels = Uint8Array.from({ length: widthPixels * heightPixels * 3 }, (_, i) =>
    Math.floor(i / 3) % widthPixels < widthPixels / 2 ? 0 : (COLOUR[i % 3] ?? 0),
  );
  return new Pyramid({ pixels, widthPixels, heightPixels });
}

function tensor(pyramid: Pyramid, changes: Partial<PackInput>): { values: number[]; input: PackInput } {
  const input = { ...INPUT, ...changes };
  const values = new Float32Array(tensorLength(input)).fill(-99);
  const { widthPixels, heightPixels } = pyramid.base;
  writeRegion(pyramid, { x: 0, y: 0, width: widthPixels, height: heightPixels }, input, values, 0);
  return { values: [...values], input };
}

describe('writeRegion', () => {
  it('has the channels one after the other in nchw, and beside each other in nhwc', () => {
    const planes = tensor(halves(16, 16), {}).values;
    assert.deepEqual([planes[0], planes[7], planes[64 + 7], planes[128 + 7]], [0, 30, 60, 90]);
    const places = tensor(halves(16, 16), { layout: 'nhwc' }).values;
    assert.deepEqual(places.slice(7 * 3, 8 * 3), [30, 60, 90]);
  });

  it('takes mean and deviation in the order of its channels', () => {
    const { values } = tensor(halves(16, 16), { channelOrder: 'bgr', scale: 2, mean: [10, 20, 30], std: [1, 2, 4] });
    assert.deepEqual([values[7], values[64 + 7], values[128 + 7]], [170, 50, 7.5]);
  });

  it('puts a wide picture into the upper left of a letterbox, black below', () => {
    const { values } = tensor(halves(32, 16), { resize: 'letterbox', mean: [1, 1, 1] });
    assert.deepEqual([values[7], values[3 * 8 + 7], values[4 * 8 + 7], values[63]], [29, 29, -1, -1]);
  });

  it('takes the middle of a wide picture for a centre crop', () => {
    const { values } = tensor(halves(32, 16), { resize: 'centreCrop' });
    assert.deepEqual([values[0], values[3], values[4], values[7]], [0, 0, 30, 30]);
  });

  it('cuts the middle out of what was brought to a larger side before', () => {
    // Of 16 x 16 pixels brought to 16, the middle 8: the border between the halves stays in the middle.
    const { values } = tensor(halves(16, 16), { resize: 'centreCrop', cropFromSidePixels: 16 });
    assert.deepEqual([values[3], values[4]], [0, 30]);
  });

  it('blurs what a low-pass leaves out', () => {
    const sharpStep = tensor(halves(16, 16), { filter: 'bilinear' }).values;
    const lowPassed = tensor(halves(16, 16), { filter: 'bilinear', lowPassSidePixels: 2 }).values;
    const step = (values: readonly number[]) => (values[4] ?? 0) - (values[3] ?? 0);
    assert.ok(step(lowPassed) < step(sharpStep) / 2, `${step(lowPassed)} and ${step(sharpStep)}`);
  });

  it('never gives a net brighter than white or darker than black, whatever the filter overshoots', () => {
    const pixels = Uint8Array.from({ length: 16 * 16 * 3 }, (_, i) => (Math.floor(i / 3) % 16 < 8 ? 0 : 255));
    const { values } = tensor(new Pyramid({ pixels, widthPixels: 16, heightPixels: 16 }), { filter: 'lanczos3' });
    assert.ok(values.every((value) => value >= 0 && value <= 255));
  });
});
