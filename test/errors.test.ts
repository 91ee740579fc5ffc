import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { ERRORS, EXIT } from '../schemas/error.ts';
import { errorsPage } from '../scripts/errors-page.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const REGISTRY = 'schemas/error.ts';
/** A code in quotes, alone or at the head of a message; a code in a comment raises nothing. */
const RAISED = /['"`](HW_[A-Z0-9_]+)/g;

const raised = raisedCodes();

describe('the registry of errors', () => {
  it('documents every code in docs/errors.md, and nothing else (npm run docs:errors writes it)', () => {
    assert.equal(readFileSync(path.join(ROOT, 'docs/errors.md'), 'utf8'), errorsPage());
  });

  it('holds every code that the source raises', () => {
    const unregistered = [...raised].filter(([code]) => !Object.hasOwn(ERRORS, code));
    assert.deepEqual(unregistered, []);
  });

  it('holds no code that nothing raises', () => {
    assert.deepEqual(
      Object.keys(ERRORS).filter((code) => !raised.has(code)),
      [],
    );
  });

  for (const [code, { exit, when, todo }] of Object.entries(ERRORS)) {
    it(`tells of ${code} when it happens, what to do, and a known exit code`, () => {
      assert.match(code, /^HW_[A-Z]+(_[A-Z]+)*$/);
      assert.match(when, /^[A-Z].{10,}\.$/);
      assert.match(todo, /.{10,}\.$/);
      assert.ok(Object.values<number>(EXIT).includes(exit));
      assert.notEqual(exit, EXIT.done);
    });
  }
});

/** Code to the files that raise it. */
function raisedCodes(): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const file of globSync('{bin,schemas,models,workers,engine,api}/**/*.{ts,cjs}', { cwd: ROOT })) {
    if (file.endsWith('.test.ts') || path.normalize(file) === path.normalize(REGISTRY)) continue;
    for (const [, code] of readFileSync(path.join(ROOT, file), 'utf8').matchAll(RAISED)) {
      if (code !== undefined) found.set(code, [...(found.get(code) ?? []), file]);
    }
  }
  return found;
}
