import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Compile } from 'typebox/compile';
import { listAudit } from '../engine/audit/list.ts';
import { verifyChain } from '../engine/audit/verify/chain.ts';
import { CustodyReport } from '../schemas/custody.ts';
import { GovernanceReport } from '../schemas/governance.ts';
import { drawnJpeg, jpegWithCameraText } from '../workers/decode/test-encoded-pictures.ts';
import { filesWith } from './case-kit.ts';
import {
  type Finished,
  killHard,
  readReport,
  runCli,
  startCli,
  supervisorOf,
  TestFolder,
  withData,
} from './cli-kit.ts';

const UNIT = 'Unit A';
const STAFF = 'J. Mustermann';
const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');

describe('custody, erasure and governance by command', { timeout: 900_000 }, () => {
  let folder: TestFolder;
  let files: Record<string, Buffer>;
  const common = (): string[] => ['--data', folder.at('data'), '--organisation', UNIT, '--as', STAFF];
  const homeward = async (...args: string[]): Promise<Finished> =>
    await runCli([...args, ...common()], { HOMEWARD_SCRATCH: folder.at('scratch') });
  const scan = async (name: string, caseRef: string, ...more: string[]) => {
    const out = folder.at(`${name}.json`);
    const run = await homeward(
      ...['scan', folder.at(name), '--case', caseRef, '--exhibit', '7', '--hash-only', '--report', out, ...more],
    );
    assert.equal(run.code, 0, run.stderr);
    return { run, report: readReport(readFileSync(out, 'utf8')) };
  };
  const manifestOf = (of: Record<string, Buffer>): string =>
    sha256(
      Object.entries(of)
        .map(([name, bytes]) => `${sha256(folder.at('seizure', name))} ${bytes.length} ${sha256(bytes)}\n`)
        .sort()
        .join(''),
    );

  before(async () => {
    folder = await TestFolder.make();
    mkdirSync(folder.at('seizure'));
    mkdirSync(folder.at('other'));
    files = {
      'marked-name-one.jpg': await jpegWithCameraText(701, { Make: 'MarkedMake', Model: 'MarkedModel' }),
      'marked-name-two.jpg': await drawnJpeg(702),
      'marked-name-three.txt': Buffer.from('no picture'),
    };
    for (const [name, bytes] of Object.entries(files)) writeFileSync(folder.at('seizure', name), bytes);
    writeFileSync(folder.at('other', 'stays.jpg'), await drawnJpeg(703));
    writeFileSync(folder.at('other', 'shared.jpg'), files['marked-name-two.jpg'] ?? '');
  });
  after(async () => await folder[Symbol.asyncDispose]());

  it('a scan records the digest of its source, which the files alone give again, and a change is shown', async () => {
    const first = await scan('seizure', 'C-1');
    assert.equal(first.report.custody?.sha256, manifestOf(files));
    assert.deepEqual([first.report.custody.changed, first.report.custody.sha256Before], [false, null]);
    const again = await scan('seizure', 'C-1', '--resume');
    assert.deepEqual([again.report.custody?.changed, again.report.custody?.sha256], [false, manifestOf(files)]);
    const changed = { ...files, 'marked-name-three.txt': Buffer.from('another text') };
    writeFileSync(folder.at('seizure', 'marked-name-three.txt'), changed['marked-name-three.txt']);
    const third = await scan('seizure', 'C-1');
    assert.deepEqual(
      [third.report.custody?.changed, third.report.custody?.sha256, third.report.custody?.sha256Before],
      [true, manifestOf(changed), manifestOf(files)],
    );
    assert.match(third.run.stdout, /The source has changed/);
    const listed = await homeward('custody', 'list', '--case', 'C-1', '--json');
    const custody: unknown = JSON.parse(listed.stdout);
    assert.ok(Compile(CustodyReport).Check(custody));
    assert.deepEqual([custody.chain.whole, custody.chain.events, custody.changed], [true, 3, 1]);
    assert.match((await homeward('custody', 'list', '--case', 'C-1')).stdout, /CHANGED, was/);
  });

  it('the digest of a single file is that of the file, beside the one told at its hand-over', async () => {
    const file = folder.at('other', 'stays.jpg');
    const digest = sha256(readFileSync(file));
    const told = ['--from', 'Store', '--to', 'Lab', '--place', 'Room 14', '--reason', 'imaging'];
    const added = await homeward(
      ...['custody', 'add', '--case', 'C-2', '--exhibit', '7', ...told, '--sha256-after', digest],
    );
    assert.equal(added.code, 0, added.stderr);
    const { report } = await scan(path.join('other', 'stays.jpg'), 'C-2');
    assert.deepEqual(report.custody, {
      sequence: 2,
      digestOf: 'file',
      sha256: digest,
      sha256Before: digest,
      changed: false,
    });
    await scan('other', 'C-2');
  });

  it('a closure killed at each of its steps goes on, and leaves nothing of the case in any file of the data folder', async () => {
    const found = (needle: string | Buffer) => [...filesWith(folder.at('data'), Buffer.from(needle))];
    const gone = ['marked-name', Buffer.from(sha256(files['marked-name-one.jpg'] ?? ''), 'hex'), 'MarkedModel'];
    for (const needle of gone) assert.ok(found(needle).length > 0, String(needle));
    const close = ['case', 'close', '--case', 'C-1', '--outcome', 'no-offence', '--justification', 'decision 17'];
    for (const said of ['Deleted.', 'Written anew.']) {
      const cli = startCli([...close, '--backups-gone-by', '2027-01-31', ...common()], {
        HOMEWARD_SCRATCH: folder.at('scratch'),
      });
      while (!cli.stderrSoFar().includes(said) && cli.process.exitCode === null) await sleep(5);
      killHard(supervisorOf(cli)?.pid ?? assert.fail(`gone before it said ${said}: ${cli.stderrSoFar()}`));
      await cli.finished;
      const listed = await homeward('case', 'material');
      assert.match(listed.stdout, /C-1: .*ERASURE NOT FINISHED/);
    }
    const closed = await homeward(...close);
    assert.equal(closed.code, 0, closed.stderr);
    assert.match(closed.stdout, /Erased .*: 4 items, 3 contents/);
    assert.match(closed.stdout, /gone by 2027-01-31/);
    assert.doesNotMatch(closed.stdout, /Left to you/);
    for (const needle of gone) assert.deepEqual(found(needle), [], String(needle));
    const shared = Buffer.from(sha256(files['marked-name-two.jpg'] ?? ''), 'hex');
    assert.ok(found(shared).length > 0, 'another case holds it');
    const again = await homeward(...close);
    assert.equal(again.stdout, closed.stdout, 'what was erased is told as it was');
  });

  it('the audit trail is whole after it and names counts and the commitment; custody stays without digests', async () => {
    const entries = await withData(folder.at('data'), async (db) => await Array.fromAsync(listAudit(db, UNIT)));
    assert.equal((await verifyChain(entries)).whole, true);
    const erasure = entries.filter((entry) => entry.operation === 'erasure');
    assert.deepEqual(
      erasure.map((entry) => entry.outcome),
      ['started', 'started', 'started', 'done', 'started', 'done'],
    );
    const objects = erasure[3]?.objects ?? [];
    assert.ok(objects.includes('item 4') && objects.some((one) => /^commitment [0-9a-f]{64}$/.test(one)));
    assert.doesNotMatch(JSON.stringify(entries), /marked-name/);
    const custody = await homeward('custody', 'list', '--case', 'C-1');
    assert.match(custody.stdout, /digests erased with the case/);
    assert.match(custody.stdout, /3 events, whole, 3 of them without their digests/);
  });

  it('a governor is told of it without names, and the asking is recorded', async () => {
    const run = await homeward('governance', 'report', '--period', String(new Date().getUTCFullYear()), '--json');
    assert.equal(run.code, 0, run.stderr);
    const told: unknown = JSON.parse(run.stdout);
    assert.ok(Compile(GovernanceReport).Check(told));
    assert.deepEqual([told.scans.ended, told.custody.changedDigests >= 0, told.erasures.length], [5, true, 1]);
    assert.deepEqual([told.erasures[0]?.items, told.erasures[0]?.backupsGoneBy], [4, '2027-01-31']);
    assert.doesNotMatch(run.stdout, /Mustermann/);
    const text = await homeward('governance', 'report', '--period', String(new Date().getUTCFullYear()));
    assert.match(text.stdout, /consultation, governance report, no purpose: 1,/);
  });
});
