import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { exportedLiteral } from './script-data.ts';
import { PACKAGES_ROOT } from './test-packages.ts';

const require = createRequire(import.meta.url);
const exported = (literal: string) => exportedLiteral(Buffer.from(`!function(e){e.exports=${literal}}({})`));

describe('exportedLiteral', () => {
  for (const name of ['model', 'group1-shard1of2', 'group1-shard2of2']) {
    it(`reads from the text of ${name} what running it gives`, async () => {
      const file = path.join(PACKAGES_ROOT, 'nsfwjs', 'dist', 'models', 'mobilenet_v2_mid', `${name}.min.js`);
      assert.deepEqual(exportedLiteral(await readFile(file)), require(file));
    });
  }

  it('reads what JSON can say and a minifier leaves as it is', () => {
    const text = fc.stringMatching(/^[A-Za-z0-9+/=_ -]*$/);
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        text,
        fc.double({ noNaN: true, noDefaultInfinity: true }).filter((number) => !Object.is(number, -0)),
        fc.constant(null),
        fc.array(tie('any'), { maxLength: 4 }),
        fc.dictionary(text, tie('any'), { maxKeys: 4, noNullPrototype: true }),
      ),
    })).any;
    fc.assert(fc.property(value, (one) => assert.deepEqual(exported(JSON.stringify([one])), [one])));
  });

  it('reads what a minifier writes shorter', () => {
    assert.deepEqual(exported('{a:!0,$b:!1,"c-d":.5,e:-1e-7,f:[null,],g:""}'), {
      a: true,
      $b: false,
      'c-d': 0.5,
      e: -1e-7,
      f: [null],
      g: '',
    });
  });

  for (const literal of ['"a\\u0062"', '{a:b()}', '["a', '[1 2]', '{a:1;b:2}', '[function(){}]']) {
    it(`refuses ${literal}, which is not plain data`, () => {
      assert.throws(() => exported(literal), { code: 'HW_MODEL_BUILD' });
    });
  }

  it('refuses a script that exports nothing readable', () => {
    assert.throws(() => exportedLiteral(Buffer.from('module.exports=t()')), { code: 'HW_MODEL_BUILD' });
  });
});
