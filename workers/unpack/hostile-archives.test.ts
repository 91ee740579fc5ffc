import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { needsShared, requireShared } from '../../test/shared-data.ts';
import { nameOf, said, UnpackKit } from './test-kit.ts';

const FOLDER = 'data/hostile/gen/archive';
const MEBIBYTE = 1024 * 1024;
const BUDGET = { entries: 2_000, entryBytes: 200 * MEBIBYTE, totalBytes: 300 * MEBIBYTE };

/**
 * What each archive is, written down from how it was made; entries as `name: outcome`, with how many there are where they are alike.
 * Where this differs from what the index saw, the index's tool (yauzl) checks no CRC, stops at `../` and reads nothing without a directory.
 */
const EXPECTED: Readonly<Record<string, { readonly archive: string; readonly entries: readonly string[] }>> = {
  'badname.zip': { archive: 'done', entries: ['4 x done'] },
  'bomb-1GB.zip': { archive: 'partial archiveBadEntries', entries: ['zeros.bin: rejected archiveBudget'] },
  'bomb.gz': { archive: 'partial archiveBadEntries', entries: ['bomb: rejected archiveBudget'] },
  'crc.zip': { archive: 'partial archiveBadEntries', entries: ['a.jpg: partial badCrc'] },
  'dup.zip': { archive: 'done', entries: ['a.jpg: done', 'a.jpg: done'] },
  'empty.zip': { archive: 'done', entries: [] },
  'encrypted-flag.zip': { archive: 'notExamined encrypted', entries: ['a.jpg: notExamined encrypted'] },
  'links.tar': {
    archive: 'partial archiveBadEntries',
    entries: [
      'l: rejected symbolicLink',
      'l/passwd: done',
      'h: rejected symbolicLink',
      'fifo: rejected specialFile',
      'dev: rejected specialFile',
    ],
  },
  'lname.zip': { archive: 'done', entries: ['a.jpg: done'] },
  'many.zip': { archive: 'partial archiveBudget', entries: ['2000 x rejected empty'] },
  'method99.zip': { archive: 'partial archiveBadEntries', entries: ['a.jpg: rejected unsupportedCompression'] },
  'nested2.zip': { archive: 'done', entries: ['l1.zip: done'] },
  'nested30.zip': { archive: 'done', entries: ['l29.zip: done'] },
  'ok.tar': { archive: 'done', entries: ['a.jpg: done'] },
  'ok.zip': { archive: 'done', entries: ['a/jpeg.jpg: done', 'b.png: done'] },
  // One body of 4 MiB under 401 names, all but the first with a CRC of 0: 64 MiB of it are read, no more.
  'overlap-bomb.zip': {
    archive: 'partial archiveBadEntries',
    entries: ['0: done', '16 x partial badCrc', '384 x rejected duplicateOffset'],
  },
  'sizelie-small.zip': { archive: 'partial archiveBadEntries', entries: ['a.jpg: partial corruptData'] },
  'slip.tar': {
    archive: 'partial archiveBadEntries',
    entries: ['../../evil.txt: partial unsafeName', '/abs.txt: partial unsafeName'],
  },
  'slip.zip': {
    archive: 'partial archiveBadEntries',
    entries: [
      '../../evil.txt: partial unsafeName',
      '/tmp/abs.txt: partial unsafeName',
      'C:\\evil.txt: partial unsafeName',
      '..\\..\\evil.txt: partial unsafeName',
      'ok.jpg: done',
    ],
  },
  'symlink.zip': {
    archive: 'partial archiveBadEntries',
    entries: ['link: rejected symbolicLink', 'link/passwd: done'],
  },
  'trunc.zip': { archive: 'partial truncated', entries: ['a.jpg: partial truncated'] },
};

test('R10: every hostile archive has its expected outcome written down', needsShared, () => {
  assert.deepEqual(readdirSync(requireShared(FOLDER)).sort(), Object.keys(EXPECTED).sort());
});

for (const [name, { archive, entries }] of Object.entries(EXPECTED)) {
  test(`R10: ${name}: ${archive}, and nothing is written outside the scratch folder`, needsShared, async () => {
    using kit = new UnpackKit();
    const unpacked = await kit.unpack(path.join(requireShared(FOLDER), name), BUDGET);
    assert.equal(said(unpacked), archive);
    const lines = unpacked.list.map((entry) => `${nameOf(entry)}: ${said(entry)}`);
    assert.deepEqual(
      entries.some((line) => line.includes(' x ')) ? counted(unpacked.list.map(said), entries) : lines,
      entries,
    );
    assert.deepEqual(kit.outside(), []);
    assert.ok(unpacked.totalBytes <= BUDGET.totalBytes);
    assert.equal(unpacked.entries, unpacked.list.length);
  });
}

/** Equal outcomes in a row as `n x outcome`; the first stands by itself where the table names it. */
function counted(outcomes: readonly string[], table: readonly string[]): string[] {
  const named = table.filter((line) => !line.includes(' x '));
  const runs = new Map<string, number>();
  for (const outcome of outcomes.slice(named.length)) runs.set(outcome, (runs.get(outcome) ?? 0) + 1);
  return [
    ...named.map((line, at) => `${line.split(': ')[0]}: ${outcomes[at]}`),
    ...[...runs].map(([outcome, count]) => `${count} x ${outcome}`),
  ];
}
