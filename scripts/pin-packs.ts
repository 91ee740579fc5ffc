/**
 * Brings the shipped manifests up to what the converter makes: digest and size of the net, its source files, and the self-test as the
 * original net gives it in TensorFlow.js. Run by hand after a change of models/convert; the tests say when it is due.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { convertNet } from '../models/convert/convert.ts';
import { originalOutputs, PACKAGES_ROOT } from '../models/convert/test-originals.ts';
import { parseManifest } from '../models/registry/manifest.ts';
import { selfTestInput } from '../models/registry/self-test.ts';

const FOLDER = path.resolve(import.meta.dirname, '..', 'models', 'packs');
const FIRST_VALUES = 16;
/** More digits than a 32-bit float has would only make the file longer. */
const DIGITS = 8;

for (const id of readdirSync(FOLDER)) {
  const file = path.join(FOLDER, id, 'manifest.json');
  const manifest = await parseManifest(readFileSync(file, 'utf8'), file);
  const { bytes, sourceFiles } = await convertNet(manifest.provenance.net ?? '', PACKAGES_ROOT);
  const outputs = await originalOutputs(
    manifest.provenance.net ?? '',
    selfTestInput(manifest),
    manifest.input.widthPixels,
  );
  const output = outputs.get(manifest.selfTest.output);
  if (output === undefined) throw new Error(`expected the output ${manifest.selfTest.output} of ${id}`);
  const pinned = {
    ...manifest,
    files: [{ name: manifest.net, sha256: createHash('sha256').update(bytes).digest('hex'), sizeBytes: bytes.length }],
    provenance: { ...manifest.provenance, sourceFiles: [...sourceFiles] },
    selfTest: {
      ...manifest.selfTest,
      firstValues: Array.from(output.subarray(0, FIRST_VALUES), rounded),
      sumOfSquares: rounded(output.reduce((sum, value) => sum + value * value, 0)),
    },
  };
  writeFileSync(file, `${JSON.stringify(pinned, null, 2)}\n`);
}

function rounded(value: number): number {
  return Number(value.toPrecision(DIGITS));
}
