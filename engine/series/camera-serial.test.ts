import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { normaliseSerial } from './camera-serial.ts';

describe('a serial number of a camera', () => {
  it('is the same however software wrote it', () => {
    for (const written of ['0012 34-ab7', ' 1234AB7\0\0', '1234ab7', '０００１２３４ＡＢ７', '000001234AB7'])
      assert.equal(normaliseSerial(written), '1234AB7', written);
  });

  it('is null where it identifies nothing', () => {
    for (const filler of [
      null,
      undefined,
      '',
      ' ',
      '0',
      '0000000000',
      'N/A',
      'n.a.',
      'None',
      'NULL',
      'unknown',
      'Serial Number',
      'XXXXXXXX',
      '11111111',
      'ffffffff',
      '--------',
      '123',
      '00000012',
      '12345678',
      '0123456789',
      'A'.repeat(50).concat('B'.repeat(51)),
      'серийный',
    ]) {
      assert.equal(normaliseSerial(filler), null, String(filler));
    }
  });

  it('does not change when it is normalised again, and holds capital letters and digits alone', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 120 }), (text) => {
        const serial = normaliseSerial(text);
        if (serial === null) return;
        assert.match(serial, /^[A-Z1-9][A-Z0-9]{3,99}$/);
        assert.equal(normaliseSerial(serial), serial);
      }),
      { numRuns: 2_000 },
    );
  });
});
