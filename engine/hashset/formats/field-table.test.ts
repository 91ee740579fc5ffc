import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { FieldTable } from './field-table.ts';

const NAMES = ['MD5', 'SHA1', 'MediaID', 'MediaSize', 'Series'];

function lookUp(table: FieldTable, name: string): number {
  const source = Buffer.from(`{"${name}":1}\0`);
  const following = table.findFollowing(source, 1);
  if (following < 0) return table.find(source, 2, 2 + name.length);
  assert.equal(table.quotedBytes(following), name.length + 2);
  return following;
}

describe('names of members', () => {
  it('are found in any order, whatever came before', () => {
    const name = fc.constantFrom(...NAMES, 'md5', 'Media', 'SHA', 'Exifs', '');
    fc.assert(
      fc.property(fc.array(name, { maxLength: 60 }), (names) => {
        const table = new FieldTable(NAMES);
        for (const one of names) {
          const expected = NAMES.findIndex((known) => known.toLowerCase() === one.toLowerCase());
          assert.equal(lookUp(table, one), expected);
        }
      }),
    );
  });

  it('are found without a search once their order is known', () => {
    const table = new FieldTable(NAMES);
    for (const name of ['MD5', 'SHA1', 'MD5']) lookUp(table, name);
    assert.equal(table.findFollowing(Buffer.from('"SHA1":'), 0), 1);
  });
});
