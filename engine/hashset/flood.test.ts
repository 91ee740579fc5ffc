import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { floodOf } from './flood.ts';

describe('a flood', () => {
  it('is more than ten times the usual, and more than ten times the floor', () => {
    assert.equal(floodOf('recordsOfSet', 100_000, 3), null);
    assert.match(floodOf('recordsOfSet', 100_001, 3) ?? '', /^100001 records in the set, where 3 were usual/);
    assert.equal(floodOf('recordsOfSet', 500_000, 50_000), null);
    assert.notEqual(floodOf('recordsOfSet', 500_001, 50_000), null);
    assert.deepEqual([floodOf('contentsHit', 1_000, 0), floodOf('recordsOfDelta', 10_000, 0)], [null, null]);
  });
});
