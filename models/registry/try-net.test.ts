import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HomewardError } from '../../schemas/error.ts';
import type { ModelPackManifest, ModelProvider } from '../../schemas/model-pack.ts';
import { model, NOT_A_NUMBER, node, tinyGraph, tinyGraphMessage, tinyManifest, tinyNet } from './test-kit.ts';
import { tryNet } from './try-net.ts';

async function refused(net: Uint8Array, manifest: ModelPackManifest, provider: ModelProvider = 'cpu'): Promise<string> {
  try {
    await tryNet(net, manifest, provider);
  } catch (error) {
    if (error instanceof HomewardError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'none';
}

describe('a net held against its manifest', () => {
  it('is accepted where it is what that says', async () => {
    assert.equal(await refused(tinyNet(), tinyManifest(tinyNet())), 'none');
  });

  it('is accepted where its output has no batch in front', async () => {
    const net = tinyNet({
      nodes: [...tinyGraph().nodes.slice(0, 1), node('Squeeze', ['pooled'], 'embedding')],
      outputs: [{ name: 'embedding', shape: [3] }],
      inputs: [{ name: 'input', shape: [1, 3, 8, 8] }],
    });
    assert.equal(await refused(net, tinyManifest(net)), 'none');
  });

  it('is accepted where it takes one picture at a time', async () => {
    const net = model(tinyGraphMessage(() => undefined));
    assert.equal(await refused(net, tinyManifest(net)), 'none');
  });

  it('is refused by its digest', async () => {
    assert.match(await refused(tinyNet({ name: 'other' }), tinyManifest(tinyNet())), /^HW_MODEL_FILE: .*SHA-256/);
  });

  it('is refused where onnxruntime cannot open it', async () => {
    const net = tinyNet({
      nodes: [{ operator: 'NoSuchThing', inputs: ['input'], output: 'embedding', attributes: {} }],
    });
    assert.match(await refused(net, tinyManifest(net)), /^HW_MODEL_FORMAT: .*NoSuchThing/);
  });

  it('is refused where its input has another name', async () => {
    const net = tinyNet();
    const { input } = tinyManifest(net);
    const manifest = tinyManifest(net, { input: { ...input, name: 'picture' } });
    assert.match(await refused(net, manifest), /^HW_MODEL_SHAPE: expected one input picture .* received input/);
  });

  it('is refused where its input has another size', async () => {
    const net = tinyNet();
    const { input } = tinyManifest(net);
    const manifest = tinyManifest(net, { input: { ...input, widthPixels: 16 } });
    assert.match(
      await refused(net, manifest),
      /^HW_MODEL_SHAPE: expected an input of 1 x 3 x 8 x 16 .* batch x 3 x 8 x 8/,
    );
  });

  it('is refused where its output has another dimension', async () => {
    const net = tinyNet();
    const outputs = tinyManifest(net).outputs.map((output) => ({ ...output, shape: [4], dimensions: 4 }));
    assert.match(
      await refused(net, tinyManifest(net, { outputs })),
      /^HW_MODEL_SHAPE: expected an output embedding of 4/,
    );
  });

  it('is refused where the output is not there', async () => {
    const net = tinyNet({ outputs: [{ name: 'pooled', shape: ['batch', 3, 1, 1] }] });
    assert.match(
      await refused(net, tinyManifest(net)),
      /^HW_MODEL_SHAPE: expected an output embedding .* received pooled/,
    );
  });

  it('is refused where its self-test gives something else', async () => {
    const net = tinyNet();
    const { selfTest } = tinyManifest(net);
    const [first = 0, ...others] = selfTest.firstValues;
    const manifest = tinyManifest(net, { selfTest: { ...selfTest, firstValues: [first + 0.001, ...others] } });
    assert.match(await refused(net, manifest), /^HW_MODEL_SELF_TEST: .* as value 0/);
  });

  it('is refused where only the rest of its output is something else', async () => {
    const net = tinyNet();
    const { selfTest } = tinyManifest(net);
    const sumOfSquares = selfTest.sumOfSquares * 1.01;
    const manifest = tinyManifest(net, {
      selfTest: { ...selfTest, firstValues: selfTest.firstValues.slice(0, 1), sumOfSquares },
    });
    assert.match(await refused(net, manifest), /^HW_MODEL_SELF_TEST: .* as its sum of squares/);
  });

  it('is refused where the provider asked for is not offered', async () => {
    const provider = process.platform === 'darwin' ? 'directml' : 'coreml';
    assert.match(await refused(tinyNet(), tinyManifest(tinyNet()), provider), /^HW_MODEL_PROVIDER: /);
  });

  it('is refused where its output is not a number', async () => {
    const net = tinyNet({ nodes: NOT_A_NUMBER });
    assert.match(await refused(net, tinyManifest(net)), /^HW_MODEL_SELF_TEST: .*NaN as value 0/);
  });
});
