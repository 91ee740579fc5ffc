import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { REQUIREMENTS } from '../api/validate/requirements.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const PAGE = readFileSync(path.join(ROOT, 'docs', 'assurance.md'), 'utf8');
const ROWS = new Map(
  [...PAGE.matchAll(/^\| ((?:R|S)\d+) \|(.*)\|$/gm)].map((match) => [
    match[1] ?? '',
    (match[2] ?? '').split('|').map((cell) => cell.trim()),
  ]),
);
const OWNED = [
  'R1',
  'R2',
  'R3',
  'R4',
  'R5',
  'R6',
  'R7',
  'R9',
  'R10',
  'R11',
  'S1',
  'S2',
  'S3',
  'S4',
  'S5',
  'S6',
  'S7',
  'S9',
  'S10',
  'S12',
];

describe('docs/assurance.md', () => {
  for (const goal of OWNED) {
    it(`${goal} has a line with goal, proof, figure and date`, () => {
      const cells = ROWS.get(goal) ?? [];
      assert.equal(cells.length, 4);
      assert.ok(cells.every((cell) => cell !== ''));
    });
  }

  it('names only files that exist', () => {
    const named = [...PAGE.matchAll(/`([a-z0-9./-]+\.(?:ts|md|json|cjs))`/g)].map((match) => match[1] ?? '');
    assert.ok(named.length > 0);
    assert.deepEqual(
      named.filter((file) => !existsSync(path.join(ROOT, file))),
      [],
    );
  });

  it('names only tests that carry the id of their goal, or says that they do not', () => {
    const without: string[] = [];
    for (const [goal, [, proof = '']] of ROWS) {
      for (const [, file = ''] of proof.matchAll(/`([a-z0-9./-]+\.test\.ts)`(?! [^`;]*names no id)/g)) {
        const text = existsSync(path.join(ROOT, file)) ? readFileSync(path.join(ROOT, file), 'utf8') : '';
        if (!new RegExp(`\\b${goal}\\b`).test(text)) without.push(`${goal}: ${file}`);
      }
    }
    assert.deepEqual(without, []);
  });

  it('lists every requirement of homeward validate with its goals', () => {
    for (const { id, goals } of REQUIREMENTS) assert.ok(PAGE.includes(`| ${id} | ${goals.join(', ')} |`), id);
  });
});
