import assert from 'node:assert/strict';
import { readFileSync, realpathSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Report } from '../schemas/report.ts';
import { type Finished, readReport, runCli, TestFolder, withData } from './cli-kit.ts';
import { needsShared, requireShared } from './shared-data.ts';

/** Damaged, lying and odd files, this time all the way through the nets. */
describe('R2, R3: everything hostile goes through the models', { ...needsShared, timeout: 1_100_000 }, () => {
  let folder: TestFolder;
  let run: Finished;
  let report: Report;

  before(async () => {
    folder = await TestFolder.make();
    writeFileSync(folder.at('config.json'), JSON.stringify({ archiveBudget: { entries: 200 } }));
    run = await runCli(
      [
        'scan',
        realpathSync(requireShared('data/hostile')),
        ...['--faces', '--authority', 'test', '--necessity', 'damaged files'],
        ...['--config', folder.at('config.json'), '--data', folder.at('data'), '--report', folder.at('report.json')],
      ],
      { HOMEWARD_SCRATCH: folder.at('scratch') },
    );
    report = readReport(readFileSync(folder.at('report.json'), 'utf8'));
  });
  after(async () => await folder[Symbol.asyncDispose]());

  it('to the end, with nothing left', (t) => {
    assert.ok(run.code === 0 || run.code === 4, `${run.code}: ${run.stderr.slice(-2000)}`);
    assert.equal(report.batch.complete, true);
    assert.equal(report.models?.left, 0);
    const { done = 0, partial = 0, rejected = 0, failed = 0 } = report.models ?? {};
    t.diagnostic(`contents: ${done} done, ${partial} partial, ${rejected} rejected, ${failed} failed`);
    assert.ok(done > 100);
  });

  it('with an outcome for every file in which the first stage found a picture, and none for the others', () => {
    for (const { path: place, widthPixels, outcome, models } of report.items) {
      const isPicture = widthPixels !== null && (outcome === 'done' || outcome === 'partial');
      assert.equal(models !== null, isPicture, place);
    }
  });

  it('and no host died of one twice', () => {
    const died = report.items.filter(({ models }) => models?.reason === 'hostCrashed' || models?.reason === 'internal');
    assert.deepEqual(
      died.map(({ path: place, models }) => `${path.basename(place)} ${models?.reason}`),
      [],
    );
  });

  it('and every stored vector is of length 1', async () => {
    await withData(folder.at('data'), async (db) => {
      for (const table of ['picture_vector', 'face_vector']) {
        const [counted] = await db.query<{ all: number; odd: number }>(
          `select count(*) as all, count(*) filter (where not vector_norm(embedding) between 0.999 and 1.001) as odd from ${table}`,
        );
        assert.ok((counted?.all ?? 0) > 0, table);
        assert.equal(counted?.odd, 0, table);
      }
    });
  });
});
