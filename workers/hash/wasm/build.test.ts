import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { it } from 'node:test';
import { compileKernel } from './build.ts';

it('S12: the checked-in pdq.wasm is byte for byte what its source compiles to', async () => {
  const kept = await readFile(new URL('./pdq.wasm', import.meta.url));
  assert.ok(kept.equals(await compileKernel()), 'run workers/hash/wasm/build.ts and commit pdq.wasm');
});
