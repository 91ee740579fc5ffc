import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Compile } from 'typebox/compile';
import { DEMO_SCENES, DEMO_VARIANTS, DemoManifest, type DemoOrder } from '../../schemas/demo.ts';
import type { Examination } from '../../schemas/fingerprint.ts';
import { DEFAULT_FILE_BUDGET } from '../../schemas/host-protocol.ts';
import { examineFile } from '../examine.ts';
import { PictureHasher } from '../hash/picture-hasher.ts';
import { drawScene } from './scenes.ts';

const MATCH_BITS = 31;
const KNOWN_SCENE = 'kitchen';
const order: DemoOrder = {
  pictures: [
    ...DEMO_SCENES.map((scene) => ({ file: `originals/${scene}.jpg`, scene, variant: 'original' as const })),
    ...DEMO_VARIANTS.map((variant) => ({ file: `variants/${variant}.jpg`, scene: KNOWN_SCENE, variant }) as const),
  ],
  texts: [{ file: 'notes.txt', text: 'no picture\n' }],
  archives: [{ file: 'backup.zip', entries: [`originals/${KNOWN_SCENE}.jpg`, 'variants/cropped.jpg'] }],
};

function render(folder: string, input: string): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [path.join(import.meta.dirname, 'render.ts'), '--out', folder], {
    input,
    encoding: 'utf8',
  });
}

describe('the demo renderer', () => {
  let folder = '';
  let manifest: unknown;
  let examine: (file: string) => Promise<Examination>;

  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'homeward-demo-'));
    const { status, stdout, stderr } = render(folder, JSON.stringify(order));
    assert.equal(status, 0, stderr);
    manifest = JSON.parse(stdout);
    const hasher = await PictureHasher.load();
    examine = (file) =>
      examineFile({ path: Buffer.from(path.join(folder, file)), mode: 'exact', budget: DEFAULT_FILE_BUDGET }, hasher);
  });
  after(() => rmSync(folder, { recursive: true }));

  it('says what it wrote', () => {
    assert.ok(Compile(DemoManifest).Check(manifest));
    assert.equal(manifest.files.length, DEMO_SCENES.length + DEMO_VARIANTS.length + 2);
    for (const { file, sizeBytes } of manifest.files)
      assert.equal(readFileSync(path.join(folder, file)).length, sizeBytes);
  });

  it('draws scenes with enough in them for PDQ, each unlike every other in any orientation', async () => {
    const examined = await Promise.all(
      DEMO_SCENES.map(async (scene) => ({ scene, pdq: (await examine(`originals/${scene}.jpg`)).picture?.pdq ?? [] })),
    );
    for (const { scene, pdq } of examined) {
      assert.equal(pdq.length, 2);
      for (const hash of pdq) assert.ok(hash.quality > 80, `${scene}: quality ${hash.quality}`);
      for (const other of examined.filter((one) => one.scene !== scene)) {
        assert.ok(nearest(pdq, other.pdq) > 60, `${scene} and ${other.scene}: ${nearest(pdq, other.pdq)} bits`);
      }
    }
  });

  it('makes variants that PDQ finds again in some orientation, and a crop that it does not', async () => {
    const known = (await examine(`originals/${KNOWN_SCENE}.jpg`)).picture?.pdq ?? [];
    for (const variant of ['original', 'reencoded', 'resized', 'mirrored', 'rotated', 'captioned'] as const) {
      const distance = nearest(known, (await examine(`variants/${variant}.jpg`)).picture?.pdq ?? []);
      assert.ok(distance <= MATCH_BITS, `${variant}: ${distance} bits`);
    }
    assert.ok(nearest(known, (await examine('variants/cropped.jpg')).picture?.pdq ?? []) > MATCH_BITS);
  });

  it('makes a file that ends too early, a text and an archive', async () => {
    assert.deepEqual(await sayOf('variants/truncated.jpg'), ['image/jpeg', 'partial', 'truncated']);
    assert.deepEqual(await sayOf('notes.txt'), ['text/plain', 'notExamined', 'text']);
    assert.deepEqual(await sayOf('backup.zip'), ['application/zip', 'done', undefined]);
  });

  it('gives the same scene and variant the same bytes', () => {
    const [first, second] = [`originals/${KNOWN_SCENE}.jpg`, 'variants/original.jpg'].map((file) =>
      readFileSync(path.join(folder, file)),
    );
    assert.ok(second !== undefined && first?.equals(second));
  });

  it('leaves files alone that are there already', () => {
    const { status } = render(folder, JSON.stringify({ pictures: [], texts: order.texts, archives: [] }));
    assert.notEqual(status, 0);
    assert.equal(readFileSync(path.join(folder, 'notes.txt'), 'utf8'), 'no picture\n');
  });

  it('refuses an order whose files would leave the folder', () => {
    const { status, stderr } = render(
      folder,
      JSON.stringify({ pictures: [], texts: [{ file: '../outside.txt', text: '' }], archives: [] }),
    );
    assert.equal(status, 2);
    assert.match(stderr, /^expected --out FOLDER and an order/);
  });

  async function sayOf(file: string): Promise<readonly unknown[]> {
    const { type, outcome, reason } = await examine(file);
    return [type, outcome, reason?.code];
  }
});

describe('a demo scene', () => {
  it('has the same pixels every time', () => {
    for (const scene of ['chess', 'coast'] as const) {
      assert.ok(Buffer.from(drawScene(scene).pixels).equals(Buffer.from(drawScene(scene).pixels)), scene);
    }
  });
});

type Hashes = NonNullable<Examination['picture']>['pdq'];

/** Bits between the nearest orientations of the same flavour. */
function nearest(known: Hashes, other: Hashes): number {
  return Math.min(
    ...known.flatMap((hash, flavour) =>
      (other[flavour]?.dihedral ?? []).map((turned) => bitsBetween(hash.hex, turned)),
    ),
  );
}

function bitsBetween(one: string, other: string): number {
  const [first, second] = [Buffer.from(one, 'hex'), Buffer.from(other, 'hex')];
  let bits = 0;
  for (const [index, byte] of first.entries())
    bits += ((byte ^ (second[index] ?? 0)).toString(2).match(/1/g) ?? []).length;
  return bits;
}
