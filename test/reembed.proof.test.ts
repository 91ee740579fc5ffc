import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import sharp from 'sharp';
import { listAudit } from '../engine/audit/list.ts';
import { PackFolder, tinyManifest, tinyNet } from '../models/registry/test-kit.ts';
import { drawnJpeg } from '../workers/decode/test-encoded-pictures.ts';
import { type Finished, readReport, runCli, TestFolder, withData } from './cli-kit.ts';

/** A pack that describes a picture by the means of its colours, in two versions that do the same. */
describe('homeward models reembed', { timeout: 600_000 }, () => {
  let folder: TestFolder;
  let packs: PackFolder;
  const homeward = async (...args: readonly string[]): Promise<Finished> =>
    await runCli([...args, '--data', folder.at('data'), '--config', folder.at('config.json')], {
      HOMEWARD_SCRATCH: folder.at('scratch'),
    });
  const done = async (...args: readonly string[]): Promise<Finished> => {
    const finished = await homeward(...args);
    assert.equal(finished.code, 0, `${finished.stdout}\n${finished.stderr}`);
    return finished;
  };
  const install = async (version: string): Promise<void> => {
    const net = tinyNet();
    const thresholds = [
      {
        use: 'match',
        score: 0.9999,
        falseMatchRate: null,
        falseMatchRateUpper95: null,
        precision: null,
        calibratedOn: 'made for a test',
      },
    ] as const;
    const manifest = tinyManifest(net, { version, thresholds: [...thresholds] });
    await done('models', 'install', await packs.write(`tiny-${version}`, manifest, net));
  };
  /** The distance at which the copy in `name` was tied to the series, by which pack; null where it was not. */
  const matchIn = async (name: string): Promise<string | null> => {
    const report = readReport(readFileSync(folder.at(`${name}.json`), 'utf8'));
    return report.items.flatMap((item) => item.models?.matches ?? []).map((match) => match.series)[0] ?? null;
  };
  const scan = async (name: string): Promise<Finished> =>
    await done('scan', folder.at(name), '--case', name, '--report', folder.at(`${name}.json`));
  const modelMatches = async (): Promise<number> =>
    await withData(folder.at('data'), async (db) => {
      const [counted] = await db.query<{ count: number }>('select count(*) as count from model_match');
      return counted?.count ?? 0;
    });

  before(async () => {
    folder = await TestFolder.make();
    packs = await PackFolder.make();
    for (const name of ['own', 'new']) mkdirSync(folder.at(name));
    const known = await drawnJpeg(1);
    writeFileSync(folder.at('own', 'known.jpg'), known);
    writeFileSync(folder.at('own', 'other.jpg'), await drawnJpeg(2));
    writeFileSync(folder.at('new', 'again.png'), await sharp(known).png().toBuffer());
    const models = { copyEmbeddings: ['tiny'], placeEmbeddings: [], faceEmbeddings: [] };
    writeFileSync(folder.at('config.json'), JSON.stringify({ models }));
    await install('1.0.0');
    await scan('own');
    await done('series', 'create', 'harbour');
    await done('series', 'add', 'harbour', '--from-batch', 'own/');
    await install('2.0.0');
  });
  after(async () => {
    await folder[Symbol.asyncDispose]();
    await packs[Symbol.asyncDispose]();
  });

  it('is asked for by a scan with a pack in another version, which finds nothing by it until then', async () => {
    const { stderr } = await scan('new');
    assert.match(stderr, /^Not searched yet: tiny 2\.0\.0, .*homeward models reembed/m);
    assert.equal(await matchIn('new'), null);
  });

  it('changes nothing that is searched while some of the material is not there', async () => {
    renameSync(folder.at('own'), folder.at('taken away'));
    const finished = await homeward('models', 'reembed');
    renameSync(folder.at('taken away'), folder.at('own'));
    assert.equal(finished.code, 4, finished.stderr);
    assert.match(finished.stdout, /tiny@2\.0\.0\/embedding: 0 of 2 pictures looked at, 2 of what is known/);
    assert.match(finished.stdout, /^Not there: .*own\. /m);
    assert.equal(await modelMatches(), 0);
  });

  it('looks at everything again, goes over to the new version, and says what that finds in material scanned before', async () => {
    const { stdout } = await done('models', 'reembed');
    assert.match(stdout, /tiny@2\.0\.0\/embedding: 2 of 2 pictures looked at$/m);
    assert.match(stdout, /^Searched from now on/m);
    assert.equal(await modelMatches(), 1);
    await scan('new');
    assert.equal(await matchIn('new'), 'harbour');
  });

  it('has nothing to do a second time, and deletes the old vectors when it is told to', async () => {
    const { stdout } = await done('models', 'reembed', '--drop-old');
    assert.match(stdout, /^Nothing to do/m);
    assert.match(stdout, /^Deleted: tiny@1\.0\.0\/embedding\.$/m);
  });

  it('is recorded, with the spaces it filled', async () => {
    const acts: string[] = [];
    await withData(folder.at('data'), async (db) => {
      for await (const { action, outcome, objects } of listAudit(db, 'local')) {
        if (action === 'models reembed' && outcome !== 'started')
          acts.push(`${outcome}: ${objects.slice(0, 1).join()}`);
      }
    });
    assert.deepEqual(acts, [
      'done: tiny@2.0.0/embedding',
      'done: tiny@2.0.0/embedding',
      'done: tiny@1.0.0/embedding deleted',
    ]);
  });
});
