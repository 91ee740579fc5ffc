import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';
import { Compile } from 'typebox/compile';
import { isConfigFile } from './checks/is-config-file.ts';
import { isHostMessage } from './checks/is-host-message.ts';
import { PUBLISHED, staleChecks, staleSchemas, writeSchemas } from './emit.ts';
import { COMPILED_CHECKS } from './emit-checks.ts';

describe('the published JSON Schemas', () => {
  it('are those of the types', () => {
    assert.deepEqual(staleSchemas(), []);
  });

  it('are told to be stale when one was changed, is missing or does not belong there', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'homeward-schemas-'));
    try {
      assert.equal(staleSchemas(folder).length, PUBLISHED.length);
      writeSchemas(folder);
      assert.deepEqual(staleSchemas(folder), []);
      writeFileSync(path.join(folder, 'report.schema.json'), '{}\n');
      writeFileSync(path.join(folder, 'other.json'), '{}\n');
      assert.deepEqual(staleSchemas(folder), ['report.schema.json', 'other.json']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('are checked by the command, which exits 0', () => {
    const { status, stderr } = spawnSync(process.execPath, [path.join(import.meta.dirname, 'emit.ts'), '--check'], {
      encoding: 'utf8',
    });
    assert.equal(stderr, '');
    assert.equal(status, 0);
  });

  it('S1: allow no key that is not named and no text without a bound, so no picture can be expressed', () => {
    for (const { file } of PUBLISHED) {
      const found: string[] = [];
      walk(JSON.parse(readFileSync(path.join(import.meta.dirname, 'json', file), 'utf8')), '#', found);
      assert.deepEqual(found, [], file);
    }
  });

  it('have an id, a title and compile as they are written', () => {
    for (const { file } of PUBLISHED) {
      const schema = JSON.parse(readFileSync(path.join(import.meta.dirname, 'json', file), 'utf8'));
      assert.match(schema.$id, /^urn:homeward:schema:[a-z-]+:\d+\.\d+$/);
      assert.ok(schema.title.startsWith('Homeward '));
      assert.equal(Compile(schema).Check(42), false);
    }
  });
});

function walk(node: unknown, where: string, found: string[]): void {
  if (typeof node !== 'object' || node === null) return;
  if (
    'type' in node &&
    node.type === 'object' &&
    !('additionalProperties' in node && node.additionalProperties === false)
  )
    found.push(`${where} is open`);
  if (
    'type' in node &&
    node.type === 'string' &&
    !('maxLength' in node || 'pattern' in node || 'enum' in node || 'const' in node)
  )
    found.push(`${where} is unbounded`);
  for (const [key, value] of Object.entries(node)) walk(value, `${where}/${key}`, found);
}

describe('the checks compiled ahead of time', () => {
  it('are those of the types', () => {
    assert.deepEqual(staleChecks(), []);
  });

  it('are told to be stale when they are missing', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'homeward-checks-'));
    try {
      assert.equal(staleChecks(folder).length, COMPILED_CHECKS.length);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('take what the protocol allows and refuse a key, a type and a pattern outside it', () => {
    const entry = {
      index: 0,
      name: 'YQ==',
      scratchFile: '1',
      sizeBytes: 1,
      modifiedAt: null,
      outcome: 'done',
      reason: null,
    };
    const message = { kind: 'entry', taskId: 3, entry };
    assert.equal(isHostMessage(message), true);
    assert.equal(isHostMessage({ ...message, thumbnail: 'AAAA' }), false);
    assert.equal(isHostMessage({ ...message, taskId: '3' }), false);
    assert.equal(isHostMessage({ ...message, entry: { ...entry, scratchFile: '../1' } }), false);
    assert.equal(isConfigFile({ fileBudget: { pixels: 0 } }), false);
  });
});
