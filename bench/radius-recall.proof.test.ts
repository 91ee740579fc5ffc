import assert from 'node:assert/strict';
import { it } from 'node:test';
import { memoryFigures } from './radius-memory.ts';
import { realHashes } from './radius-sets.ts';

it('R9: the small profile of the radius benchmark has a recall of 1.000, on random hashes, clusters and real edits', async () => {
  const say = () => undefined;
  const { measures } = await memoryFigures(await realHashes(20, say), { quick: true, say });
  const recalls = measures.filter(({ name }) => name.includes('recall'));
  assert.equal(recalls.length, 2);
  for (const { name, value } of recalls) assert.equal(value, 1, name);
});
