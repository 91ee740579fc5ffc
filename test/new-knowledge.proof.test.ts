import assert from 'node:assert/strict';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { drawnJpeg, mirroredJpeg } from '../workers/decode/test-encoded-pictures.ts';
import { type Finished, readReport, runCli, TestFolder } from './cli-kit.ts';

/** PDQ tells turned copies of pictures below its 512 samples less surely. */
const SIZE = { widthPixels: 600, heightPixels: 450 };

describe('known material that arrives after a seizure was scanned', { timeout: 600_000 }, () => {
  let folder: TestFolder;
  let scanned: Finished;
  const homeward = (...args: string[]): Promise<Finished> =>
    runCli([...args, '--as', 'examiner', '--data', folder.at('data')]);

  before(async () => {
    folder = await TestFolder.make();
    mkdirSync(folder.at('own'));
    mkdirSync(folder.at('seizure'));
    writeFileSync(folder.at('own', 'known.jpg'), await drawnJpeg(301, SIZE));
    writeFileSync(folder.at('seizure', 'mirrored.jpg'), await mirroredJpeg(301, SIZE));
    writeFileSync(folder.at('seizure', 'unseen.jpg'), await drawnJpeg(302, SIZE));
    const whole = await drawnJpeg(303, SIZE);
    writeFileSync(folder.at('seizure', 'cut.jpg'), whole.subarray(0, Math.floor(whole.length * 0.7)));
    const made = await homeward(
      'hashset',
      'make',
      folder.at('own'),
      '--series',
      'case 44',
      '--out',
      folder.at('own.ndjson'),
    );
    assert.equal(made.code, 0, made.stderr);
    scanned = await homeward('scan', '--hash-only', folder.at('seizure'), '--case', 'C-1', '--json');
    assert.equal(scanned.code, 0, scanned.stderr);
  });
  after(async () => await folder[Symbol.asyncDispose]());

  it('finds a cut picture unknown, not unseen, and lists it apart', async () => {
    const standings = readReport(scanned.stdout).items.map(({ path, standing, unknownFor }) => [
      path.slice(path.lastIndexOf('/') + 1),
      standing,
      unknownFor,
    ]);
    assert.deepEqual(standings.sort(), [
      ['cut.jpg', 'unknown', 'decodedInPart'],
      ['mirrored.jpg', 'unseen', null],
      ['unseen.jpg', 'unseen', null],
    ]);
    const { stdout } = await homeward('unseen', 'list', '--json');
    const listed = JSON.parse(stdout);
    assert.deepEqual([listed.total, listed.unknown.total], [2, 1]);
  });

  it('opens a lead at the import, and says of which set', async () => {
    const { code, stdout } = await homeward('hashset', 'import', folder.at('own.ndjson'), '--source', 'lab');
    assert.equal(code, 0);
    assert.match(stdout, /1 stored content matched, 1 lead opened, of lab own version 1/);
    const leads = await homeward('leads', 'list', '--json');
    assert.match(leads.stdout, /lab own version 1/);
    const handled = await homeward('hashset', 'tlp', 'own', 'RED', '--justification', 'its source asks for it');
    assert.match(handled.stdout, /^own version 1 from lab: .*, TLP:RED,/);
  });

  it('has nothing left to go through', async () => {
    const { code, stdout } = await homeward('rematch');
    assert.equal(code, 0);
    assert.match(stdout, /Nothing new in stored material/);
  });

  it('says which batch the set had a part in, and finds the same again', async () => {
    const { code, stdout } = await homeward('affected', '--version', 'lab/own@1', '--rerun', '--json');
    assert.equal(code, 0);
    const { batches, rerun } = JSON.parse(stdout);
    assert.deepEqual([batches.length, batches[0].media, batches[0].leads], [1, 1, 1]);
    assert.equal(rerun.rematched.sets[0].media, 1);
  });

  it('makes fingerprints of a decoder anew, and says where the material is gone', async () => {
    const { decoders } = readReport(scanned.stdout).engine;
    const sharp = decoders.find((one) => one.startsWith('sharp ')) ?? '';
    const again = await homeward('affected', '--version', sharp, '--rerun', '--json');
    assert.equal(again.code, 0, again.stderr);
    const [batch] = JSON.parse(again.stdout).rerun.batches;
    assert.deepEqual([batch.state, batch.mediaLeft], ['done', 0]);
    assert.match((await homeward('leads', 'list', '--json')).stdout, /lab own version 1/);
    renameSync(folder.at('seizure'), folder.at('returned'));
    const gone = await homeward('affected', '--version', sharp, '--rerun', '--json');
    assert.equal(gone.code, 4);
    const [left] = JSON.parse(gone.stdout).rerun.batches;
    assert.deepEqual([left.state, left.mediaLeft], ['materialMissing', 3]);
  });
});
