import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { openSet } from '../engine/hashset/formats/reader.ts';
import { GENERATED_FORMATS, type GeneratedSet, generateSet } from './set-generator.ts';

async function digest(set: GeneratedSet): Promise<string> {
  const hash = createHash('sha256');
  for await (const buffer of generateSet(set)) hash.update(buffer);
  return hash.digest('hex');
}

describe('the set generator', () => {
  for (const format of GENERATED_FORMATS) {
    it(`makes ${format} sets of as many records as asked, all of them usable`, async () => {
      const reader = await openSet(generateSet({ format, records: 5000, seed: 2 }), { format: 'auto', name: format });
      let rows = 0;
      for await (const batch of reader.batches()) {
        rows += batch.rowCount;
        assert.deepEqual(
          Object.values(batch.rejected).filter((count) => count > 0),
          [],
        );
      }
      assert.equal(rows, 5000);
    });
  }

  it('makes the same bytes for the same seed and others for another', async () => {
    const set = { format: 'vics', records: 3000 } as const;
    assert.equal(await digest({ ...set, seed: 1 }), await digest({ ...set, seed: 1 }));
    assert.notEqual(await digest({ ...set, seed: 1 }), await digest({ ...set, seed: 2 }));
  });

  it('comes within a record of the size asked for', async () => {
    let byteCount = 0;
    for await (const buffer of generateSet({ format: 'vics', bytes: 1_000_000, seed: 1 })) byteCount += buffer.length;
    assert.ok(byteCount >= 1_000_000 && byteCount < 1_000_300, `${byteCount}`);
  });
});
