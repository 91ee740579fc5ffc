import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import sharp from 'sharp';
import type { Db } from '../engine/store/db.ts';
import type { Report, ReportItem } from '../schemas/report.ts';
import { drawnJpeg } from '../workers/decode/test-encoded-pictures.ts';
import {
  type Finished,
  hostsOf,
  killHard,
  readReport,
  runCli,
  startCli,
  supervisorOf,
  TestFolder,
  untilProgress,
  withData,
} from './cli-kit.ts';
import { needsShared, requireShared } from './shared-data.ts';

const SIZE = { widthPixels: 640, heightPixels: 480 };
const GROUNDS = ['--faces', '--authority', 'order 17/2026', '--necessity', 'the victims are not identified yet'];

/** The middle of a drawing, saved again: far from it by every perceptual hash. */
async function middleOf(seed: number): Promise<Buffer> {
  return await sharp(await drawnJpeg(seed, SIZE))
    .extract({ left: 128, top: 96, width: 384, height: 288 })
    .jpeg({ quality: 70 })
    .toBuffer();
}

/** A data folder whose nets were built once, so that each test starts with them. */
describe('a scan with models', { timeout: 900_000 }, () => {
  let folder: TestFolder;
  const homeward = async (...args: readonly string[]): Promise<Finished> =>
    await runCli([...args, '--data', folder.at('data')], { HOMEWARD_SCRATCH: folder.at('scratch') });
  const scan = async (name: string, ...more: readonly string[]): Promise<Report> => {
    const report = folder.at(`${name}.json`);
    const done = await homeward('scan', folder.at(name), '--case', name, '--report', report, ...more);
    assert.equal(done.code, 0, done.stderr.slice(-2000));
    return readReport(readFileSync(report, 'utf8'));
  };
  const itemOf = (report: Report, name: string): ReportItem => {
    const item = report.items.find((one) => path.basename(one.path) === name);
    assert.ok(item, `${name} in the report`);
    return item;
  };
  const countRuns = async (): Promise<number> =>
    await withData(folder.at('data'), async (db: Db) => {
      const [counted] = await db.query<{ runs: number }>('select count(*) as runs from embedding_run');
      return counted?.runs ?? 0;
    });

  before(async () => {
    folder = await TestFolder.make();
    for (const name of ['own', 'seizure']) mkdirSync(folder.at(name));
    for (const seed of [1, 2, 3]) writeFileSync(folder.at('own', `${seed}.jpg`), await drawnJpeg(seed, SIZE));
    writeFileSync(folder.at('seizure', 'edited.jpg'), await middleOf(1));
    writeFileSync(folder.at('seizure', 'other.jpg'), await drawnJpeg(40, SIZE));
    writeFileSync(folder.at('seizure', 'words.txt'), 'no picture');
  });
  after(async () => await folder[Symbol.asyncDispose]());

  it('builds the packs by itself, and looks at every picture once', async () => {
    const report = await scan('own');
    assert.deepEqual([report.models?.done, report.models?.left, report.models?.faceSearch], [3, 0, null]);
    assert.equal(report.batch.complete, true);
    assert.deepEqual(
      report.batch.stages.map(({ stage, state }) => `${stage} ${state}`),
      ['hashes complete', 'models complete'],
    );
    assert.ok(report.items.every((item) => item.models?.outcome === 'done' && item.models.facesFound === null));
    const runs = await countRuns();
    await scan('own', '--resume');
    assert.equal(await countRuns(), runs);
  });

  it('finds an edited copy of a picture of a series, which no hash finds, and makes a lead of it', async () => {
    for (const args of [
      ['series', 'create', 'harbour'],
      ['series', 'add', 'harbour', '--from-batch', 'own/'],
    ]) {
      const done = await homeward(...args);
      assert.equal(done.code, 0, done.stderr);
    }
    const report = await scan('seizure');
    const edited = itemOf(report, 'edited.jpg');
    assert.deepEqual([edited.standing, edited.matches.length], ['unseen', 0]);
    const [match] = edited.models?.matches ?? [];
    assert.equal(`${match?.method} of ${match?.series}`, 'copy of harbour');
    assert.ok(match !== undefined && match.distance <= match.threshold);
    assert.deepEqual(itemOf(report, 'other.jpg').models?.matches, []);
    assert.equal(itemOf(report, 'words.txt').models, null);
    assert.deepEqual(report.models?.matched, [{ method: 'copy', media: 1 }]);
    const explained = await homeward('explain', `v${match.matchId}`);
    assert.equal(explained.code, 0, explained.stderr);
    assert.match(explained.stdout, /mobilenet-v2-copy/);
  });

  it('finds in material scanned before what a series has learned since, without reading it again', async () => {
    const before = await scan('later', ...(await laterMaterial()));
    assert.equal(itemOf(before, 'middle.jpg').models?.matches.length, 0);
    const runs = await countRuns();
    writeFileSync(folder.at('own', '50.jpg'), await drawnJpeg(50, SIZE));
    await scan('own');
    const added = await homeward('series', 'add', 'harbour', '--from-batch', 'own/');
    assert.equal(added.code, 0, added.stderr);
    const after = await scan('later');
    assert.equal(itemOf(after, 'middle.jpg').models?.matches[0]?.series, 'harbour');
    assert.equal(await countRuns(), runs + 1);
  });

  const laterMaterial = async (): Promise<string[]> => {
    mkdirSync(folder.at('later'));
    writeFileSync(folder.at('later', 'middle.jpg'), await middleOf(50));
    return [];
  };

  it('R1: stops cleanly in the second stage, and goes on where it stopped', async () => {
    mkdirSync(folder.at('many'));
    for (let seed = 100; seed < 124; seed += 1)
      writeFileSync(folder.at('many', `${seed}.jpg`), await drawnJpeg(seed, SIZE));
    const args = ['scan', folder.at('many'), '--case', 'many', '--data', folder.at('data')];
    const cli = startCli([...args, '--report', folder.at('stopped.json')]);
    assert.ok(await untilProgress(cli, (line) => line.stage === 'models' && line.read >= 2));
    cli.process.kill('SIGINT');
    const stopped = await cli.finished;
    assert.equal(stopped.code, 130, stopped.stderr.slice(-1000));
    const half = readReport(readFileSync(folder.at('stopped.json'), 'utf8'));
    assert.deepEqual([half.batch.complete, half.counts.items], [false, 24]);
    assert.ok(half.models !== null && half.models.left > 0 && half.models.done >= 2);
    const whole = await scan('many', '--resume');
    assert.deepEqual([whole.batch.complete, whole.models?.done, whole.models?.left], [true, 24, 0]);
  });

  it('R1: killed in the second stage and resumed, it has the rows of an undisturbed run', async () => {
    for (const name of ['killed', 'undisturbed']) mkdirSync(folder.at(name));
    for (let seed = 300; seed < 324; seed += 1) {
      const bytes = await drawnJpeg(seed, SIZE);
      writeFileSync(folder.at('killed', `${seed}.jpg`), bytes);
      // Other contents of the same pixels: vectors of one content would be recorded once for both.
      writeFileSync(folder.at('undisturbed', `${seed}.jpg`), Buffer.concat([bytes, Buffer.from('end')]));
    }
    for (const resumed of [false, true, true]) {
      const cli = startCli([
        ...['scan', folder.at('killed'), '--case', 'killed', '--data', folder.at('data')],
        ...(resumed ? ['--resume'] : []),
      ]);
      await untilProgress(cli, (line) => line.stage === 'models' && line.read >= 1);
      killHard(supervisorOf(cli)?.pid ?? 0);
      await cli.finished;
    }
    const whole = await scan('killed', '--resume');
    assert.deepEqual([whole.batch.complete, whole.models?.done, whole.models?.left], [true, 24, 0]);
    await scan('undisturbed');
    const rowsOf = async (name: string): Promise<unknown> =>
      await withData(folder.at('data'), async (db: Db) => {
        const [counted] = await db.query(
          `select count(distinct r.media_id) as runs, count(v.space_ref) as vectors, count(distinct v.media_id) as pictures,
                  (select count(*) from picture_keypoints k where k.media_id in (select i.media_id from item i join batch b on b.batch_id = i.batch_id where b.case_ref = $1)) as keypoints
             from item i join batch b on b.batch_id = i.batch_id and b.case_ref = $1
             join embedding_run r on r.media_id = i.media_id left join picture_vector v on v.media_id = i.media_id`,
          [name],
        );
        return counted;
      });
    assert.deepEqual(await rowsOf('killed'), await rowsOf('undisturbed'));
  });

  it('R4: loses nothing when a host is killed while a net runs', async () => {
    mkdirSync(folder.at('crash'));
    for (let seed = 200; seed < 212; seed += 1)
      writeFileSync(folder.at('crash', `${seed}.jpg`), await drawnJpeg(seed, SIZE));
    const report = folder.at('crash.json');
    const cli = startCli(['scan', folder.at('crash'), '--data', folder.at('data'), '--report', report]);
    assert.ok(await untilProgress(cli, (line) => line.stage === 'models' && line.read >= 1));
    const hosts = hostsOf(cli).filter(({ command }) => command.includes('--packs'));
    assert.ok(hosts.length > 0);
    for (const { pid } of hosts) process.kill(pid, 'SIGSEGV');
    const done = await cli.finished;
    assert.equal(
      done.code,
      0,
      done.stderr
        .split('\n')
        .filter((line) => !line.startsWith('{'))
        .join('\n'),
    );
    const { models } = readReport(readFileSync(report, 'utf8'));
    assert.deepEqual([models?.done, models?.failed, models?.left], [12, 0, 0]);
  });

  it('asks for an authority and a necessity before it looks for faces, and not beside --hash-only', async () => {
    for (const options of [
      ['--faces'],
      ['--faces', '--authority', 'x'],
      ['--authority', 'x'],
      ['--hash-only', '--faces'],
    ]) {
      const refused = await homeward('scan', folder.at('own'), ...options);
      assert.equal(`${refused.code} ${/HW_USAGE/.test(refused.stderr)}`, '2 true', options.join(' '));
    }
  });

  it('looks for faces where the configuration allows it for the case, and records under what', async () => {
    const faces = { authority: 'order 3/2026', necessity: 'as ordered for the whole case' };
    writeFileSync(folder.at('policy.json'), JSON.stringify({ cases: [{ case: 'own', faces, skipKnown: false }] }));
    const report = await scan('own', '--config', folder.at('policy.json'));
    assert.deepEqual(report.models?.faceSearch, faces);
    const [entry] = await withData(
      folder.at('data'),
      async (db: Db) =>
        await db.query<{ purpose: string; justification: string }>(
          "select entry->>'purpose' as purpose, entry->>'justification' as justification from audit_entry where entry->>'action' = 'scan' order by sequence desc limit 1",
        ),
    );
    assert.deepEqual(entry, { purpose: 'search for faces under order 3/2026', justification: faces.necessity });
    assert.equal((await scan('seizure', '--config', folder.at('policy.json'))).models?.faceSearch, null);
  });

  it('finds a known subject in other pictures, and nobody else', needsShared, async () => {
    const faces = requireShared('data/faces');
    const copy = (into: string, person: string, numbers: readonly number[]): void => {
      mkdirSync(folder.at(into), { recursive: true });
      for (const number of numbers) {
        const name = `${person}__${person}_${String(number).padStart(4, '0')}.jpg`;
        copyFileSync(path.join(faces, name), folder.at(into, name));
      }
    };
    copy('known-face', 'Ariel_Sharon', [1]);
    copy('seized-faces', 'Ariel_Sharon', [2, 3, 4]);
    copy('seized-faces', 'Colin_Powell', [1, 2, 3]);
    const known = await scan('known-face', ...GROUNDS);
    assert.equal(known.models?.faces, 1);
    const sha256 = known.items[0]?.sha256 ?? '';
    for (const args of [
      ['series', 'create', 'lantern'],
      ['series', 'add', 'lantern', '--subject', 'V1', '--kind', 'victim', '--face', `${sha256}#0`],
    ]) {
      const done = await homeward(...args);
      assert.equal(done.code, 0, done.stderr);
    }
    const report = await scan('seized-faces', ...GROUNDS);
    // Somebody may stand in the background.
    assert.ok((report.models?.faces ?? 0) >= 6);
    assert.equal(report.models?.faceSearch?.authority, 'order 17/2026');
    for (const item of report.items) {
      const matches = (item.models?.matches ?? []).map(({ method, series, reference }) => [method, series, reference]);
      const isPerson = item.path.includes('Ariel_Sharon');
      assert.deepEqual(matches, isPerson ? [['face', 'lantern', 'V1']] : [], path.basename(item.path));
    }
    const leads = await homeward('leads', 'list', '--json');
    assert.match(leads.stdout, /[Aa]dults only/);
  });
});
