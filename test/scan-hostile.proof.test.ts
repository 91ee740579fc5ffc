import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { Outcome, ReasonCode } from '../schemas/outcome.ts';
import type { Report, ReportItem } from '../schemas/report.ts';
import { drawnInEveryFormat, randomUnits } from '../workers/decode/test-encoded-pictures.ts';
import { type Finished, readReport, runCli, TestFolder } from './cli-kit.ts';
import { hostileExpectation, INDEX_CLASSES } from './hostile-expectations.ts';
import { needsShared, requireShared } from './shared-data.ts';

const MUTANTS = 2_000;
const SEED = 20261124;
/** As the index says; what it left out it names a place of its own. */
const LEAST_INDEXED = 1_000;

const HostileIndex = Compile(
  Type.Object({
    files: Type.Array(Type.Object({ file: Type.String(), expected: Type.Object({ outcome: Type.String() }) })),
  }),
);

interface OddEntry {
  readonly name_hex: string;
  readonly expected: string;
}

/** What a scan says of an archive itself; its entries are items of their own. Judged from what the file is, by its maker's description. */
const ARCHIVES: Readonly<Record<string, readonly [Outcome | readonly Outcome[], string]>> = {
  'badname.zip': [['done', 'partial'], 'names that are no proper text'],
  'bomb-1GB.zip': ['partial', 'says it holds a gigabyte more than is there or allowed'],
  'bomb.gz': ['done', '256 MiB of zeros, within what one archive may hold'],
  'crc.zip': ['partial', 'a wrong checksum'],
  'dup.zip': ['done', 'one name twice'],
  'empty.zip': ['done', 'no entry'],
  'encrypted-flag.zip': ['notExamined', 'its only entry says it is encrypted'],
  'links.tar': [['done', 'partial'], 'links, which are recorded and not followed'],
  'lname.zip': ['done', 'central and local name differ'],
  'many.zip': ['partial', 'more entries than allowed'],
  'method99.zip': ['partial', 'an unknown compression'],
  'nested2.zip': ['done', 'a zip in a zip'],
  'nested30.zip': ['done', 'thirty deep: the depth ends inside'],
  'ok.tar': ['done', 'sound'],
  'ok.zip': ['done', 'sound'],
  'overlap-bomb.zip': ['partial', 'entries that share their bytes'],
  'sizelie-small.zip': ['partial', 'more bytes than it says'],
  'slip.tar': ['partial', 'names that lead outside'],
  'slip.zip': ['partial', 'names that lead outside'],
  'symlink.zip': ['partial', 'a link'],
  'trunc.zip': [['rejected', 'partial'], 'cut before its directory'],
};
/** So many files of one archive are enough here; many.zip holds more. */
const ENTRIES_ALLOWED = 1_000;

describe('R2, R3, R11: one scan of everything hostile', { ...needsShared, timeout: 900_000 }, () => {
  let folder: TestFolder;
  let hostile: string;
  let run: Finished;
  let report: Report;
  let odd: OddEntry[];
  const items = new Map<string, ReportItem[]>();
  const inFolder = (root: string): ReportItem[] =>
    report.items.filter(({ path: place }) => place.startsWith(`${root}${path.sep}`));

  before(async () => {
    folder = await TestFolder.make();
    hostile = realpathSync(requireShared('data/hostile'));
    odd = makeOddFiles(folder.at('odd'));
    await makeMutants(folder.at('mutants'));
    writeFileSync(folder.at('config.json'), JSON.stringify({ archiveBudget: { entries: ENTRIES_ALLOWED } }));
    run = await runCli(
      [
        'scan',
        '--hash-only',
        hostile,
        folder.at('odd'),
        folder.at('mutants'),
        '--config',
        folder.at('config.json'),
        '--data',
        folder.at('data'),
        '--report',
        folder.at('report.json'),
        '--html',
        folder.at('page.html'),
      ],
      { HOMEWARD_SCRATCH: folder.at('scratch') },
    );
    report = readReport(readFileSync(folder.at('report.json'), 'utf8'));
    for (const item of report.items) items.set(item.path, [...(items.get(item.path) ?? []), item]);
  });
  after(async () => {
    execFileSync('chmod', ['-R', 'u+rwX', folder.at('odd')]);
    await folder[Symbol.asyncDispose]();
  });

  it('R2: ends by itself, with 0 or with 4 for items that failed', () => {
    assert.ok(run.code === 0 || run.code === 4, `${run.code}: ${run.stderr.slice(-2000)}`);
    assert.equal(run.code === 4, report.counts.failed > 0);
    assert.equal(report.batch.complete, true);
  });

  it('R2: every item has an outcome, and a reason unless it is done', () => {
    for (const item of report.items) assert.equal(item.outcome === 'done', item.reason === null, item.path);
  });

  it('R2: each hostile file has one item, and no host died of one twice', (t) => {
    const { files } = hostileIndex(hostile);
    assert.ok(files.length > LEAST_INDEXED);
    for (const { file } of files) assert.equal(items.get(path.join(hostile, file))?.length, 1, file);
    const failed = report.items.filter(({ outcome }) => outcome === 'failed');
    for (const item of failed)
      t.diagnostic(`failed: ${path.basename(item.path)} ${item.reason ?? ''} ${item.reasonDetail ?? ''}`);
    assert.deepEqual(
      failed.filter(({ reason }) => reason === 'hostCrashed' || reason === 'internal').map((item) => item.path),
      [],
    );
  });

  it('R2: the outcome is of the class of the index for at least 99 % of those that its tool could judge', (t) => {
    const judged = hostileIndex(hostile).files.filter(
      ({ file, expected }) => INDEX_CLASSES[expected.outcome] !== undefined && hostileExpectation(file) === undefined,
    );
    const others = judged.filter(
      ({ file, expected }) => !INDEX_CLASSES[expected.outcome]?.includes(itemOf(file).outcome),
    );
    for (const { file, expected } of others)
      t.diagnostic(`${file}: index ${expected.outcome}, here ${itemOf(file).outcome} ${itemOf(file).reason ?? ''}`);
    assert.ok(judged.length > 750);
    assert.ok(others.length <= judged.length / 100, `${others.length} of ${judged.length}`);
  });

  it('R2: the outcome is the one written down for at least 99 % of those that it could not judge', () => {
    const judged = hostileIndex(hostile).files.flatMap(({ file }) => {
      const expectation = file.startsWith('gen/archive/') ? undefined : hostileExpectation(file);
      return expectation === undefined ? [] : [{ file, expectation }];
    });
    const others = judged.filter(
      ({ file, expectation }) => ![expectation.outcome].flat().includes(itemOf(file).outcome),
    );
    assert.ok(judged.length > 200);
    assert.ok(
      others.length <= judged.length / 100,
      others.map(({ file }) => `${file}: ${itemOf(file).outcome} ${itemOf(file).reason ?? ''}`).join('\n'),
    );
  });

  it('R2: archives end as they are, and what they hold is examined', () => {
    const found = hostileIndex(hostile).files.filter(({ file }) => file.startsWith('gen/archive/'));
    for (const { file } of found) {
      const item = itemOf(file);
      const [outcome, why] = ARCHIVES[path.basename(file)] ?? [];
      assert.ok(outcome !== undefined, `no expectation for ${file}`);
      assert.ok(
        [outcome].flat().includes(item.outcome),
        `${file} (${why}): ${item.outcome} ${item.reason ?? ''} ${item.reasonDetail ?? ''}`,
      );
    }
    const inside = report.items.filter((item) => item.path.startsWith(path.join(hostile, 'gen/archive/ok.zip!/')));
    assert.ok(
      inside.some(({ outcome }) => outcome === 'done'),
      'nothing of ok.zip was examined',
    );
  });

  it('R3: pictures that would take minutes or gigabytes end as a limit', () => {
    const limits: readonly (ReasonCode | null)[] = [
      'cpuLimit',
      'timeLimit',
      'memoryLimit',
      'pixelLimit',
      'dimensionLimit',
      'tooLarge',
    ];
    for (const file of [
      'gen/bomb/png-30000x30000-1bit.png',
      'gen/bomb/png-16000x16000-1bit.png',
      'found/png-8x12320776-139bytes.png',
    ]) {
      assert.ok(limits.includes(itemOf(file).reason), `${file}: ${itemOf(file).outcome} ${itemOf(file).reason ?? ''}`);
    }
    // Cut after its two thousand scans: read to its end where the machine is fast enough, given up where it is not.
    const { outcome, reason } = itemOf('gen/bomb/jpeg-prog-2000scans.jpg');
    assert.ok(outcome === 'rejected' || limits.includes(reason), `${outcome} ${reason ?? ''}`);
    const inside = (archive: string) => report.items.filter((item) => item.path.includes(`${archive}!/`));
    assert.ok(inside('overlap-bomb.zip').filter(({ reason }) => reason === 'duplicateOffset').length > 300);
    assert.ok(inside('nested30.zip').some(({ reason }) => reason === 'archiveDepth'));
    assert.ok(inside('many.zip').length <= ENTRIES_ALLOWED + 1, `${inside('many.zip').length} entries of many.zip`);
  });

  it(`R2: each of ${MUTANTS} mutated pictures has one item with outcome`, (t) => {
    const found = inFolder(folder.at('mutants'));
    const tally = Map.groupBy(found, ({ outcome }) => outcome);
    t.diagnostic([...tally].map(([outcome, of]) => `${outcome} ${of.length}`).join(', '));
    assert.equal(found.filter((item) => !item.path.includes('!/')).length, MUTANTS);
    assert.ok(
      (tally.get('done')?.length ?? 0) > 100 &&
        (tally.get('partial')?.length ?? 0) > 100 &&
        (tally.get('rejected')?.length ?? 0) > 100,
    );
  });

  it('R11: odd entries end as their maker expects, as an ordinary user and as root', () => {
    const root = folder.at('odd');
    const byName = new Map(
      inFolder(root).map((item) => {
        const whole = item.pathHex === null ? Buffer.from(item.path) : Buffer.from(item.pathHex, 'hex');
        return [whole.subarray(Buffer.byteLength(root) + 1).toString('hex'), item];
      }),
    );
    assert.ok(odd.length >= 30);
    for (const { name_hex: name, expected } of odd) {
      const item = byName.get(name);
      const shown = `${JSON.stringify(Buffer.from(name, 'hex').toString('latin1'))} (${expected}): ${item?.outcome ?? 'no item'} ${item?.reason ?? ''}`;
      if (/^directory|^300 nested/.test(expected) || (expected.includes('walk goes on') && process.getuid?.() === 0)) {
        assert.equal(item, undefined, shown);
      } else if (/symlink/.test(expected)) assert.equal(item?.reason, 'symbolicLink', shown);
      else if (/FIFO|socket/.test(expected)) assert.equal(item?.reason, 'specialFile', shown);
      else if (/empty/.test(expected)) assert.equal(item?.reason, 'empty', shown);
      else if (/too big/.test(expected)) assert.equal(item?.reason, 'tooLarge', shown);
      else if (/permission/.test(expected) && process.getuid?.() !== 0) assert.equal(item?.reason, 'permission', shown);
      else assert.equal(item?.outcome, 'done', shown);
    }
  });

  it('R11: names that are not UTF-8 come back as their bytes, and both spellings of é are kept', () => {
    const latin = report.items.find((item) => item.pathHex !== null && item.path.startsWith(folder.at('odd')));
    assert.ok(latin?.pathHex?.endsWith(Buffer.from('latin1-\xe9\xff.jpg', 'latin1').toString('hex')));
    for (const name of ['e\u0301-nfd.jpg', '\u00e9-nfd.jpg'])
      assert.equal(items.get(folder.at('odd', name))?.length, 1);
  });

  it('R11, S9: no escape sequence of a file name reaches the terminal or the page', () => {
    for (const text of [run.stdout, run.stderr, readFileSync(folder.at('page.html'), 'utf8')])
      assert.equal(text.includes('\u001b'), false);
  });

  function itemOf(file: string): ReportItem {
    const [item] = items.get(path.join(hostile, file)) ?? [];
    assert.ok(item, file);
    return item;
  }
});

function hostileIndex(folder: string): { readonly files: readonly { file: string; expected: { outcome: string } }[] } {
  const index: unknown = JSON.parse(readFileSync(path.join(folder, 'index.json'), 'utf8'));
  assert.ok(HostileIndex.Check(index));
  return index;
}

function makeOddFiles(folder: string): OddEntry[] {
  const picture = requireShared('data/hostile/gen/valid/jpeg-base.jpg');
  return execFileSync('python3', [requireShared('tools/make-fs-odd.py'), folder, picture], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line): OddEntry => JSON.parse(line))
    .filter(({ expected }) => !expected.startsWith('not creatable'));
}

async function makeMutants(folder: string): Promise<void> {
  mkdirSync(folder);
  const originals: [string, Buffer][] = [];
  for (let seed = 0; seed < 5; seed++) {
    for (const [format, bytes] of await drawnInEveryFormat(seed, { widthPixels: 96, heightPixels: 72 }))
      originals.push([format, bytes]);
  }
  const random = randomUnits(SEED);
  for (let at = 0; at < MUTANTS; at++) {
    const [format, bytes] = originals[at % originals.length] ?? ['none', Buffer.alloc(0)];
    writeFileSync(path.join(folder, `${at}.${format}`), mutated(bytes, random));
  }
}

/** One to three of: a bit turned, a byte set, bytes removed, repeated or zeroed, the end cut off. */
function mutated(original: Buffer, random: () => number): Buffer {
  let bytes = Buffer.from(original);
  const place = (): number => Math.floor((random() < 0.3 ? 0.1 : 1) * random() * bytes.length);
  for (let times = 1 + Math.floor(random() * 3); times > 0; times--) {
    const at = place();
    const length = 1 + Math.floor(random() * 40);
    const kind = Math.floor(random() * 6);
    if (kind === 0) bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(random() * 8));
    else if (kind === 1) bytes[at] = Math.floor(random() * 256);
    else if (kind === 2) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
    else if (kind === 3) bytes = Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)]);
    else if (kind === 4) bytes.subarray(at, at + length).fill(0);
    else bytes = bytes.subarray(0, at);
  }
  return bytes;
}
