import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { HomewardError } from '../../../schemas/error.ts';
import { ByteWindow } from './byte-window.ts';
import { JsonCursor, MORE_BYTES_NEEDED } from './json-cursor.ts';

/** Whether the cursor takes `text` as one value with nothing behind it. */
function accepts(text: string): boolean {
  const window = new ByteWindow(0);
  window.append(Buffer.from(`${text}\n`, 'utf8'));
  window.final = true;
  const cursor = new JsonCursor('JSON');
  cursor.attach(window);
  try {
    cursor.skipValue();
    cursor.skipSpace();
    return cursor.atEnd();
  } catch (error) {
    assert.ok(error instanceof HomewardError, String(error));
    return false;
  }
}

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe('the JSON cursor', () => {
  it('accepts what JSON.parse accepts', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), (text) => accepts(text)),
      { numRuns: 300 },
    );
  });

  it('refuses what JSON.parse refuses, in documents with a character put in, taken out or replaced', () => {
    const edit = fc.tuple(fc.nat(), fc.constantFrom(...'{}[]",:\\ue0123456789.+-tfn \t\n\u0001x'), fc.nat(2));
    fc.assert(
      fc.property(fc.json({ maxDepth: 3 }), fc.array(edit, { minLength: 1, maxLength: 3 }), (text, edits) => {
        let edited = text;
        for (const [place, character, kind] of edits) {
          const at = place % (edited.length + 1);
          edited = edited.slice(0, at) + (kind === 1 ? '' : character) + edited.slice(kind === 0 ? at : at + 1);
        }
        assert.equal(accepts(edited), parses(edited), edited);
      }),
      { numRuns: 3000 },
    );
  });

  for (const text of [
    '01',
    '1.',
    '.5',
    '-',
    '1e',
    '1e+',
    '"\\u12g4"',
    '"\\x"',
    '"\u0007"',
    '[1,]',
    '{"a":1,}',
    '{a:1}',
    'nul',
    'True',
    "'a'",
    '[1 2]',
    '',
  ]) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.equal(accepts(text), false));
  }

  it('asks for more bytes wherever a window that is not final ends within a value', () => {
    const text = Buffer.from('{"a\\u00e9":[1.5e3,true,null,"x\\"y"],"é":{}}', 'utf8');
    for (let length = 0; length < text.length; length++) {
      const window = new ByteWindow(0);
      window.append(text.subarray(0, length));
      const cursor = new JsonCursor('JSON');
      cursor.attach(window);
      assert.throws(
        () => cursor.skipValue(),
        (signal) => signal === MORE_BYTES_NEEDED,
        `at ${length}`,
      );
    }
  });

  it('refuses nesting that would exhaust the stack', () => {
    assert.equal(accepts('['.repeat(60) + ']'.repeat(60)), true);
    assert.equal(accepts('['.repeat(100_000)), false);
  });
});
