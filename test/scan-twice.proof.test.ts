import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import sharp from 'sharp';
import { Compile } from 'typebox/compile';
import type { ProgressLine } from '../schemas/progress.ts';
import type { Report, ReportItem } from '../schemas/report.ts';
import { drawing, drawnJpeg, mirroredJpeg } from '../workers/decode/test-encoded-pictures.ts';
import {
  type Finished,
  progressLines,
  readReport,
  recordedRows,
  runCli,
  startCli,
  TestFolder,
  withData,
} from './cli-kit.ts';

/** PDQ tells turned copies of pictures below its 512 samples less surely: up to 42 bits apart at 192 x 144 pixels. */
const KNOWN_SIZE = { widthPixels: 600, heightPixels: 450 };

const published = (name: string) => {
  const schema = JSON.parse(readFileSync(path.join(import.meta.dirname, '..', 'schemas', 'json', name), 'utf8'));
  return Compile(schema);
};

describe('a seizure scanned, and scanned again', { timeout: 900_000 }, () => {
  let folder: TestFolder;
  let first: Finished;
  let report: Report;
  let second: Finished;
  let secondReport: Report;
  const scan = (...more: string[]): Promise<Finished> =>
    runCli([
      'scan',
      '--hash-only',
      folder.at('seizure'),
      '--case',
      'C-1',
      '--exhibit',
      '7',
      '--as',
      'examiner',
      '--data',
      folder.at('data'),
      ...more,
    ]);
  const item = (of: Report, name: string): ReportItem => {
    const found = of.items.filter((one) => one.path === folder.at('seizure', name));
    assert.equal(found.length, 1, `${name}: ${found.length} items`);
    const [only] = found;
    assert.ok(only);
    return only;
  };

  before(async () => {
    folder = await TestFolder.make();
    mkdirSync(folder.at('own'));
    mkdirSync(folder.at('seizure'));
    for (const seed of [201, 202, 203])
      writeFileSync(folder.at('own', `${seed}.jpg`), await drawnJpeg(seed, KNOWN_SIZE));
    const seizure: Record<string, Buffer> = {
      'known.jpg': await drawnJpeg(201, KNOWN_SIZE),
      'mirrored.jpg': await mirroredJpeg(202, KNOWN_SIZE),
      'encoded anew.jpg': await drawnJpeg(203, KNOWN_SIZE, 45),
      'turned.png': await drawing(202, KNOWN_SIZE).rotate(180).png().toBuffer(),
      'unseen.jpg': await drawnJpeg(301),
      'twin a.jpg': await drawnJpeg(302),
      'twin b.jpg': await drawnJpeg(302),
      'changing.jpg': await drawnJpeg(303),
      'cut.jpg': (await drawnJpeg(304)).subarray(0, 3_000),
      'note.txt': Buffer.from('no picture\n'),
      'empty.jpg': Buffer.alloc(0),
    };
    for (const [name, bytes] of Object.entries(seizure)) writeFileSync(folder.at('seizure', name), bytes);
    const md5 = createHash('md5')
      .update(await drawnJpeg(201, KNOWN_SIZE))
      .digest('hex');
    writeFileSync(folder.at('desk.csv'), `md5,category (vic-us),series\n${md5},2,Holiday\n`);
    const made = await runCli([
      'hashset',
      'make',
      folder.at('own'),
      '--series',
      'S-44',
      '--out',
      folder.at('own.ndjson'),
      '--data',
      folder.at('data'),
    ]);
    assert.equal(made.code, 0, made.stderr);
    const imported = await runCli([
      'hashset',
      'import',
      folder.at('own.ndjson'),
      '--source',
      'Unit 7',
      '--data',
      folder.at('data'),
      '--json',
    ]);
    assert.equal(imported.code, 0, imported.stderr);
    first = await scan(
      '--known',
      folder.at('desk.csv'),
      '--json',
      '--report',
      folder.at('first.json'),
      '--html',
      folder.at('first.html'),
    );
    assert.equal(first.code, 0, first.stderr);
    report = readReport(first.stdout);
    second = await scan('--report', folder.at('second.json'));
    secondReport = readReport(readFileSync(folder.at('second.json'), 'utf8'));
  });
  after(async () => await folder[Symbol.asyncDispose]());

  it('--json prints one report on stdout and nothing else, the same as --report writes', () => {
    assert.deepEqual(JSON.parse(first.stdout), JSON.parse(readFileSync(folder.at('first.json'), 'utf8')));
  });

  it('the report satisfies the published schema, and each item that of an item', () => {
    const schema = published('report.schema.json');
    assert.ok(schema.Check(report), JSON.stringify(schema.Errors(report).slice(0, 2)));
    const itemSchema = published('report-item.schema.json');
    for (const one of report.items) assert.ok(itemSchema.Check(one), one.path);
  });

  it('stderr of a pipe holds progress lines of the published schema, the last one finished', () => {
    const schema = published('progress.schema.json');
    const lines = first.stderr.split('\n').filter((line) => line !== '');
    for (const line of lines) assert.ok(schema.Check(JSON.parse(line)), line);
    const states: boolean[] = lines.map((line): ProgressLine => JSON.parse(line)).map(({ finished }) => finished);
    assert.deepEqual(states, [...states.slice(1).fill(false), true]);
    assert.equal(progressLines(first.stderr).at(-1)?.known, 1);
  });

  it('identical content is known, whoever recorded it, and the breakdown names source, scheme and code', () => {
    const { standing, matches } = item(report, 'known.jpg');
    assert.equal(standing, 'known');
    assert.ok(
      matches.some(
        (match) =>
          match.source === 'Unit 7' && match.series === 'S-44' && match.method === 'sha256' && match.distance === 0,
      ),
    );
    assert.ok(
      matches.some(
        (match) => match.method === 'md5' && match.category?.scheme === 'vic-us' && match.category.code === '2',
      ),
    );
    assert.equal(report.counts.known, 1);
    const bySource = report.counts.knownBy
      .filter(({ known }) => known > 0)
      .map(({ source, scheme, code, known }) => ({ source, scheme, code, known }));
    assert.equal(bySource.length, 2);
    assert.ok(
      bySource.some(
        ({ source, scheme, code, known }) =>
          source === 'desk.csv' && scheme === 'vic-us' && code === '2' && known === 1,
      ),
      JSON.stringify(bySource),
    );
  });

  it('a mirrored, a turned and a re-encoded copy are near duplicates, each with its orientation', () => {
    const nearest = (name: string) => item(report, name).matches.toSorted((a, b) => a.distance - b.distance)[0];
    for (const [name, orientation] of [
      ['mirrored.jpg', 'flipY'],
      ['turned.png', 'rot180'],
      ['encoded anew.jpg', 'original'],
    ] as const) {
      assert.equal(item(report, name).standing, 'nearDuplicate', name);
      const match = nearest(name);
      assert.equal(match?.orientation, orientation, name);
      assert.ok(match.distance <= match.threshold && match.series === 'S-44', JSON.stringify(match));
    }
    assert.equal(report.counts.nearDuplicate, 3);
  });

  it('what nobody recorded is unseen, and what was not examined says so', () => {
    assert.equal(item(report, 'unseen.jpg').standing, 'unseen');
    assert.deepEqual([item(report, 'note.txt').outcome, item(report, 'note.txt').reason], ['notExamined', 'text']);
    assert.deepEqual([item(report, 'empty.jpg').outcome, item(report, 'empty.jpg').reason], ['rejected', 'empty']);
    assert.equal(item(report, 'cut.jpg').outcome, 'partial');
    assert.equal(report.counts.examinedItems, 9);
    assert.equal(report.counts.items, 11);
  });

  it('one content under two names is one media and two items', () => {
    assert.equal(item(report, 'twin a.jpg').sha256, item(report, 'twin b.jpg').sha256);
    assert.equal(report.counts.media, report.counts.items - 1);
  });

  it('a report names operator, case, exhibit, sets with digest, and versions', () => {
    const { operator, caseRef, exhibitRef, complete } = report.batch;
    assert.deepEqual([operator, caseRef, exhibitRef, complete], ['examiner', 'C-1', '7', true]);
    const digest = createHash('sha256')
      .update(readFileSync(folder.at('own.ndjson')))
      .digest('hex');
    assert.ok(
      report.sets.some(({ source, sha256, records }) => source === 'Unit 7' && sha256 === digest && records === 3),
    );
    assert.match(report.engine.decoders.join(), /sharp/);
  });

  it('scanning it again adds nothing and says so', () => {
    assert.equal(second.code, 0, second.stderr);
    assert.deepEqual(secondReport.counts.added, { items: 0, media: 0, matches: 0 });
    assert.match(second.stdout, /added nothing to the database/);
    assert.equal(secondReport.batch.batchId, report.batch.batchId);
    assert.deepEqual(secondReport.items, report.items);
  });

  it('reproduce makes the report again and agrees, and names what differs in one that was altered', async () => {
    const altered = structuredClone(report);
    for (const one of altered.items) if (one.path.endsWith('mirrored.jpg')) one.sha256 = '0'.repeat(64);
    writeFileSync(folder.at('altered.json'), JSON.stringify(altered));
    const reproduce = (name: string) => runCli(['reproduce', folder.at(name), '--data', folder.at('data')]);
    const [agreed, differed] = [await reproduce('first.json'), await reproduce('altered.json')];
    assert.equal(agreed.code, 0, agreed.stderr);
    assert.match(agreed.stdout, new RegExp(`^Reproduced: all ${report.counts.items} items and every figure agree`));
    assert.equal(differed.code, 4, differed.stderr);
    assert.match(differed.stdout, /^HW_REPORT_DIFFERS: /);
    assert.match(differed.stdout, /^ {2}missing now: .*mirrored\.jpg 0{64}"$/m);
    assert.match(differed.stdout, /^ {2}not in the report: .*mirrored\.jpg [0-9a-f]{64}"$/m);
  });

  it('a file that changed in place is a second item beside the first', async () => {
    writeFileSync(folder.at('seizure', 'changing.jpg'), await drawnJpeg(305));
    const run = await scan('--json');
    assert.equal(run.code, 0, run.stderr);
    const changed = readReport(run.stdout);
    assert.deepEqual(changed.counts.added, { items: 1, media: 1, matches: 0 });
    assert.equal(changed.items.filter((one) => one.path === folder.at('seizure', 'changing.jpg')).length, 2);
  });

  it('--fast is marked in the report, in each fingerprint and in each match', async () => {
    const run = await runCli([
      'scan',
      '--hash-only',
      folder.at('seizure'),
      '--fast',
      '--json',
      '--data',
      folder.at('fast'),
      '--known',
      folder.at('own.ndjson'),
    ]);
    assert.equal(run.code, 0, run.stderr);
    const fast = readReport(run.stdout);
    assert.equal(fast.batch.mode, 'fast');
    assert.equal(item(fast, 'mirrored.jpg').standing, 'nearDuplicate');
    const rows = await withData(folder.at('fast'), recordedRows);
    for (const line of [...rows.fingerprints, ...rows.matches]) assert.match(line, /"mode":"fast"/);
    assert.ok(rows.matches.length > 0);
  });

  it('wrong use ends with 2, a database that is not there with 3, and each says what to do', async () => {
    const runs = await Promise.all([
      runCli(['scan', '--hash-only', folder.at('seizure'), '--no-such-option']),
      runCli(['scan', '--hash-only', folder.at('not there'), '--data', folder.at('other')]),
      runCli(['hashset', 'export', 'own', '--format', 'ndjson', '--data', folder.at('data')]),
      runCli(['scan', '--hash-only', folder.at('seizure')], {
        HOMEWARD_DATABASE_URL: 'postgresql://homeward@127.0.0.1:9/homeward',
      }),
    ]);
    assert.deepEqual(
      runs.map(({ code }) => code),
      [2, 2, 2, 3],
    );
    for (const [at, code] of [
      'HW_USAGE',
      'HW_PATH_NOT_FOUND',
      'HW_PURPOSE_REQUIRED',
      'HW_DATABASE_UNREACHABLE',
    ].entries()) {
      assert.match(runs[at]?.stderr ?? '', new RegExp(`^${code}: `, 'm'));
      assert.equal(runs[at]?.stdout, '');
    }
  });

  it('goes on to its end when whoever read its output has gone away', async () => {
    const data = ['--data', folder.at('unread')];
    const cli = startCli(['scan', '--hash-only', folder.at('seizure'), ...data, '--report', folder.at('unread.json')]);
    cli.process.stdout?.destroy();
    cli.process.stderr?.destroy();
    assert.equal((await cli.finished).code, 0);
    const unread = readReport(readFileSync(folder.at('unread.json'), 'utf8'));
    assert.equal(unread.counts.items, report.counts.items);
  });

  it('items that failed end the scan with 4', async () => {
    writeFileSync(folder.at('tight.json'), JSON.stringify({ fileBudget: { cpuTimeMs: 100, wallTimeMs: 1_000 } }));
    mkdirSync(folder.at('heavy'));
    // Small to read, which gets time of its own, and large to decode.
    const background = { r: 90, g: 120, b: 30 };
    writeFileSync(
      folder.at('heavy', 'large.png'),
      await sharp({ create: { width: 9_500, height: 9_500, channels: 3, background }, limitInputPixels: false })
        .png({ compressionLevel: 9 })
        .toBuffer(),
    );
    const run = await runCli([
      'scan',
      '--hash-only',
      folder.at('heavy'),
      '--json',
      '--config',
      folder.at('tight.json'),
      '--data',
      folder.at('heavy-data'),
    ]);
    assert.equal(run.code, 4, run.stderr);
    assert.match(readReport(run.stdout).items[0]?.reason ?? '', /^(cpu|time)Limit$/);
  });
});
