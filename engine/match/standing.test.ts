import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ItemFacts, standingOf } from './standing.ts';

const WHOLE: ItemFacts = {
  outcome: 'done',
  isPicture: true,
  hashes: { pdq512Quality: 90, pdqFullQuality: 90, hasBlockhash: true },
  methods: [],
  awaitsRematch: false,
};
const said = (facts: Partial<ItemFacts>): string => {
  const { standing, unknownFor } = standingOf({ ...WHOLE, ...facts });
  return unknownFor === null ? standing : `${standing} ${unknownFor}`;
};

describe('the standing of an item', () => {
  it('is known by a digest, whatever became of the file', () => {
    assert.equal(said({ outcome: 'failed', isPicture: false, methods: ['pdq', 'md5'] }), 'known');
    assert.equal(said({ outcome: 'notExamined', isPicture: false, methods: ['sha1'] }), 'known');
    assert.equal(said({ awaitsRematch: true, methods: ['sha256'] }), 'known');
  });

  it('is near duplicate by perceptual hashes alone', () => {
    assert.equal(said({ methods: ['blockhash'] }), 'nearDuplicate');
    assert.equal(said({ outcome: 'partial', methods: ['pdq', 'blockhash'] }), 'nearDuplicate');
  });

  it('is unseen of a picture that was compared by every hash it has', () => {
    assert.equal(said({}), 'unseen');
    assert.equal(said({ hashes: { pdq512Quality: 50, pdqFullQuality: 50, hasBlockhash: false } }), 'unseen');
  });

  it('is none of what is no examined picture', () => {
    assert.equal(said({ isPicture: false }), 'none');
    for (const outcome of ['rejected', 'notExamined', 'failed'] as const) assert.equal(said({ outcome }), 'none');
  });

  it('is unknown where a picture was decoded in part', () => {
    assert.equal(said({ outcome: 'partial' }), 'unknown decodedInPart');
  });

  it('is unknown where a hash says nothing, be it one of two flavours', () => {
    assert.equal(said({ hashes: { pdq512Quality: 20, pdqFullQuality: 20, hasBlockhash: true } }), 'unknown tooFlat');
    assert.equal(said({ hashes: { pdq512Quality: 50, pdqFullQuality: 49, hasBlockhash: true } }), 'unknown tooFlat');
  });

  it('is unknown where it has no hash', () => {
    assert.equal(
      said({ hashes: { pdq512Quality: null, pdqFullQuality: null, hasBlockhash: false } }),
      'unknown notHashed',
    );
  });

  it('is unknown where sets came that it was not compared with, and this first of all, since it can be mended', () => {
    assert.equal(said({ outcome: 'partial', awaitsRematch: true }), 'unknown awaitsRematch');
  });
});
