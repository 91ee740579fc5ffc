import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { it } from 'node:test';
import { BINARY, compileSimilarity } from './build.ts';

it('S12: similarity.wasm is what similarity.assemblyscript compiles to, byte for byte', async () => {
  const built = await compileSimilarity();
  assert.deepEqual(await readFile(BINARY), Buffer.from(built), 'run engine/search/wasm/build.ts and commit its result');
});
