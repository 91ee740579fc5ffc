import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createMask, newMaskKey } from './mask.ts';
import { hostileText } from './test-canaries.ts';

const masked = createMask({ reveal: false, key: 'key of this report' });
const revealed = createMask({ reveal: true, key: 'key of this report' });

describe('a mask', () => {
  it('keeps depth, archive boundaries and a common extension, and none of the words', () => {
    assert.match(
      masked.path('/home/kim/batch.zip!/inner/photo.JPG'),
      /^\/\[\w{6}\]\/\[\w{6}\]\/\[\w{6}\]\.zip!\/\[\w{6}\]\/\[\w{6}\]\.jpg$/,
    );
  });

  it('shows no extension that is not a common one', () => {
    assert.match(masked.path('holiday.harmfulword'), /^\[\w{6}\]$/);
  });

  it('gives equal words equal tokens within a report, and others in another one', () => {
    const other = createMask({ reveal: false, key: newMaskKey() });
    assert.equal(masked.words('series', 'Harbour'), masked.words('series', 'Harbour'));
    assert.notEqual(masked.words('series', 'Harbour'), masked.words('series', 'Lantern'));
    assert.notEqual(masked.words('series', 'Harbour'), other.words('series', 'Harbour'));
  });

  it('tells folders apart that a path shares with another', () => {
    const [, one] = masked.path('/same/a.jpg').split('/');
    const [, other] = masked.path('/same/b.jpg').split('/');
    assert.equal(one, other);
  });

  it('is short for very deep paths', () => {
    assert.ok(masked.path('/x'.repeat(8_000)).length < 100);
  });

  it('lets no word of any text through', () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        assert.match(masked.path(text), /^(?:\[[0-9a-f]{6}\]|\.[a-z0-9]{1,10}|\.{1,2}|!?\/|\([0-9]+ more\))*$/);
        assert.match(masked.words('tag', text), /^tag [0-9a-f]{6}$/);
      }),
      { numRuns: 1_000 },
    );
  });

  it('shows makes and models of widespread cameras only', () => {
    assert.equal(masked.camera('Apple', 'iPhone 13 Pro'), 'Apple iPhone 13 Pro');
    assert.equal(masked.camera('NIKON CORPORATION', 'NIKON D750'), 'NIKON D750');
    assert.equal(masked.camera('samsung', 'SM-G991B'), 'Samsung SM-G991B');
    for (const [make, model] of [
      ['Apple', 'some words'],
      ['a name', 'D750'],
      ['SONY', 'HARMFUL1'],
      ['Canon', 'Canon EOS 70D and more words'],
    ] as const) {
      assert.match(masked.camera(make, model), /^camera [0-9a-f]{6}$/);
    }
  });

  it('reveals text as it is, except what could act on a terminal', () => {
    assert.equal(revealed.path('/home/kim/photo.jpg'), '/home/kim/photo.jpg');
    assert.equal(revealed.words('series', 'Harbour'), 'Harbour');
    assert.equal(revealed.path('a\u001b[2Jb'), 'a\u241b[2Jb');
  });
});
