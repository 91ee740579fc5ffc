import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { it } from 'node:test';
import { binaryOf, compileKernel, KERNELS } from './build.ts';

for (const kernel of KERNELS) {
  it(`S12: the checked-in ${kernel} is byte for byte what its source compiles to`, async () => {
    const kept = await readFile(binaryOf(kernel));
    assert.ok(kept.equals(await compileKernel(kernel)), `run workers/hash/wasm/build.ts and commit ${kernel}`);
  });
}
