import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { categoryEntry, categoryScheme, knownSchemes } from './category-schemes.ts';

describe('category schemes', () => {
  it('names the six codes of Project VIC in the United States', () => {
    assert.deepEqual(
      ['0', '1', '2', '3', '4', '5'].map((code) => categoryEntry('vic-us', code).kind),
      ['unknown', 'abuse', 'indicative', 'generated', 'comparison', 'notPertinent'],
    );
    assert.equal(categoryEntry('vic-us', '0').label, 'Uncategorized');
  });

  it('names the three grades of the United Kingdom, in either letter case', () => {
    assert.equal(categoryEntry('caid-uk', 'a').kind, 'abuseGravest');
    assert.equal(categoryScheme('caid-uk')?.codes.size, 3);
  });

  it('gives the same code no meaning in a scheme that has none', () => {
    assert.deepEqual(categoryEntry('caid-uk', '1'), { label: null, kind: 'unknown' });
    assert.deepEqual(categoryEntry('unspecified', '1'), { label: null, kind: 'unknown' });
    assert.deepEqual(categoryEntry('vic-us', '8'), { label: null, kind: 'unknown' });
  });

  it('lists the schemes it has', () => assert.deepEqual(knownSchemes(), ['vic-us', 'caid-uk', 'interpol-baseline']));
});
