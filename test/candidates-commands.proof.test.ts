import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { listCandidates } from '../engine/candidates/list.ts';
import { recordPictures } from './candidate-kit.ts';
import { runCli, TestFolder, withData } from './cli-kit.ts';

/** One data folder for all: what a command does rests on what those before it did. */
describe('candidates and unseen, from the command line', () => {
  let folder: TestFolder;
  let data: string;
  before(async () => {
    folder = await TestFolder.make();
    data = folder.at('data');
    const camera = { make: 'Maker', model: 'M 1', bodySerialNumber: '48217' };
    await withData(data, async (db) => {
      await recordPictures(db, [
        { name: 'one', capture: camera },
        { name: 'two', capture: { ...camera, gps: { latitudeDegrees: 1, longitudeDegrees: 2, altitudeMetres: null } } },
        { name: 'alone' },
      ]);
    });
  });
  after(async () => await folder[Symbol.asyncDispose]());

  const run = async (...args: string[]) => await runCli([...args, '--data', data, '--as', 'tester']);
  const json = async (...args: string[]): Promise<unknown> => {
    const { code, stdout, stderr } = await run(...args, '--json');
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout);
  };

  it('lists what nobody has seen, richest in clues first, with reasons and without file names', async () => {
    const { code, stdout } = await run('unseen', 'list');
    assert.equal(code, 0);
    assert.match(stdout, /3 contents that nobody has seen/);
    assert.match(stdout, /1\. .*\n {3}a position where it was taken \(\+6\), the serial number of the camera \(\+5\)/);
    assert.doesNotMatch(stdout, /evidence|two\.jpg/);
  });

  it('finds a proposal, tells why it stands, makes it a series and takes that back', async () => {
    assert.match((await run('candidates', 'find')).stdout, /3 unmatched contents looked at: 1 new proposal/);
    const shown = await run('candidates', 'show', '1');
    assert.match(shown.stdout, /name one camera or lens by its serial number/);
    assert.doesNotMatch(shown.stdout, /evidence|one\.jpg/);
    const accepted = await json('candidates', 'accept', '1', '--series', 'garden');
    assert.deepEqual(accepted, { changeId: 1, candidateIds: [1], seriesId: 1 });
    const refused = await run('candidates', 'dismiss', '1');
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /^HW_CANDIDATE_STATE/);
    await json('candidates', 'undo', '1');
    const [listed] = await withData(data, async (db) => await listCandidates(db, { state: 'proposed', limit: 10 }));
    assert.deepEqual([listed?.candidateId, listed?.media], [1, 2]);
  });

  it('S3: records every act with who did it and on which proposal', async () => {
    const acts = await withData(data, async (db) =>
      db.query<{ line: string }>(
        `select entry->>'operation' || ' ' || (entry->>'action') || ' ' || (entry->>'actor') || ' ' || (entry->'objects')::text as line
           from audit_entry where entry->>'outcome' = 'done' order by sequence`,
      ),
    );
    const lines = acts.map(({ line }) => line);
    assert.ok(lines.includes('combination candidates find tester ["proposal 1"]'), lines.join('\n'));
    assert.ok(lines.includes('alteration candidates accept tester ["proposal 1", "series 1"]'), lines.join('\n'));
    assert.ok(lines.includes('alteration candidates undo tester ["proposal 1"]'), lines.join('\n'));
  });

  it('compares faces only with what the law asks for', async () => {
    const { code, stderr } = await run('candidates', 'find', '--faces', '--authority', 'order 17');
    assert.equal(code, 2);
    assert.match(stderr, /^HW_USAGE.*--necessity/);
  });
});
