import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  endlessNet,
  memoryBomb,
  NOT_A_NUMBER,
  PackFolder,
  tinyManifest,
  tinyNet,
} from '../../models/registry/test-kit.ts';
import { HomewardError } from '../../schemas/error.ts';
import type { ModelPackManifest } from '../../schemas/model-pack.ts';
import { PackVerifier, type TrialLimits } from './verify-pack.ts';

const MEBIBYTE = 1024 * 1024;

describe('a net tried in a process of its own', { timeout: 300_000 }, () => {
  let folder: PackFolder;
  let verifier: PackVerifier;
  const started = async (limits: Partial<TrialLimits> = {}): Promise<PackVerifier> =>
    await PackVerifier.start({ scratchRoot: folder.at('scratch'), hiddenFolders: [folder.at('data')], limits });
  const refused = async (
    net: Uint8Array,
    manifest: ModelPackManifest,
    by: PackVerifier = verifier,
  ): Promise<string> => {
    // As in use: in the data folder, which is hidden from that process.
    const file = folder.at('data', `${manifest.files[0]?.sha256}.onnx`);
    await writeFile(file, net);
    try {
      await by.verify(manifest, file, 'cpu');
    } catch (error) {
      if (error instanceof HomewardError) return `${error.code}: ${error.message}`;
      throw error;
    }
    return 'none';
  };

  before(async () => {
    folder = await PackFolder.make();
    for (const name of ['scratch', 'data']) await mkdir(folder.at(name));
    verifier = await started();
  });
  after(async () => await folder[Symbol.asyncDispose]());

  it('is accepted where it is what its manifest says', async () => {
    assert.equal(await refused(tinyNet(), tinyManifest(tinyNet())), 'none');
  });

  it('is refused where its output is not a number', async () => {
    const net = tinyNet({ nodes: NOT_A_NUMBER });
    assert.match(await refused(net, tinyManifest(net)), /^HW_MODEL_SELF_TEST: .*NaN as value 0/);
  });

  it('R3: costs no more memory than its limit where it wants 64 GiB', async () => {
    const by = await started({ memoryBytes: 400 * MEBIBYTE });
    // Refused by onnxruntime where the system gives it no memory at all, by the watch where it does.
    assert.match(await refused(memoryBomb(), tinyManifest(memoryBomb()), by), /^HW_MODEL_(LIMIT|FORMAT|SELF_TEST): /);
  });

  it('R3: costs no more time than its limit where it never ends', async () => {
    const by = await started({ timeMs: 6_000 });
    const startedMs = performance.now();
    assert.match(await refused(endlessNet(), tinyManifest(endlessNet()), by), /^HW_MODEL_LIMIT: .*more than 6000 ms/);
    assert.ok(performance.now() - startedMs < 20_000);
  });

  it('says which providers onnxruntime was made with, the processor among them', async () => {
    assert.ok((await verifier.offeredProviders()).includes('cpu'));
  });

  it('is refused where it is no file', async () => {
    await assert.rejects(
      verifier.verify(tinyManifest(tinyNet()), path.join(folder.path, 'none.onnx'), 'cpu'),
      /expected the net of tiny to be a file/,
    );
  });
});
