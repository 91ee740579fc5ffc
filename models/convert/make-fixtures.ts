/**
 * Writes fixtures/<net>.json: what the original of every net gives in TensorFlow.js for a generated input. Run by hand when a package with
 * weights is raised; parity.test.ts says when they no longer fit.
 */
import { writeFileSync } from 'node:fs';
import { NETS } from './convert.ts';
import { hashedInput } from './hashed-input.ts';
import { fixtureFile, fixtureOutput } from './test-fixture.ts';
import { originalOutputs } from './test-originals.ts';

/** Noise over the range that pictures have after the preprocessing of the net. */
const RANGES = new Map([
  ['blazeface', { scale: 2, offset: -1 }],
  ['ssd-mobilenetv1', { scale: 2, offset: -1 }],
  ['face-landmarks-68', { scale: 1, offset: -0.45 }],
  ['dlib-resnet', { scale: 1, offset: -0.45 }],
  ['faceres', { scale: 255, offset: -115 }],
  ['mobilenet-v2-mid', { scale: 2, offset: -1 }],
]);

for (const [id, net] of NETS) {
  const range = RANGES.get(id);
  if (range === undefined) throw new Error(`expected a range for the input of ${id}`);
  const input = { seed: 1, ...range };
  const outputs = await originalOutputs(id, hashedInput(input, 3 * net.sidePixels ** 2), net.sidePixels);
  const recorded = [...outputs].map(([name, values]) => [name, fixtureOutput(values)]);
  writeFileSync(fixtureFile(id), `${JSON.stringify({ input, outputs: Object.fromEntries(recorded) }, null, 2)}\n`);
}
