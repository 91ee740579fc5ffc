import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Installed, installPack, removePack } from './install.ts';
import { listPacks, openPack } from './packs.ts';
import { NOT_A_NUMBER, PackFolder, tinyManifest, tinyNet } from './test-kit.ts';
import { tryNet } from './try-net.ts';

const SHIPPED = path.resolve(import.meta.dirname, '..', 'packs');

describe('installing a pack', () => {
  let folder: PackFolder;
  const good = tinyManifest(tinyNet());
  const install = async (from: string, acceptLicence = false): Promise<Installed> =>
    await installPack({
      from,
      modelsFolder: folder.at('models'),
      shippedFolder: SHIPPED,
      acceptLicence,
      tryPack: async ({ manifest, netPath }) => await tryNet(readFileSync(netPath), manifest, 'cpu'),
    });
  const installed = (): string[] =>
    existsSync(folder.at('models', 'packs')) ? readdirSync(folder.at('models', 'packs')).sort() : [];

  before(async () => {
    folder = await PackFolder.make();
  });
  after(async () => await folder[Symbol.asyncDispose]());

  it('leaves nothing behind where the net is refused', async () => {
    const net = tinyNet({ nodes: NOT_A_NUMBER });
    await assert.rejects(install(await folder.write('nan', tinyManifest(net), net)), { code: 'HW_MODEL_SELF_TEST' });
    assert.deepEqual(installed(), []);
  });

  it('is refused where a file is not the one of the manifest', async () => {
    await assert.rejects(install(await folder.write('short', good, tinyNet().subarray(1))), { code: 'HW_MODEL_FILE' });
    await assert.rejects(install(await folder.write('other', good, Buffer.alloc(tinyNet().length))), {
      code: 'HW_MODEL_FILE',
    });
    assert.deepEqual(installed(), []);
  });

  it('is refused without a manifest', async () => {
    await assert.rejects(install(folder.at('nowhere')), { code: 'HW_MODEL_MANIFEST' });
  });

  it('is refused under the name of a shipped pack', async () => {
    const manifest = { ...good, id: 'dlib-128' };
    await assert.rejects(install(await folder.write('shipped', manifest, tinyNet())), { message: /which is shipped/ });
  });

  it('is refused for what claims to be converted here', async () => {
    const manifest = { ...good, provenance: { ...good.provenance, origin: 'converted', net: 'dlib-resnet' } };
    await assert.rejects(install(await folder.write('converted', manifest, tinyNet())), { message: /supplied/ });
  });

  it('needs the licence accepted where the manifest says so', async () => {
    const manifest = { ...good, id: 'bound', licence: { ...good.licence, acceptance: 'required' } };
    const from = await folder.write('bound', manifest, tinyNet());
    await assert.rejects(install(from), { code: 'HW_MODEL_LICENCE', message: /Free to use/ });
    assert.equal((await install(from, true)).state, 'new');
  });

  it('copies what the manifest names, and the card, and nothing else', async () => {
    const from = await folder.write('tiny', good, tinyNet(), '# Means of channels\n');
    writeFileSync(path.join(from, 'install.sh'), 'rm -rf /');
    assert.equal((await install(from)).state, 'new');
    assert.deepEqual(readdirSync(folder.at('models', 'packs', 'tiny')).sort(), [
      'card.md',
      'manifest.json',
      'tiny.onnx',
    ]);
    assert.deepEqual((await openPack(folder.at('models'), SHIPPED, 'tiny')).manifest, good);
  });

  it('changes nothing the second time, and says so', async () => {
    assert.equal((await install(folder.at('tiny'))).state, 'unchanged');
  });

  it('takes a new version in place of the old one', async () => {
    const manifest = { ...good, version: '1.1.0', input: { ...good.input, filter: 'bicubic' } };
    assert.equal((await install(await folder.write('newer', manifest, tinyNet()))).state, 'replaced');
  });

  it('is refused for another pack under a version that was installed before: stored vectors name pack and version', async () => {
    const manifest = { ...good, input: { ...good.input, filter: 'area' } };
    const from = await folder.write('same version', manifest, tinyNet());
    await assert.rejects(install(from), { code: 'HW_MODEL_MANIFEST', message: /raise the version/ });
    await removePack(folder.at('models'), SHIPPED, 'tiny');
    await assert.rejects(install(from), { message: /raise the version/ });
  });

  it('is undone by removing it', async () => {
    await install(folder.at('newer'));
    await removePack(folder.at('models'), SHIPPED, 'tiny');
    assert.ok(!(await listPacks(folder.at('models'), SHIPPED)).some(({ id }) => id === 'tiny'));
  });

  it('is not needed for a shipped pack, which cannot be removed either', async () => {
    await assert.rejects(removePack(folder.at('models'), SHIPPED, 'dlib-128'), { code: 'HW_MODEL_MANIFEST' });
    await assert.rejects(removePack(folder.at('models'), SHIPPED, 'nothing'), { code: 'HW_MODEL_NOT_FOUND' });
  });
});
