import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import sharp from 'sharp';
import { drawnJpeg } from '../workers/decode/test-encoded-pictures.ts';
import { readReport, runCli, startCli, TestFolder, untilProgress } from './cli-kit.ts';
import { needsServer, openTestServerDb } from './store-engines.ts';

/** Enough that a scan by one host is still at it when the series has changed. */
const PICTURES = 120;

describe('a scan on a server beside which somebody works', { ...needsServer, timeout: 600_000 }, () => {
  let folder: TestFolder;
  let url: string;
  let close: () => Promise<void>;
  const args = (...given: readonly string[]): string[] => [...given, '--data', folder.at('data')];
  const environment = (): Record<string, string> => ({
    HOMEWARD_DATABASE_URL: url,
    HOMEWARD_SCRATCH: folder.at('scratch'),
  });

  before(async () => {
    folder = await TestFolder.make();
    const server = await openTestServerDb();
    url = server.url;
    close = async () => await server.db.close();
    for (const name of ['own', 'seizure']) mkdirSync(folder.at(name));
    const known = await drawnJpeg(1, { widthPixels: 640, heightPixels: 480 });
    writeFileSync(folder.at('own', 'known.jpg'), known);
    // The first to be looked at, and recorded long before the last.
    writeFileSync(folder.at('seizure', '000.jpg'), await sharp(known).jpeg({ quality: 60 }).toBuffer());
    for (let number = 1; number < PICTURES; number += 1)
      writeFileSync(folder.at('seizure', `${String(number).padStart(3, '0')}.jpg`), await drawnJpeg(1000 + number));
    for (const command of [
      ['scan', folder.at('own'), '--case', 'own'],
      ['series', 'create', 'harbour'],
    ]) {
      const done = await runCli(args(...command), environment());
      assert.equal(done.code, 0, done.stderr);
    }
  });
  after(async () => {
    await close();
    await folder[Symbol.asyncDispose]();
  });

  it('finds what a series learned after most of it had been looked at', async () => {
    const report = folder.at('report.json');
    const scan = startCli(args('scan', folder.at('seizure'), '--hosts', '1', '--report', report), environment());
    assert.ok(await untilProgress(scan, (line) => line.stage === 'models' && line.read >= 40));
    const added = await runCli(args('series', 'add', 'harbour', '--from-batch', 'own/'), environment());
    assert.equal(added.code, 0, added.stderr);
    const done = await scan.finished;
    assert.equal(done.code, 0, done.stderr.slice(-1000));
    const item = readReport(readFileSync(report, 'utf8')).items.find((one) => path.basename(one.path) === '000.jpg');
    assert.deepEqual(
      item?.models?.matches.map(({ method, series }) => `${method} ${series}`),
      ['copy harbour'],
    );
  });
});
