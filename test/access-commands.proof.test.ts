import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { openAccess } from '../engine/access/open-access.ts';
import { listAudit } from '../engine/audit/list.ts';
import { type Finished, runCli, TestFolder, withData } from './cli-kit.ts';

const UNIT = 'Regional unit 7';
const KEY = /^hw_[0-9a-f]{16}_[0-9a-f]{64}$/m;
const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/;
const AGREED = [
  ...['--tier', 'accredited', '--purpose', 'victim-identification', '--modality', 'digest', 'perceptual'],
  ...['--daily', '100', '--per-minute', '10', '--from', '2026-01-01', '--until', '2999-12-31'],
];

describe('the commands of access', { timeout: 1_200_000 }, () => {
  let folder: TestFolder;
  const outputs: string[] = [];
  const run = async (as: string, ...args: string[]): Promise<Finished> => {
    const finished = await runCli([...args, '--data', folder.at('data'), '--organisation', UNIT, '--as', as]);
    outputs.push(finished.stdout, finished.stderr);
    return finished;
  };
  const done = async (as: string, ...args: string[]): Promise<string> => {
    const finished = await run(as, ...args);
    assert.equal(finished.code, 0, finished.stderr);
    return finished.stdout;
  };
  const refused = async (code: string, as: string, ...args: string[]): Promise<void> => {
    const finished = await run(as, ...args);
    assert.equal(finished.code, 2);
    assert.match(finished.stderr, new RegExp(`^${code}`));
  };
  before(async () => {
    folder = await TestFolder.make();
  });
  after(async () => await folder[Symbol.asyncDispose]());

  it('S5: lets a partner in once an agreement was added, evaluated and activated by two people, and no longer once it was revoked', async () => {
    assert.match(await done('first', 'admin', 'init', 'unit-7'), KEY);
    await refused('HW_ACCESS_EXISTS', 'first', 'admin', 'init', 'unit-8');
    await done('first', 'organisation', 'add', 'lab-north', '--name', 'Laboratory north');
    await refused('HW_PURPOSE_UNKNOWN', 'first', 'agreement', 'add', 'lab-north', ...AGREED);
    await done(
      'first',
      ...['purpose', 'add', 'victim-identification', '--description', 'find out who a victim is'],
      ...['--reviewed-by', 'data protection', '--reviewed-on', '2026-01-01'],
    );
    const id = UUID.exec(await done('first', 'agreement', 'add', 'lab-north', ...AGREED))?.[0] ?? '';
    const presented =
      KEY.exec(await done('first', 'key', 'add', 'lab-north', '--label', 'intake', '--role', 'lab'))?.[0] ?? '';
    await refused(
      'HW_USAGE',
      'first',
      'key',
      'add',
      'lab-north',
      '--label',
      'tool',
      '--role',
      'lab',
      '--standing-purpose',
      'victim-identification',
    );
    await done(
      'first',
      ...['key', 'add', 'lab-north', '--label', 'tool', '--role', 'lab', '--standing-purpose', 'victim-identification'],
      ...['--standing-justification', 'hands in what the lab has imaged'],
    );
    assert.match(await done('first', 'key', 'list'), /tool of lab-north, lab, of a tool for victim-identification/);
    const ask = async () =>
      await withData(folder.at('data'), async (db) => {
        const access = await openAccess(db);
        try {
          return (await access.memberOfKey(presented)).agreement?.agreementId ?? null;
        } catch (error) {
          return error instanceof Error && 'code' in error ? error.code : error;
        } finally {
          await access.close();
        }
      });
    assert.equal(await ask(), 'HW_AGREEMENT_ENDED');
    await refused('HW_ACCESS_RULE', 'second', 'agreement', 'activate', id);
    const evaluation = ['--criteria', 'criteria 3', '--findings', 'all met', '--review-on', '2998-12-31'];
    await done('first', 'agreement', 'evaluate', id, ...evaluation);
    await refused('HW_ACCESS_RULE', 'First', 'agreement', 'activate', id);
    await done('second', 'agreement', 'activate', id);
    assert.equal(await ask(), id);
    const caseId = UUID.exec(await done('first', 'case', 'open', 'lab-north', '2026-1'))?.[0] ?? '';
    await done('first', 'case', 'assign', caseId, '--of', 'lab-north', '--label', 'intake');
    assert.match(await done('first', 'case', 'list'), /2026-1 of lab-north, open, 1 members, 0 batches/);
    await done('first', 'agreement', 'revoke', id, '--reason', 'no longer needed');
    assert.equal(await ask(), 'HW_AGREEMENT_ENDED');
    await done('first', 'key', 'revoke', presented.slice(3, 19));
    assert.equal(await ask(), 'HW_UNAUTHENTICATED');
    for (const what of ['organisation', 'agreement', 'key', 'purpose']) {
      const listed: unknown = JSON.parse(await done('first', what, 'list', '--json'));
      assert.ok(Array.isArray(listed) && listed.length > 0);
    }
    assert.equal(outputs.filter((text) => text.includes(presented)).length, 1, 'a key is shown once');
  });

  it('S3: enters each of them in the audit trail, with who and what, and no secret', async () => {
    const entries = await withData(folder.at('data'), async (db) => await Array.fromAsync(listAudit(db, UNIT)));
    const of = (action: string) =>
      entries.filter((one) => one.action === action).map(({ actor, outcome }) => `${actor} ${outcome}`);
    assert.deepEqual(of('agreement activate'), [
      ...['second started', 'second refused', 'First started', 'First refused', 'second started', 'second done'],
    ]);
    assert.deepEqual(of('key revoke'), ['first started', 'first done']);
    assert.ok(!JSON.stringify(entries).match(/hw_[0-9a-f]{16}_/));
  });
});
