import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NETS } from './convert.ts';
import { hashedInput } from './hashed-input.ts';
import { readFixture, sumOfSquares } from './test-fixture.ts';
import { disagreement } from './test-likeness.ts';
import { converted, run } from './test-session.ts';

/** Sums of squares add up what half precision costs each value. */
const MOST_SUM_DEVIATION = 0.01;

/** In words, in what a net differs from what its original gave for the input of its fixture. */
async function differences(id: string, bytes: Uint8Array, sidePixels: number): Promise<string[]> {
  const fixture = readFixture(id);
  const outputs = await run(bytes, hashedInput(fixture.input, 3 * sidePixels ** 2), sidePixels);
  return Object.entries(fixture.outputs).flatMap(([name, wanted]) => {
    const values = outputs.get(name)?.values ?? new Float32Array();
    if (values.length !== wanted.length) return [`${name}: ${values.length} values`];
    const first = values.subarray(0, wanted.firstValues.length);
    const off = disagreement(first, Float32Array.from(wanted.firstValues));
    const sum = Math.abs(sumOfSquares(values) / wanted.sumOfSquares - 1);
    return [
      ...(off === undefined ? [] : [`${name}: ${off}`]),
      ...(sum > MOST_SUM_DEVIATION ? [`${name}: sum of squares off by ${sum}`] : []),
    ];
  });
}

describe('parity fixtures', () => {
  for (const [id, { sidePixels, outputs }] of NETS) {
    it(`${id} gives what its original gave for the input of its fixture`, async () => {
      assert.deepEqual(await differences(id, await converted(id), sidePixels), []);
    });

    it(`${id} has a fixture for each of its outputs`, () => {
      assert.deepEqual(
        Object.keys(readFixture(id).outputs),
        outputs.map(({ name }) => name),
      );
    });
  }

  for (const [id, { sidePixels, outputs }] of NETS) {
    it(`${id} with its padding at the wrong side is told apart in every output`, async () => {
      const wrong = id === 'dlib-resnet' ? paddedAtStart(await converted(id)) : paddedLower(await converted(id));
      const told = new Set((await differences(id, wrong, sidePixels)).map((difference) => difference.split(':')[0]));
      assert.deepEqual(
        [...told],
        outputs.map(({ name }) => name),
      );
    });
  }
});

/** The odd row and column of SAME padding before the map in place of behind it. Both words have the same length. */
function paddedLower(bytes: Uint8Array): Uint8Array {
  return replaced(bytes, Buffer.from('SAME_UPPER'), Buffer.from('SAME_LOWER'));
}

/** The row and the column of zeros that a halving layer of dlib adds, before the map in place of behind it. */
function paddedAtStart(bytes: Uint8Array): Uint8Array {
  const pads = (...counts: readonly number[]) => Buffer.from(BigInt64Array.from(counts, BigInt).buffer);
  return replaced(bytes, pads(0, 0, 0, 0, 0, 0, 1, 1), pads(0, 0, 1, 1, 0, 0, 0, 0));
}

function replaced(bytes: Uint8Array, from: Buffer, to: Buffer): Uint8Array {
  const changed = Buffer.from(bytes);
  let count = 0;
  for (let place = changed.indexOf(from); place >= 0; place = changed.indexOf(from, place + from.length)) {
    to.copy(changed, place);
    count += 1;
  }
  assert.ok(count > 0, 'nothing was replaced');
  return changed;
}
