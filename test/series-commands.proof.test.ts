import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { listAudit } from '../engine/audit/list.ts';
import { addCamera } from '../engine/series/add-camera.ts';
import { createSeries } from '../engine/series/create.ts';
import { addPicture, BY, sha256Of } from '../engine/series/test-series-kit.ts';
import { SeriesChanged, SeriesDetail } from '../schemas/series.ts';
import { runCli, TestFolder, withData } from './cli-kit.ts';

const checkChanged = Compile(SeriesChanged);
const checkShown = Compile(Type.Array(SeriesDetail));

describe('homeward series', () => {
  it('S3: makes, fills, links and undoes series, each step audited and in a closed form', async () => {
    await using folder = await TestFolder.make();
    const data = folder.at('data');
    await withData(data, async (db) => {
      for (const name of ['a', 'b']) await addPicture(db, name, 2);
      await createSeries(db, BY, { name: 'harbour', source: 'Unit B' });
      const camera = { reference: 'C1', make: 'Nikon', model: null, bodySerial: '00-9876XY', lensSerial: null };
      await createSeries(db, BY, { name: 'harbour', source: 'Unit 7' });
      await addCamera(db, BY, { name: 'harbour', source: 'Unit 7' }, camera);
    });
    const [a, b] = [sha256Of('a'), sha256Of('b')];
    const series = async (...args: string[]) =>
      await runCli(['series', ...args, '--data', data, '--as', 'A. Examiner', '--organisation', 'Unit 7']);
    const changed = async (...args: string[]): Promise<SeriesChanged> => {
      const run = await series(...args, '--json');
      assert.equal(run.code, 0, `${args.join(' ')}: ${run.stderr}`);
      const printed: unknown = JSON.parse(run.stdout);
      assert.ok(checkChanged.Check(printed), run.stdout);
      return printed;
    };

    await changed('create', 'lantern', '--reason', 'told by telephone');
    await changed('add', 'harbour', '--subject', 'V1', '--kind', 'victim', '--face', `${a.toUpperCase()}#0`, `${b}#1`);
    const link = await changed(
      'link',
      'harbour',
      '--with',
      'harbour',
      '--with-source',
      'Unit B',
      '--reason',
      'same jetty',
    );
    const undone = await changed('undo', 'harbour', '--reason', 'another jetty');
    assert.deepEqual([undone.changeId, undone.action], [link.changeId, 'undo link']);

    const twoOfOne = await series('add', 'harbour', '--subject', 'V1', '--face', `${a}#1`);
    assert.equal(twoOfOne.code, 2);
    assert.match(twoOfOne.stderr, /^HW_SERIES_FACES: expected at most one face/m);

    const shown = await series('show', 'harbour', '--json');
    const details: unknown = JSON.parse(shown.stdout);
    assert.ok(checkShown.Check(details), shown.stdout);
    const ours = details.find((one) => one.source === 'Unit 7');
    assert.deepEqual([ours?.subjects[0]?.faces, ours?.cameras[0]?.bodySerial, ours?.links.length], [2, '9876XY', 0]);
    const masked = await series('show', 'harbour');
    assert.match(masked.stdout, /subject V1 \(victim\): 2 faces in 2 pictures/);
    assert.match(masked.stdout, /undone by A\. Examiner/);
    for (const word of ['harbour', 'same jetty', '9876XY'])
      assert.ok(!masked.stdout.includes(word), `${word} in ${masked.stdout}`);
    const revealed = await series('show', 'harbour', '--reveal');
    for (const word of ['harbour', 'same jetty', '9876XY']) assert.ok(revealed.stdout.includes(word), word);

    const entries = await withData(data, async (db) => await Array.fromAsync(listAudit(db, 'Unit 7')));
    const ended = entries.filter((entry) => entry.outcome !== 'started');
    assert.deepEqual(
      ended.map((entry) => [entry.operation, entry.action, entry.outcome]),
      [
        ['alteration', 'series create', 'done'],
        ['alteration', 'series add', 'done'],
        ['combination', 'series link', 'done'],
        ['alteration', 'series undo', 'done'],
        ['alteration', 'series add', 'refused'],
        ['consultation', 'series show', 'done'],
        ['consultation', 'series show', 'done'],
        ['consultation', 'series show with names revealed', 'done'],
      ],
    );
    assert.deepEqual(ended[3]?.objects, [`series ${undone.seriesId}`, `series change ${undone.changeId}`]);
    assert.equal(ended[3]?.justification, 'another jetty');
    assert.ok(!JSON.stringify(entries).includes(a), 'a digest is in the audit trail');
  });

  it('refuses what cannot be meant, says what to do, and changes nothing', async () => {
    await using folder = await TestFolder.make();
    // None of these opens a database.
    const wrong: readonly (readonly [readonly string[], RegExp])[] = [
      [['add', 'x'], /^HW_USAGE: expected what to add/m],
      [['add', 'x', '--media', 'abc'], /expected a SHA-256 of 64 hexadecimal digits/],
      [['add', 'x', '--subject', 'V1', '--face', 'abc#64'], /expected a face as SHA256#NUMBER/],
      [['add', 'x', '--subject', 'V1', '--place', 'P1'], /^HW_USAGE: .*received --place too/m],
      [['identified', 'x', 'perhaps'], /Allowed choices are yes, no, partly, unknown/],
    ];
    for (const [args, message] of wrong) {
      const run = await runCli(['series', ...args, '--data', folder.at('data')]);
      assert.equal(run.code, 2, args.join(' '));
      assert.match(run.stderr, message);
      assert.equal(run.stdout, '');
    }
  });
});
