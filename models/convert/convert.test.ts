import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { HomewardError } from '../../schemas/error.ts';
import { convertNet, NETS } from './convert.ts';
import { hashedInput } from './hashed-input.ts';
import { readFixture } from './test-fixture.ts';
import { likeness } from './test-likeness.ts';
import { PACKAGES_ROOT } from './test-packages.ts';
import { converted, run } from './test-session.ts';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const withCode = (code: string, words: RegExp) => (error: unknown) =>
  error instanceof HomewardError && error.code === code && words.test(error.message);

describe('conversion', () => {
  it('S12: gives the same bytes twice in one process and in another one', async () => {
    const script = path.join(import.meta.dirname, 'test-digests-process.ts');
    const other = await promisify(execFile)(process.execPath, [script, PACKAGES_ROOT]);
    const digests = [];
    for (const id of NETS.keys()) {
      const first = sha256(await converted(id));
      assert.equal(sha256((await convertNet(id, PACKAGES_ROOT)).bytes), first, id);
      digests.push(`${id} ${first}\n`);
    }
    assert.equal(other.stdout, digests.join(''));
  });

  it('names the files that a net was made from, with their digests', async () => {
    const { sourceFiles } = await convertNet('mobilenet-v2-mid', PACKAGES_ROOT);
    assert.deepEqual(sourceFiles, NETS.get('mobilenet-v2-mid')?.sourceFiles);
    for (const source of sourceFiles) {
      assert.equal(sha256(await readFile(path.join(PACKAGES_ROOT, source.path))), source.sha256, source.path);
    }
  });

  for (const [id, { sidePixels, outputs }] of NETS) {
    it(`${id} gives for two pictures at once what it gives for each, in the shapes named`, async () => {
      const each = 3 * sidePixels ** 2;
      const both = hashedInput(readFixture(id).input, 2 * each);
      const together = await run(await converted(id), both, sidePixels, 2);
      const second = await run(await converted(id), both.subarray(each), sidePixels);
      assert.deepEqual(
        [...together].map(([name, { shape }]) => ({ name, shape })),
        outputs.map(({ name, shape }) => ({ name, shape: [2, ...shape.slice(1)] })),
      );
      for (const [name, { values }] of second) {
        const half = together.get(name)?.values.subarray(values.length) ?? new Float32Array();
        assert.ok(likeness(half, values).largestDeviation < 1e-4, name);
      }
    });
  }

  it('refuses the id of a net that it does not know', async () => {
    await assert.rejects(convertNet('resnet-9000', PACKAGES_ROOT), withCode('HW_USAGE', /blazeface.*resnet-9000/));
  });
});

describe('weights that are not those of the lock file', () => {
  let folder: string;
  let weights: string;

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'homeward-weights-'));
    await mkdir(path.join(folder, '@vladmandic', 'human', 'models'), { recursive: true });
    for (const name of ['blazeface.json', 'blazeface.bin']) {
      const file = path.join('@vladmandic', 'human', 'models', name);
      await copyFile(path.join(PACKAGES_ROOT, file), path.join(folder, file));
    }
    weights = path.join(folder, '@vladmandic', 'human', 'models', 'blazeface.bin');
  });
  after(() => rm(folder, { recursive: true }));

  it('S12: are refused when one bit differs', async () => {
    const bytes = await readFile(weights);
    bytes[1000] = (bytes[1000] ?? 0) ^ 1;
    await writeFile(weights, bytes);
    await assert.rejects(
      convertNet('blazeface', folder),
      withCode('HW_MODEL_BUILD', /SHA-256 dc9a97fd.*blazeface\.bin.*npm ci/),
    );
  });

  it('are refused when they are absent', async () => {
    await assert.rejects(convertNet('faceres', folder), withCode('HW_MODEL_BUILD', /faceres\.(json|bin).*npm ci/));
  });
});
