import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { buildNet, missingNets, removeLeftovers } from './build.ts';
import { CARD_FILE, listPacks, netDigest, openPack, type Pack } from './packs.ts';
import { PackFolder, tinyManifest, tinyNet } from './test-kit.ts';
import { tryNet } from './try-net.ts';

const SHIPPED = path.resolve(import.meta.dirname, '..', 'packs');
const PACKAGES = path.resolve(import.meta.dirname, '..', '..', 'node_modules');

describe('packs in a folder', () => {
  let folder: PackFolder;
  const good = tinyManifest(tinyNet());
  const open = async (): Promise<Pack> => await openPack(folder.at('models'), SHIPPED, 'tiny');

  before(async () => {
    folder = await PackFolder.make();
    await mkdir(folder.at('models', 'packs'), { recursive: true });
    await folder.write('models/packs/tiny', good, tinyNet());
  });
  after(async () => await folder[Symbol.asyncDispose]());

  it('are opened with their manifest and the path of their net', async () => {
    const pack = await open();
    assert.deepEqual(pack.manifest, good);
    assert.equal(pack.netPath, folder.at('models', 'packs', 'tiny', 'tiny.onnx'));
  });

  it('are listed beside the shipped ones', async () => {
    const ids = (await listPacks(folder.at('models'), SHIPPED)).map(({ id, origin }) => `${id} ${origin}`);
    assert.ok(ids.includes('dlib-128 shipped') && ids.includes('tiny installed'));
  });

  it('are not found by another name, and the refusal names those there are', async () => {
    await assert.rejects(openPack(folder.at('models'), SHIPPED, 'sscd'), {
      code: 'HW_MODEL_NOT_FOUND',
      message: /tiny/,
    });
  });

  it('are listed with what is wrong with their manifest, and refused', async () => {
    await folder.write('models/packs/broken', { ...good, id: 'broken', kind: 'oracle' }, tinyNet());
    const entry = (await listPacks(folder.at('models'), SHIPPED)).find(({ id }) => id === 'broken');
    assert.equal(entry?.fault?.code, 'HW_MODEL_MANIFEST');
    await assert.rejects(openPack(folder.at('models'), SHIPPED, 'broken'), { code: 'HW_MODEL_MANIFEST' });
  });

  it('are refused under another name than their own', async () => {
    await folder.write('models/packs/alias', good, tinyNet());
    await assert.rejects(openPack(folder.at('models'), SHIPPED, 'alias'), {
      message: /received tiny; name the folder/,
    });
  });

  it('are refused where a byte of the net is another one', async () => {
    const changed = Buffer.from(tinyNet());
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
    writeFileSync(folder.at('models', 'packs', 'tiny', 'tiny.onnx'), changed);
    await assert.rejects(open(), { code: 'HW_MODEL_FILE', message: /received SHA-256/ });
  });

  it('are refused where the net is cut off', async () => {
    truncateSync(folder.at('models', 'packs', 'tiny', 'tiny.onnx'), 10);
    await assert.rejects(open(), { code: 'HW_MODEL_FILE', message: /received 10 bytes/ });
  });

  it('are refused where the net is a link to a file that could change', async () => {
    await folder.write('elsewhere', good, tinyNet());
    const linked = await folder.write(
      'models/packs/linked',
      { ...good, id: 'linked', net: 'l.onnx', files: good.files.map((file) => ({ ...file, name: 'l.onnx' })) },
      tinyNet(),
    );
    symlinkSync(folder.at('elsewhere', 'tiny.onnx'), path.join(linked, 'l.onnx'));
    await assert.rejects(openPack(folder.at('models'), SHIPPED, 'linked'), { message: /no ordinary file/ });
  });
});

describe('the shipped packs', { timeout: 300_000 }, () => {
  let folder: PackFolder;
  let packs: Pack[];

  before(async () => {
    folder = await PackFolder.make();
    packs = (await listPacks(folder.path, SHIPPED)).flatMap(({ pack }) => pack ?? []);
  });
  after(async () => await folder[Symbol.asyncDispose]());

  it('are the seven of the design, all with a good manifest', () => {
    assert.deepEqual(
      packs.map(({ manifest }) => manifest.id),
      [
        'blazeface',
        'dlib-128',
        'face-landmarks-68',
        'faceres-1024',
        'mobilenet-v2-copy',
        'mobilenet-v2-place',
        'ssd-mobilenetv1',
      ],
    );
  });

  it('have a card that says what they were trained on and where they must not be trusted', () => {
    for (const { folder: own } of packs) {
      const card = readFileSync(path.join(own, CARD_FILE), 'utf8');
      for (const heading of ['Trained on', 'Licence', 'Measured', 'Not to be trusted'])
        assert.match(card, new RegExp(`## ${heading}`), own);
      assert.match(card, /[Cc]hildren/, own);
    }
  });

  it('name the installed version of the package that their weights come from', () => {
    for (const { manifest } of packs) {
      const [name = '', version] = manifest.provenance.source.split(' ');
      const installed: { version: string } = JSON.parse(
        readFileSync(path.join(PACKAGES, name, 'package.json'), 'utf8'),
      );
      assert.equal(installed.version, version, manifest.id);
    }
  });

  it('S12: are converted to exactly the bytes that their manifests pin, each net once', async () => {
    const missing = await missingNets(packs);
    assert.equal(missing.length, 6);
    for (const pack of missing) await buildNet(pack, PACKAGES);
    assert.deepEqual(
      readdirSync(folder.path).sort(),
      [...new Set(packs.map(({ manifest }) => `${netDigest(manifest)}.onnx`))].sort(),
    );
    assert.deepEqual(await missingNets(packs), []);
  });

  it('give in onnxruntime what the original nets gave in their own framework', async () => {
    for (const { manifest, netPath } of packs) await tryNet(readFileSync(netPath), manifest, 'cpu');
  });

  it('are converted anew where a file was damaged', async () => {
    const pack = packs.find(({ manifest }) => manifest.id === 'blazeface');
    assert.ok(pack !== undefined);
    truncateSync(pack.netPath, 1000);
    const [missing, ...more] = await missingNets(packs);
    assert.ok(missing !== undefined && more.length === 0);
    await buildNet(missing, PACKAGES);
    assert.equal(createHash('sha256').update(readFileSync(pack.netPath)).digest('hex'), netDigest(pack.manifest));
  });

  it('are not converted into anything but what is pinned', async () => {
    const [pack] = packs;
    assert.ok(pack !== undefined);
    const { manifest } = pack;
    const other = { ...manifest, files: manifest.files.map((file) => ({ ...file, sha256: '0'.repeat(64) })) };
    const netPath = folder.at('other.onnx');
    await assert.rejects(buildNet({ ...pack, manifest: other, netPath }, PACKAGES), { code: 'HW_MODEL_BUILD' });
    assert.equal(existsSync(netPath), false);
  });

  it('leave nothing half-written behind for long', async () => {
    for (const name of ['.old.tmp', '.new.tmp']) writeFileSync(folder.at(name), '');
    utimesSync(folder.at('.old.tmp'), new Date(0), new Date(0));
    await removeLeftovers(folder.path);
    assert.deepEqual([existsSync(folder.at('.old.tmp')), existsSync(folder.at('.new.tmp'))], [false, true]);
  });
});
