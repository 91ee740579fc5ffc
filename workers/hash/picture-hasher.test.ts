import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { before, describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import sharp from 'sharp';
import { Value } from 'typebox/value';
import { Blockhash, PdqHash } from '../../schemas/fingerprint.ts';
import { dctMatrix } from './pdq-kernel.ts';
import { type RawPicture, referencePdq } from './pdq-reference.ts';
import { PictureHasher } from './picture-hasher.ts';
import { RENDERED_KINDS, renderPicture } from './rendered-pictures.ts';

const ZERO_HASH = '0'.repeat(64);

let hasher: PictureHasher;
before(async () => {
  hasher = await PictureHasher.load();
});

const hash = (picture: RawPicture, using: PictureHasher = hasher) =>
  using.hash(picture.pixels, picture.widthPixels, picture.heightPixels, picture.channels);

/** Sides at which a window, a block, a group of four rows or a flavour begins to be another one. */
const EDGES = [1, 2, 4, 5, 6, 7, 8, 15, 16, 17, 63, 64, 65, 127, 128, 129, 255, 256, 257, 383, 384, 385, 511, 512, 513];
const side = fc.oneof(fc.integer({ min: 1, max: 700 }), fc.constantFrom(...EDGES));
const picture = fc
  .record({
    kind: fc.constantFrom(...RENDERED_KINDS),
    width: side,
    height: side,
    channels: fc.constantFrom<1 | 3 | 4>(1, 3, 4),
    seed: fc.nat(),
  })
  .map(({ kind, width, height, channels, seed }) => renderPicture(kind, width, height, channels, seed));

describe('PictureHasher against the plain reference, bit for bit', () => {
  it('agrees on pictures of any kind, size and channel count', () => {
    fc.assert(
      fc.property(picture, (any) => assert.deepEqual(hash(any).pdq, referencePdq(any))),
      { numRuns: 60, endOnFailure: true },
    );
  });

  for (const [width, height] of [
    [64, 64],
    [64, 63],
    [5, 5],
    [512, 513],
    [513, 512],
    [3000, 5],
    [5, 3000],
    [1481, 2],
    [4, 513],
    [1, 2000],
    [512, 4],
    [1500, 17],
    [9, 1501],
    [1281, 770],
  ] as const) {
    it(`agrees on ${width} x ${height}`, () => {
      for (const channels of [1, 3, 4] as const) {
        const rendered = renderPicture('noise', width, height, channels, width + height);
        assert.deepEqual(hash(rendered).pdq, referencePdq(rendered), `${channels} channels`);
      }
    });
  }

  it('has the cosines that the published C++ computes', () => {
    const digest = createHash('sha256').update(Buffer.from(dctMatrix().buffer)).digest('hex');
    assert.equal(digest, 'db354678fc6c99b7d442c35d8e89b002b71cb35eff6ae436c5f36392277a83c8');
  });
});

describe('PictureHasher: what must not matter', () => {
  it('the size of the strips', async () => {
    const rendered = renderPicture('scene', 641, 530, 3, 5);
    const expected = hash(rendered);
    for (const stripBytes of [1, 641 * 3 * 8, 641 * 3 * 12 + 1, 100_000, 10_000_000]) {
      assert.deepEqual(hash(rendered, await PictureHasher.load({ stripBytes })), expected, `${stripBytes} bytes`);
    }
  });

  it('whether grey comes as one channel or as three equal ones, or with alpha', () => {
    const grey = renderPicture('noise', 600, 517, 1, 9);
    const pixelCount = grey.pixels.length;
    const spread = (channels: 3 | 4): RawPicture => {
      const pixels = new Uint8Array(pixelCount * channels);
      grey.pixels.forEach((value, at) => {
        pixels.fill(value, at * channels, at * channels + 3);
        if (channels === 4) pixels[at * 4 + 3] = at & 255;
      });
      return { ...grey, pixels, channels };
    };
    assert.deepEqual(hash(spread(3)), hash(grey));
    assert.deepEqual(hash(spread(4)), hash(grey));
  });

  it('whether sharp decodes a grey JPEG to one channel or to sRGB', async () => {
    const { pixels } = renderPicture('scene', 800, 620, 1, 3);
    const jpeg = await sharp(pixels, { raw: { width: 800, height: 620, channels: 1 } })
      .toColourspace('b-w')
      .jpeg()
      .toBuffer();
    const one = await sharp(jpeg, { ignoreIcc: true }).toColourspace('b-w').raw().toBuffer({ resolveWithObject: true });
    const three = await sharp(jpeg, { ignoreIcc: true })
      .toColourspace('srgb')
      .raw()
      .toBuffer({ resolveWithObject: true });
    assert.deepEqual([one.info.channels, three.info.channels], [1, 3]);
    assert.deepEqual(hasher.hash(one.data, 800, 620, 1), hasher.hash(three.data, 800, 620, 3));
  });

  it('R5: the picture before, in 1,000 repeats', () => {
    const subject = renderPicture('scene', 600, 403, 3, 1);
    const others = [
      renderPicture('noise', 517, 90, 4, 2),
      renderPicture('stripes', 64, 64, 1, 3),
      renderPicture('noise', 33, 900, 3, 4),
    ];
    const expected = JSON.stringify(hash(subject));
    let different = 0;
    for (let repeat = 0; repeat < 1000; repeat++) {
      const other = others[repeat % 4];
      if (other !== undefined) hash(other);
      if (JSON.stringify(hash(subject)) !== expected) different++;
    }
    assert.equal(different, 0);
  });

  it('R5: the thread, with one compiled module for all', async () => {
    const subject = renderPicture('noise', 700, 300, 3, 8);
    const workerData = {
      module: await PictureHasher.compile(),
      hasherUrl: new URL('./picture-hasher.ts', import.meta.url).href,
      subject,
    };
    const source = `
      const { parentPort, workerData: { module, hasherUrl, subject: s } } = require('node:worker_threads');
      import(hasherUrl).then(async ({ PictureHasher }) => {
        const hasher = await PictureHasher.load({ module });
        parentPort.postMessage(hasher.hash(s.pixels, s.widthPixels, s.heightPixels, s.channels));
      });`;
    const answers = await Promise.all(
      [0, 1].map(
        () =>
          new Promise((resolve, reject) => {
            new Worker(source, { eval: true, workerData }).once('message', resolve).once('error', reject);
          }),
      ),
    );
    assert.deepEqual(answers, [hash(subject), hash(subject)]);
  });
});

describe('PictureHasher: limits', () => {
  for (const [width, height] of [
    [1, 1],
    [4, 512],
    [512, 4],
  ] as const) {
    it(`gives the zero hash of quality 0 and no blockhash for ${width} x ${height}`, () => {
      const { pdq, blockhash } = hash(renderPicture('noise', width, height, 3, 1));
      assert.deepEqual(
        pdq.map(({ quality, dihedral }) => ({ quality, distinct: [...new Set(dihedral)] })),
        [
          { quality: 0, distinct: [ZERO_HASH] },
          { quality: 0, distinct: [ZERO_HASH] },
        ],
      );
      assert.equal(blockhash, null);
    });
  }

  it('answers by the schema', () => {
    const { pdq, blockhash } = hash(renderPicture('scene', 700, 400, 3, 1));
    assert.ok(pdq.every((one) => Value.Check(PdqHash, one)));
    assert.ok(Value.Check(Blockhash, blockhash));
  });

  it('refuses a buffer that is not the picture it is said to be', () => {
    for (const [lengthBytes, width, height] of [
      [299, 10, 10],
      [301, 10, 10],
      [0, 0, 10],
      [300, 2.5, 40],
      [10, 1, 2],
    ] as const) {
      assert.throws(() => hasher.hash(new Uint8Array(lengthBytes), width, height, 3), { code: 'HW_INTERNAL' });
    }
  });

  it('R3: hashes 100 Mpx and 65,500 pixels a side without a copy of the picture', () => {
    hasher.hash(new Uint8Array(10_000 * 10_000), 10_000, 10_000, 1);
    hasher.hash(new Uint8Array(65_500 * 40 * 4), 65_500, 40, 4);
    hasher.hash(new Uint8Array(40 * 65_500 * 4), 40, 65_500, 4);
    assert.ok(hasher.memoryBytes < 16_000_000, `${hasher.memoryBytes} bytes`);
  });
});
