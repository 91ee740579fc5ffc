import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { neutralise } from './neutralise.ts';
import { hostileText, picturesInText } from './test-canaries.ts';

describe('neutralise', () => {
  it('S9: leaves no control, direction or invisible character in any text', () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
        assert.doesNotMatch(neutralise(text), /[\u0000-\u001f\u007f-\u009f]|\p{Cf}|\p{Zl}|\p{Zp}|\p{Cs}/u);
      }),
      { numRuns: 2_000 },
    );
  });

  it('S1: leaves nothing in which a picture could be carried', () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        // Elements are a matter of escaping.
        assert.deepEqual(picturesInText(neutralise(text, 2_000).replaceAll('<', '')), []);
      }),
      { numRuns: 2_000 },
    );
  });

  it('is of bounded length whatever comes in', () => {
    const length = [...neutralise('\u202e\u0000x'.repeat(200_000), 50)].length;
    assert.equal(length, 51);
  });

  it('says what stood there instead of dropping it', () => {
    assert.equal(neutralise('a\u001b[31mb\u202egpj.exe'), 'a\u241b[31mb[U+202E]gpj.exe');
  });

  it('leaves ordinary names of any script as they are', () => {
    for (const name of [
      'IMG_0001.JPG',
      'Фото с дачи.jpg',
      '写真 2024-07-01.heic',
      'صورة.png',
      'Übersicht (2).tif',
      `${'0a'.repeat(32)}.jpg`,
    ]) {
      assert.equal(neutralise(name), name);
    }
  });

  it('keeps names of long plain folders', () => {
    const path = '/home/user/pictures/holiday/2014/summer/spain/coast/evening/walk/harbour/lights/IMG_0001.JPG';
    assert.equal(neutralise(path), path);
  });

  it('limits piles of combining marks', () => {
    assert.equal(neutralise(`e${'\u0301'.repeat(50)}`), `e${'\u0301'.repeat(4)}`);
  });
});
