import assert from 'node:assert/strict';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import sharp from 'sharp';
import { Compile } from 'typebox/compile';
import { Examination } from '../schemas/fingerprint.ts';
import { DEFAULT_FILE_BUDGET, type FileBudget } from '../schemas/host-protocol.ts';
import { needsShared, requireShared } from '../test/shared-data.ts';
import { examineFile } from './examine.ts';
import { PictureHasher } from './hash/picture-hasher.ts';

const isExamination = Compile(Examination);
let folder: string;
let hasher: PictureHasher;
before(async () => {
  folder = fs.mkdtempSync(path.join(tmpdir(), 'homeward-examine-'));
  hasher = await PictureHasher.load();
});
after(() => fs.rmSync(folder, { recursive: true }));

async function examine(content: Buffer | string, budget: Partial<FileBudget> = {}, mode: 'exact' | 'fast' = 'exact') {
  const where = path.join(folder, 'file');
  fs.writeFileSync(where, content);
  const examination = await examineFile(
    { path: Buffer.from(where), mode, budget: { ...DEFAULT_FILE_BUDGET, ...budget } },
    hasher,
  );
  assert.ok(isExamination.Check(examination), JSON.stringify(isExamination.Errors(examination)));
  return examination;
}
const scene = () =>
  sharp({
    create: {
      width: 80,
      height: 60,
      channels: 3,
      background: '#888',
      noise: { type: 'gaussian', mean: 120, sigma: 50 },
    },
  });

describe('examining one file', () => {
  it('a sound picture is done: digests, size, type, both flavours of PDQ, blockhash', async () => {
    const bytes = await scene().jpeg().toBuffer();
    const { outcome, reason, type, sizeBytes, picture, trailingBytes } = await examine(bytes);
    assert.deepEqual([outcome, reason, type, sizeBytes, trailingBytes], ['done', null, 'image/jpeg', bytes.length, 0]);
    assert.deepEqual(
      picture?.pdq.map(({ flavour }) => flavour),
      ['pdq-512', 'pdq-full'],
    );
    assert.deepEqual(
      [picture?.widthPixels, picture?.heightPixels, picture?.mode, picture?.reductionFactor],
      [80, 60, 'exact', 1],
    );
    assert.notEqual(picture?.blockhash, null);
  });

  it('a cut picture is partial, and hashed all the same', async () => {
    const bytes = await scene().jpeg({ quality: 95 }).toBuffer();
    const { outcome, reason, picture, trailingBytes } = await examine(bytes.subarray(0, bytes.length / 2));
    assert.deepEqual([outcome, reason?.code, trailingBytes], ['partial', 'truncated', null]);
    assert.equal(picture?.pdq.length, 2);
  });

  it('an empty file is rejected, with the digests of nothing', async () => {
    const { outcome, reason, digests } = await examine('');
    assert.deepEqual([outcome, reason?.code, digests?.md5], ['rejected', 'empty', 'd41d8cd98f00b204e9800998ecf8427e']);
  });

  it('an archive is done without a picture', async () => {
    const { outcome, type, picture } = await examine(Buffer.from(`PK\x05\x06${'\0'.repeat(18)}`, 'latin1'));
    assert.deepEqual([outcome, type, picture], ['done', 'application/zip', null]);
  });

  it('what is no picture is not examined, with its real type', async () => {
    const { outcome, reason, type } = await examine('%PDF-1.4\n%%EOF');
    assert.deepEqual([outcome, reason?.code, type], ['notExamined', 'document', 'application/pdf']);
  });

  it('a picture too large for the memory of a host is digested and rejected', async () => {
    const bytes = await scene().png().toBuffer();
    const { outcome, reason, digests } = await examine(Buffer.concat([bytes, Buffer.alloc(1000)]), {
      memoryBytes: 3 * bytes.length,
    });
    assert.deepEqual([outcome, reason?.code], ['rejected', 'tooLarge']);
    assert.notEqual(digests, null);
  });

  it('a file beyond the size budget has no digests', async () => {
    const { outcome, reason, digests, sizeBytes } = await examine('abc', { sizeBytes: 2 });
    assert.deepEqual([outcome, reason?.code, digests, sizeBytes], ['rejected', 'tooLarge', null, 3]);
  });

  it('with a budget of one pixel nothing of the picture is opened but its beginning', async () => {
    const { outcome, reason, digests, capture } = await examine(
      await scene()
        .jpeg()
        .withExif({ IFD0: { Make: 'x' } })
        .toBuffer(),
      { pixels: 1 },
    );
    assert.deepEqual([outcome, reason?.code, capture], ['rejected', 'pixelLimit', null]);
    assert.notEqual(digests, null);
  });

  it('a rejected picture keeps its capture metadata', async () => {
    const { outcome, capture } = await examine(
      await scene()
        .jpeg()
        .withExif({ IFD0: { Make: 'Kept' } })
        .toBuffer(),
      { pixels: 100 },
    );
    assert.deepEqual([outcome, capture?.make], ['rejected', 'Kept']);
  });

  it('a bitmap of 12 Mpx claimed in 60 bytes costs no memory', async () => {
    const header = Buffer.alloc(60);
    header.write('BM');
    header.writeUInt32LE(54, 10);
    header.writeUInt32LE(40, 14);
    header.writeInt32LE(9999, 18);
    header.writeInt32LE(9999, 22);
    header.writeUInt16LE(24, 28);
    const before = process.memoryUsage().arrayBuffers;
    assert.equal((await examine(header)).reason?.code, 'truncated');
    assert.ok(process.memoryUsage().arrayBuffers - before < 10_000_000);
  });
});

describe('examining what cameras write', needsShared, () => {
  it('a HEIC picture is done', async () => {
    const { outcome, type, picture } = await examine(
      fs.readFileSync(requireShared('data/hostile/suites/exif-samples-heic/samplefilehub.heif')),
    );
    assert.deepEqual([outcome, type, picture?.widthPixels, picture?.heightPixels], ['done', 'image/heic', 640, 426]);
    assert.match(picture?.decoder ?? '', /^libheif-js /);
  });

  it('fast mode is marked in the record', async () => {
    const { picture } = await examine(
      fs.readFileSync(requireShared('data/pdq/reg-test-input__exif-rotn__exif-rotn-6.jpg')),
      {},
      'fast',
    );
    assert.deepEqual([picture?.mode, picture?.reductionFactor, picture?.widthPixels], ['fast', 4, 4032]);
  });
});
