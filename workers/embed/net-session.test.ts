import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { NetSession } from './net-session.ts';
import { SHIPPED_PACKS, shippedPacks } from './test-packs.ts';

describe('NetSession', () => {
  let session: NetSession;
  let pack: Awaited<ReturnType<typeof shippedPacks>>[number];
  const length = 3 * 112 * 112;

  before(async () => {
    const [found] = await shippedPacks([SHIPPED_PACKS.landmarks]);
    assert.ok(found !== undefined);
    pack = found;
    session = await NetSession.open(pack.bytes, pack.manifest);
  });
  after(() => session.release());

  it('gives each of more items than one run takes what it gives it alone', async () => {
    const { input } = pack.manifest;
    const count = session.mostItems * 2 + 1;
    const tensor = Float32Array.from({ length: length * count }, (_, i) => Math.sin(i) / 2);
    const together = await session.run(tensor, count, input, ['landmarks']);
    assert.equal(together.length, count);
    for (const [item, outputs] of together.entries()) {
      const [alone] = await session.run(tensor.slice(item * length, (item + 1) * length), 1, input, ['landmarks']);
      const [a, b] = [outputs?.get('landmarks'), alone?.get('landmarks')];
      assert.equal(a?.length, 136);
      for (const [i, value] of a?.entries() ?? []) assert.ok(Math.abs(value - (b?.[i] ?? Number.NaN)) < 1e-4);
    }
  });

  it('R2: has no outputs for an item with NaN in them, and those of its neighbours', async () => {
    const tensor = new Float32Array(length * 3).fill(0.1);
    tensor.fill(Number.NaN, length, 2 * length);
    const results = await session.run(tensor, 3, pack.manifest.input, ['landmarks']);
    assert.deepEqual(
      results.map((outputs) => outputs !== undefined),
      [true, false, true],
    );
  });

  it('refuses bytes that are no net, by code', async () => {
    await assert.rejects(NetSession.open(Uint8Array.from([1, 2, 3]), pack.manifest), { code: 'HW_MODEL_FORMAT' });
  });

  it('refuses a net of other inputs or outputs than its manifest says, by code', async () => {
    const { manifest } = pack;
    const [output] = manifest.outputs;
    assert.ok(output !== undefined);
    for (const lie of [
      { ...manifest, input: { ...manifest.input, widthPixels: 160 } },
      { ...manifest, input: { ...manifest.input, name: 'other' } },
      { ...manifest, outputs: [{ ...output, name: 'other' }] },
      { ...manifest, outputs: [{ ...output, shape: [140] }] },
    ])
      await assert.rejects(NetSession.open(pack.bytes, lie), { code: 'HW_MODEL_SHAPE' });
  });
});
