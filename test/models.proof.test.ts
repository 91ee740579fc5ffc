import assert from 'node:assert/strict';
import { existsSync, readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { listAudit } from '../engine/audit/list.ts';
import { NOT_A_NUMBER, PackFolder, tinyManifest, tinyNet } from '../models/registry/test-kit.ts';
import { type Finished, runCli, TestFolder, withData } from './cli-kit.ts';

describe('homeward models', { timeout: 600_000 }, () => {
  let folder: TestFolder;
  let packs: PackFolder;
  const homeward = async (...args: readonly string[]): Promise<Finished> =>
    await runCli([...args, '--data', folder.at('data')], { HOMEWARD_SCRATCH: folder.at('scratch') });
  const nets = (): string[] => readdirSync(folder.at('data', 'models')).filter((name) => name.endsWith('.onnx'));
  const netTimes = (): number[] => nets().map((name) => statSync(folder.at('data', 'models', name)).mtimeMs);

  before(async () => {
    folder = await TestFolder.make();
    packs = await PackFolder.make();
  });
  after(async () => {
    await folder[Symbol.asyncDispose]();
    await packs[Symbol.asyncDispose]();
  });

  it('list shows the shipped packs before anything is built', async () => {
    const { code, stdout } = await homeward('models', 'list');
    assert.equal(code, 0);
    assert.match(stdout, /dlib-128 +1\.0\.0 +faceEmbedding +shipped +not built yet +MIT/);
    assert.equal(existsSync(folder.at('data')), false);
  });

  it('verify of all says which are not built, with an exit code that asks for a look', async () => {
    const { code, stdout } = await homeward('models', 'verify');
    assert.equal(code, 4);
    assert.match(stdout, /blazeface .*not built yet/);
  });

  it('build converts every net once, tells how far it is, and a second time does nothing and says so', async () => {
    const first = await homeward('models', 'build');
    assert.equal(first.code, 0, first.stderr);
    assert.match(first.stdout, /Converted 6 nets, tried 7 packs/);
    const lines = first.stderr
      .split('\n')
      .flatMap((line) => (line.startsWith('{"kind":"models"') ? [JSON.parse(line)] : []));
    assert.deepEqual([lines.at(-1).finished, lines.at(-1).done, lines.at(-1).total], [true, 13, 13]);
    assert.equal(nets().length, 6);
    const before = netTimes();
    const second = await homeward('models', 'build');
    assert.equal(second.code, 0, second.stderr);
    assert.match(second.stdout, /Nothing to do/);
    assert.deepEqual(netTimes(), before);
  });

  it('verify runs the self-test of a pack, and refuses it where its net was damaged, until it is built again', async () => {
    const good = await homeward('models', 'verify', 'blazeface');
    assert.equal(good.code, 0, good.stderr);
    assert.match(good.stdout, /blazeface .*ready/);
    const smallest = nets().toSorted(
      (one, other) =>
        statSync(folder.at('data', 'models', one)).size - statSync(folder.at('data', 'models', other)).size,
    )[0];
    assert.ok(smallest !== undefined);
    truncateSync(folder.at('data', 'models', smallest), 1000);
    const damaged = await homeward('models', 'verify', 'blazeface');
    assert.equal(damaged.code, 2);
    assert.match(damaged.stderr, /^HW_MODEL_FILE: .*homeward models build/m);
    assert.match((await homeward('models', 'build')).stdout, /Converted 1 net, tried 0 packs/);
  });

  it('card says what a pack was trained on and that children are not covered', async () => {
    const { stdout } = await homeward('models', 'card', 'dlib-128');
    assert.match(stdout, /## Trained on/);
    assert.match(stdout, /[Cc]hildren/);
    assert.match(stdout, /threshold \(match\): score 0\.917, false-match rate 0\.02 %/);
  });

  it('install takes a pack of the operator where its licence is accepted, and remove takes it away', async () => {
    const net = tinyNet();
    const free = tinyManifest(net);
    const manifest = { ...free, licence: { ...free.licence, id: 'LicenseRef-Lab', acceptance: 'required' } };
    const from = await packs.write('tiny', manifest, net, '# Means\n\u001b[31mred\n');
    const refused = await homeward('models', 'install', from);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /^HW_MODEL_LICENCE: .*--accept-licence.*Free to use/m);
    const installed = await homeward('models', 'install', from, '--accept-licence');
    assert.equal(installed.code, 0, installed.stderr);
    assert.match((await homeward('models', 'list')).stdout, /tiny +1\.0\.0 +copyEmbedding +installed +not tried yet/);
    assert.match((await homeward('models', 'verify', 'tiny')).stdout, /tiny .*ready/);
    assert.ok(!(await homeward('models', 'card', 'tiny')).stdout.includes('\u001b'));
    assert.equal((await homeward('models', 'remove', 'tiny')).code, 0);
    assert.match((await homeward('models', 'card', 'tiny')).stderr, /^HW_MODEL_NOT_FOUND/m);
  });

  it('install refuses a net that gives no numbers, and nothing of it stays', async () => {
    const net = tinyNet({ nodes: NOT_A_NUMBER });
    const refused = await homeward(
      'models',
      'install',
      await packs.write('nan', tinyManifest(net, { id: 'nan' }), net),
    );
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /^HW_MODEL_SELF_TEST: .*NaN/m);
    assert.doesNotMatch((await homeward('models', 'list')).stdout, /installed/);
  });

  it('records building, installing and removing in the audit trail, refusals and the licence included', async () => {
    const acts: string[] = [];
    const objects: string[] = [];
    await withData(folder.at('data'), async (db) => {
      for await (const { action, operation, outcome, objects: named } of listAudit(db, 'local')) {
        if (outcome !== 'started') acts.push(`${operation} ${action} ${outcome}`);
        objects.push(...named);
      }
    });
    assert.deepEqual(acts, [
      'alteration models build done',
      'alteration models build done',
      'alteration models install refused',
      'alteration models install done',
      'alteration models remove done',
      'alteration models install refused',
    ]);
    for (const object of ['model pack dlib-128 1.0.0', 'model pack tiny 1.0.0', 'licence LicenseRef-Lab accepted'])
      assert.ok(objects.includes(object), object);
  });

  it('doctor says what inference runs on, which packs hold, and what is wrong with the models of a configuration', async () => {
    const good = await homeward('doctor');
    assert.match(good.stdout, /ok +inference +onnxruntime [\d.]+ on cpu/);
    assert.match(good.stdout, /ok +model packs .*dlib-128.*as their manifests say/);
    writeFileSync(folder.at('wrong.json'), JSON.stringify({ models: { detector: 'dlib-128' } }));
    const wrong = await homeward('doctor', '--config', folder.at('wrong.json'));
    assert.equal(wrong.code, 3);
    assert.match(wrong.stdout, /FAIL models +HW_CONFIG_INVALID: .*dlib-128/);
  });

  it('index has nothing to do where what is searched fits into memory, and says so', async () => {
    const { code, stdout, stderr } = await homeward('models', 'index');
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^Nothing to do/);
  });

  it('config show prints the models, and a setting that nobody knows is refused', async () => {
    assert.match((await homeward('config', 'show')).stdout, /models\.faceEmbeddings +dlib-128,faceres-1024 +default/);
    writeFileSync(folder.at('unknown.json'), JSON.stringify({ models: { eyes: 2 } }));
    const refused = await homeward('config', 'show', '--config', folder.at('unknown.json'));
    assert.match(refused.stderr, /^HW_CONFIG_INVALID/m);
  });
});
