import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { listAudit } from '../engine/audit/list.ts';
import { type Finished, runCli, TestFolder, withData } from './cli-kit.ts';

const WHY = ['--purpose', 'oversight', '--recipient', 'Authority', '--justification', 'yearly inspection'];

/** Two installations: the unit whose audit it is, and another one that keeps copies. What a command does rests on those before it. */
describe('the audit, from the command line', () => {
  let folder: TestFolder;
  const at = (name: string): string => folder.at(name);
  const unit = async (...args: string[]): Promise<Finished> =>
    await runCli(['audit', ...args, '--data', at('unit'), '--as', 'auditor', '--organisation', 'Unit 7']);
  const other = async (...args: string[]): Promise<Finished> =>
    await runCli(['audit', ...args, '--data', at('other'), '--as', 'keeper', '--organisation', 'Unit 8']);
  before(async () => {
    folder = await TestFolder.make();
  });
  after(async () => await folder[Symbol.asyncDispose]());

  const ended = (finished: Finished, code: number, text: RegExp): void => {
    assert.match(finished.stdout + finished.stderr, text);
    assert.equal(finished.code, code);
  };

  it('signs nothing without a key, makes one, and signs', async () => {
    ended(await unit('checkpoint'), 2, /^HW_AUDIT_KEY: .*homeward audit key init/);
    const made = await unit('key', 'init');
    ended(made, 0, /-----BEGIN PUBLIC KEY-----/);
    assert.doesNotMatch(made.stdout + made.stderr, /PRIVATE/);
    await writeFile(at('unit.pem'), made.stdout);
    ended(await unit('key', 'init'), 2, /^HW_AUDIT_KEY/);
    ended(await unit('checkpoint', '--out', at('copies.json')), 0, /Code: ([0-9A-Z]{4}-){6}[0-9A-Z]\n/);
  });

  it('S4: another organisation keeps copies, and hands them to whoever verifies', async () => {
    ended(await other('witness', at('copies.json')), 0, /Unit 7, \d+ entries, .* kept, the first one/);
    ended(await other('witness', at('unit.pem')), 2, /^HW_AUDIT_WITNESS/);
    ended(await other('witness', '--of', 'Unit 7', '--out', at('kept.json')), 0, /^$/);
    const [, code = ''] = /entries of|Code: (\S+)/.exec((await unit('checkpoint')).stdout) ?? [];
    ended(await unit('witness', '--code', code), 0, /made here/);
    ended(await other('witness', '--code', code), 2, /^HW_AUDIT_WITNESS.*never here/);
  });

  it('S3: reads and hands out the audit only with a reason, and records both', async () => {
    ended(await unit('list'), 2, /^HW_PURPOSE_REQUIRED/);
    ended(await unit('list', '--justification', 'quarterly review', '--limit', '2'), 0, /^1 {2}.*\n2 {2}.*\n$/);
    ended(await unit('export', '--out', at('export.ndjson')), 2, /^HW_PURPOSE_REQUIRED/);
    ended(await unit('export', '--out', at('export.ndjson'), ...WHY), 0, /entries written to .*\nCode of the last/);
    const acts = await withData(at('unit'), async (db) => await Array.fromAsync(listAudit(db, 'Unit 7')));
    assert.deepEqual(
      acts
        .filter((act) => act.outcome === 'done')
        .map((act) => [act.operation, act.action, act.justification, act.recipient])
        .slice(-2),
      [
        ['consultation', 'audit list', 'quarterly review', null],
        ['disclosure', 'audit export', 'yearly inspection', 'Authority'],
      ],
    );
  });

  it('S4: verifies the export against key and copies, and says what is wrong with a changed one', async () => {
    const known = ['--key', at('unit.pem'), '--witness', at('kept.json')];
    ended(await runCli(['audit', 'verify', at('export.ndjson'), ...known]), 0, /^WHOLE: \d+ entries of "Unit 7"/);
    const text = await readFile(at('export.ndjson'), 'utf8');
    await writeFile(at('forged.ndjson'), text.replace('"actor":"auditor"', '"actor":"nobody"'));
    ended(
      await runCli(['audit', 'verify', at('forged.ndjson'), ...known]),
      4,
      /^BROKEN at line \d+: entry 1 was changed/,
    );
    ended(await runCli(['audit', 'verify', at('export.ndjson'), '--key', at('kept.json')]), 2, /^HW_AUDIT_EXPORT/);
  });

  it('S4: proves one entry, which the verifier tells from a changed one', async () => {
    ended(await unit('prove', '2', '--out', at('entry.json'), ...WHY), 0, /Entry 2 and its proof written/);
    const key = ['--key', at('unit.pem')];
    ended(await runCli(['audit', 'verify', at('entry.json'), ...key]), 0, /^WHOLE: entry 2 is under/);
    await writeFile(at('forged.json'), (await readFile(at('entry.json'), 'utf8')).replace('"auditor"', '"nobody"'));
    ended(await runCli(['audit', 'verify', at('forged.json'), ...key]), 4, /^BROKEN: The entry was edited/);
  });

  it('changes its key, and shows no alarm where there is none', async () => {
    ended(await unit('key', 'change', '--justification', 'yearly'), 0, /BEGIN PUBLIC KEY/);
    ended(await unit('key', 'list'), 0, /to \d{4}-.* the first\n.*to now {2}endorsed/);
    ended(await unit('alarms'), 0, /No alarm is open/);
    ended(await unit('alarms', '--clear', '1'), 2, /^HW_PURPOSE_REQUIRED/);
    ended(await unit('export', '--out', at('later.ndjson'), ...WHY), 0, /entries written/);
    ended(await runCli(['audit', 'verify', at('later.ndjson'), '--key', at('unit.pem')]), 0, /^WHOLE/);
  });
});
