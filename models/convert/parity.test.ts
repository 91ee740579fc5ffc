import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import sharp from 'sharp';
import { needsShared, requireShared } from '../../test/shared-data.ts';
import { NETS } from './convert.ts';
import { hashedInput } from './hashed-input.ts';
import { fixtureOutput, readFixture } from './test-fixture.ts';
import { disagreement, LEAST_COSINE, likeness } from './test-likeness.ts';
import { originalOutputs } from './test-originals.ts';
import { converted, run } from './test-session.ts';

/** Other processors add up in another order; the last of nine digits are theirs. */
const MOST_FIXTURE_DEVIATION = 1e-4;
/** A portrait in public use whose face is in the middle. */
const PORTRAIT = 'data/faces/Ariel_Sharon__Ariel_Sharon_0001.jpg';

describe('nets in TensorFlow.js and converted', () => {
  for (const [id, { sidePixels }] of NETS) {
    it(`${id} gives the outputs of its original, and its fixture is the original's`, async (context) => {
      const fixture = readFixture(id);
      const input = hashedInput(fixture.input, 3 * sidePixels ** 2);
      const originals = await originalOutputs(id, input, sidePixels);
      await compare(context, id, input, sidePixels, originals);
      for (const [name, values] of originals) {
        const recorded = fixture.outputs[name]?.firstValues ?? [];
        const received = Float32Array.from(fixtureOutput(values).firstValues);
        const { largestDeviation } = likeness(received, Float32Array.from(recorded));
        assert.ok(largestDeviation < MOST_FIXTURE_DEVIATION, `${name} of the fixture deviates by ${largestDeviation}`);
      }
    });

    it(`${id} gives the outputs of its original for a portrait`, needsShared, async (context) => {
      const { scale, offset } = readFixture(id).input;
      const input = await picture(requireShared(PORTRAIT), sidePixels, (value) => (value / 255) * scale + offset);
      await compare(context, id, input, sidePixels, await originalOutputs(id, input, sidePixels));
    });
  }
});

async function compare(
  context: TestContext,
  id: string,
  input: Float32Array,
  sidePixels: number,
  originals: ReadonlyMap<string, Float32Array>,
): Promise<void> {
  const outputs = await run(await converted(id), input, sidePixels);
  assert.deepEqual([...outputs.keys()].sort(), [...originals.keys()].sort());
  for (const [name, original] of originals) {
    const received = outputs.get(name)?.values ?? new Float32Array();
    const { cosine, largestDeviation } = likeness(received, original);
    context.diagnostic(
      `${id} ${name}: 1 - cosine ${(1 - cosine).toExponential(1)} of at most ${(1 - LEAST_COSINE).toExponential(1)}, largest deviation ${largestDeviation.toExponential(1)} of the largest value`,
    );
    assert.equal(disagreement(received, original), undefined, name);
  }
}

/** A picture stretched to a square, as [3, side, side]. */
async function picture(file: string, sidePixels: number, toValue: (pixel: number) => number): Promise<Float32Array> {
  const pixels = await sharp(file).resize(sidePixels, sidePixels, { fit: 'fill' }).removeAlpha().raw().toBuffer();
  const places = sidePixels ** 2;
  return Float32Array.from({ length: 3 * places }, (_, index) =>
    toValue(pixels[(index % places) * 3 + Math.floor(index / places)] ?? 0),
  );
}
