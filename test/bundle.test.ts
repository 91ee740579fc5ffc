import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { extract } from 'tar-stream';
import { type BundleFile, writeArchive } from '../scripts/bundle/archive.ts';
import { installedPackages, licenceList } from '../scripts/bundle/installed-packages.ts';
import { isNeeded } from '../scripts/bundle/needed-files.ts';
import { billOfMaterials } from '../scripts/bundle/sbom.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const DATE = new Date('2026-01-02T03:04:05Z');

interface Entry {
  readonly content: Buffer;
  readonly mode: number | undefined;
  readonly mtime: Date | undefined;
}

describe('the archive of the offline bundle', () => {
  let folder: string;
  let files: readonly BundleFile[];

  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'archive-'));
    const program = path.join(folder, 'program');
    writeFileSync(program, '#!/bin/sh\n');
    chmodSync(program, 0o755);
    files = [
      { name: 'z.txt', text: 'last' },
      { name: 'bin/program', source: program },
      { name: 'INSTALL.md', text: 'first' },
    ];
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('is the same, byte for byte, when it is made again from the same files in another order', async () => {
    const first = path.join(folder, 'first.tar.gz');
    const second = path.join(folder, 'second.tar.gz');
    await writeArchive(first, 'homeward', files, DATE);
    await writeArchive(second, 'homeward', files.toReversed(), DATE);
    assert.deepEqual(readFileSync(first), readFileSync(second));
  });

  it('states the SHA-256 of the whole archive', async () => {
    const target = path.join(folder, 'stated.tar.gz');
    const { sha256 } = await writeArchive(target, 'homeward', files, DATE);
    assert.equal(sha256, createHash('sha256').update(readFileSync(target)).digest('hex'));
  });

  it('S12: lists in SHA256SUMS every file it holds, with the digest of its content', async () => {
    const target = path.join(folder, 'sums.tar.gz');
    await writeArchive(target, 'homeward', files, DATE);
    const entries = await entriesOf(target);
    const sums = entries.get('homeward/SHA256SUMS')?.content.toString() ?? '';
    entries.delete('homeward/SHA256SUMS');
    const expected = [...entries].map(
      ([name, { content }]) =>
        `${createHash('sha256').update(content).digest('hex')}  ${name.replace('homeward/', '')}`,
    );
    assert.deepEqual(sums.trimEnd().split('\n').toSorted(), expected.toSorted());
    assert.equal(expected.length, files.length);
  });

  it('keeps a program executable and gives every entry the date of the commit', async () => {
    const target = path.join(folder, 'modes.tar.gz');
    await writeArchive(target, 'homeward', files, DATE);
    const entries = await entriesOf(target);
    assert.equal(entries.get('homeward/bin/program')?.mode, 0o755);
    assert.equal(entries.get('homeward/z.txt')?.mode, 0o644);
    assert.ok([...entries.values()].every((entry) => entry.mtime?.getTime() === DATE.getTime()));
  });
});

describe('the files of the offline bundle', () => {
  const native = 'node_modules/onnxruntime-node/bin/napi-v6';

  it('are the native parts of inference for its platform, and for no other', () => {
    const parts = ['linux/x64', 'linux/arm64', 'darwin/arm64', 'win32/x64'].map(
      (place) => `${native}/${place}/any.file`,
    );
    assert.deepEqual(
      parts.filter((name) => isNeeded(name, 'linux', 'x64')),
      [`${native}/linux/x64/any.file`],
    );
  });

  it('hold what inference needs on this machine', () => {
    const binding = `${native}/${process.platform}/${process.arch}/onnxruntime_binding.node`;
    assert.ok(isNeeded(binding, process.platform, process.arch) && existsSync(path.join(ROOT, binding)));
  });

  it('are not what npm keeps for itself', () => {
    assert.deepEqual(
      [
        'node_modules/.bin/tsc',
        'node_modules/.package-lock.json',
        'node_modules/a/node_modules/.bin/b',
        'bin/launch.cjs',
      ].filter((name) => isNeeded(name, 'linux', 'x64')),
      ['bin/launch.cjs'],
    );
  });
});

describe('S12: what the bundle says of its packages', () => {
  const installed = installedPackages(ROOT);

  it('finds every package that the lock file puts on this platform', () => {
    const lock: { packages: Record<string, { optional?: boolean }> } = JSON.parse(
      readFileSync(path.join(ROOT, 'package-lock.json'), 'utf8'),
    );
    const required = Object.entries(lock.packages).filter(([place, entry]) => place !== '' && entry.optional !== true);
    const missing = required
      .map(([place]) => place)
      .filter((place) => !installed.some(({ folder }) => folder === place));
    assert.deepEqual(missing, []);
    assert.ok(
      installed.some(({ name }) => name.startsWith('node-')),
      'expected the runtime among the installed packages',
    );
  });

  it('lists the licence of each, and the texts that came with it', () => {
    const list = licenceList(ROOT);
    const unlisted = installed.filter(
      ({ name, version, licence }) => !list.includes(`\n${name} ${version}: ${licence}\n`),
    );
    assert.deepEqual(unlisted, []);
    assert.match(list, /GNU LESSER GENERAL PUBLIC LICENSE/);
    assert.match(list, /Mozilla Public License Version 2\.0/);
  });

  it('writes the same bill of materials twice, with a digest for every package', () => {
    const first = billOfMaterials(ROOT, 'homeward', DATE);
    assert.equal(first, billOfMaterials(ROOT, 'homeward', DATE));
    const bill: { metadata: { component: { name: string } }; components: { name: string; hashes?: unknown[] }[] } =
      JSON.parse(first);
    assert.equal(bill.metadata.component.name, 'homeward');
    assert.deepEqual(
      bill.components.filter(({ hashes }) => hashes === undefined || hashes.length === 0).map(({ name }) => name),
      [],
    );
    assert.ok(bill.components.length > 50, `expected more than 50 packages, found ${bill.components.length}`);
  });
});

async function entriesOf(archive: string): Promise<Map<string, Entry>> {
  const found = new Map<string, Entry>();
  const reader = extract();
  reader.end(gunzipSync(readFileSync(archive)));
  for await (const entry of reader) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) {
      assert.ok(Buffer.isBuffer(chunk));
      chunks.push(chunk);
    }
    found.set(entry.header.name, {
      content: Buffer.concat(chunks),
      mode: entry.header.mode,
      mtime: entry.header.mtime,
    });
  }
  return found;
}
