import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { needsShared, requireShared } from '../../test/shared-data.ts';
import { type WalkEntry, walk } from './walk.ts';

async function entriesUnder(folder: string): Promise<Map<string, WalkEntry>> {
  const found = new Map<string, WalkEntry>();
  for await (const entry of walk([Buffer.from(folder)]))
    found.set(entry.path.subarray(folder.length + 1).toString('latin1'), entry);
  return found;
}

describe('walk', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'homeward-walk-'));
  });
  after(async () => await rm(folder, { recursive: true, force: true }));

  it('finds files in folders of folders, and a file given as a root', async () => {
    await mkdir(path.join(folder, 'a', 'b'), { recursive: true });
    await writeFile(path.join(folder, 'a', 'b', 'deep.jpg'), 'x');
    await writeFile(path.join(folder, 'top.jpg'), 'yy');
    const found = await entriesUnder(folder);
    assert.deepEqual([...found.keys()].sort(), ['a/b/deep.jpg', 'top.jpg']);
    assert.equal(found.get('top.jpg')?.sizeBytes, 2);
    const asRoot = await Array.fromAsync(walk([Buffer.from(path.join(folder, 'top.jpg'))]));
    assert.equal(asRoot.length, 1);
  });

  it('records a link and does not follow it, even one that leads in a circle', async () => {
    await symlink('.', path.join(folder, 'circle'));
    const found = await entriesUnder(folder);
    assert.equal(found.get('circle')?.refusal?.reason.code, 'symbolicLink');
  });

  it('records a root that is not there', async () => {
    const [entry] = await Array.fromAsync(walk([Buffer.from(path.join(folder, 'nothing'))]));
    assert.equal(entry?.refusal?.reason.code, 'unreadable');
  });

  it(
    'R11: every odd entry of a file system is reported once, and none of them is opened or followed',
    needsShared,
    async () => {
      const odd = path.join(folder, 'odd');
      const picture = requireShared('data/pdq/bridge-mods__aaa-orig.jpg');
      const told = execFileSync('python3', [requireShared('tools/make-fs-odd.py'), odd, picture], { encoding: 'utf8' });
      const made = told
        .trim()
        .split('\n')
        .map((line): { name: string; expected: string } => {
          const parsed: { name_hex: string; expected: string } = JSON.parse(line);
          return { name: Buffer.from(parsed.name_hex, 'hex').toString('latin1'), expected: parsed.expected };
        })
        .filter((entry) => !entry.expected.startsWith('not creatable'));
      const found = await entriesUnder(odd);
      for (const { name, expected } of made) {
        if (name.startsWith('deep/') || /^directory|unreadable-dir/.test(`${expected} ${name}`)) continue;
        const entry = found.get(name);
        assert.ok(entry, `${JSON.stringify(name)} was not reported`);
        const code = entry.refusal?.reason.code;
        if (/symlink/.test(expected)) assert.equal(code, 'symbolicLink', name);
        else if (/FIFO|socket/.test(expected)) assert.equal(code, 'specialFile', name);
        else assert.equal(code, undefined, name);
      }
    },
  );
});
