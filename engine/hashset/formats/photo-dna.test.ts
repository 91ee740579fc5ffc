import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { photoDnaValues } from './photo-dna.ts';

const value = fc.uint8Array({ minLength: 144, maxLength: 144 });

describe('PhotoDNA values', () => {
  it('come back from hexadecimal of either case and from base64, one or several in a text or a list', () => {
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 1, maxLength: 4 }),
        fc.constantFrom(' ', ',', ';', '|'),
        (values, between) => {
          const hex = values.map((bytes) => Buffer.from(bytes).toString('hex'));
          const base64 = values.map((bytes) => Buffer.from(bytes).toString('base64'));
          for (const given of [hex.join(between), hex.map((text) => text.toUpperCase()), base64.join(between), base64])
            assert.deepEqual(
              photoDnaValues(given).map((bytes) => bytes !== null && Uint8Array.from(bytes)),
              values,
            );
        },
      ),
      { numRuns: 50 },
    );
  });

  it('are none of any other length, and nothing is no value', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 300 }).filter((bytes) => bytes.length !== 144),
        (bytes) => assert.deepEqual(photoDnaValues(Buffer.from(bytes).toString('hex')), [null]),
      ),
      { numRuns: 50 },
    );
    assert.deepEqual(
      [photoDnaValues(''), photoDnaValues(null), photoDnaValues([]), photoDnaValues(7)],
      [[], [], [], [null]],
    );
    assert.deepEqual(photoDnaValues('g'.repeat(288)), [null]);
  });
});
