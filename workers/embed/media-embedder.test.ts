import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import sharp from 'sharp';
import { MOST_FACES } from '../../schemas/constants.ts';
import type { EmbedPlan, PackVector } from '../../schemas/embedding.ts';
import { needsShared, requireShared } from '../../test/shared-data.ts';
import { decodePicture } from '../decode/decode.ts';
import type { DecodedPicture } from '../decode/decoded-picture.ts';
import { drawScene } from '../validate/draw-scene.ts';
import { lookedAtPicture } from './looked-at-picture.ts';
import { MediaEmbedder, type PictureEmbedding } from './media-embedder.ts';
import { isExifOrientation } from './raster.ts';
import { SHIPPED_PACKS, shippedPacks } from './test-packs.ts';

const FACE_PACKS = [SHIPPED_PACKS.landmarks, ...SHIPPED_PACKS.faces];
const PICTURE_PACKS = [SHIPPED_PACKS.copies, SHIPPED_PACKS.places];
const PLAN: EmbedPlan = {
  faceDetector: SHIPPED_PACKS.detector,
  packs: [...FACE_PACKS, ...PICTURE_PACKS],
  keypoints: false,
};
const LOOK: EmbedPlan = { ...PLAN, packs: [] };
const FACE_FILE = 'data/faces/George_W_Bush__George_W_Bush_0001.jpg';

async function decoded(bytes: Buffer, mediaType = 'image/png'): Promise<DecodedPicture> {
  const result = await decodePicture(bytes, mediaType, 'sharp', {
    mode: 'exact',
    budget: { pixels: 1e8, sidePixels: 65_500 },
  });
  assert.ok(result.kind === 'decoded');
  return result;
}
const scene = (width: number, height: number, number = 3) =>
  sharp(drawScene(number, width, height).pixels, { raw: { width, height, channels: 3 } });

function floats({ values, dimensions }: PackVector): number[] {
  const bytes = Buffer.from(values, 'base64');
  return Array.from({ length: dimensions }, (_, i) => bytes.readFloatLE(i * 4));
}
const cosine = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);

function assertSound({ faces, vectors, trouble }: PictureEmbedding): void {
  assert.equal(trouble, null);
  for (const vector of [...vectors, ...faces.flatMap((face) => face.vectors)])
    assert.ok(Math.abs(cosine(floats(vector), floats(vector)) - 1) < 1e-4, `length of ${vector.pack}/${vector.output}`);
}

describe('MediaEmbedder', () => {
  let embedder: MediaEmbedder;
  const embed = (picture: DecodedPicture, plan = PLAN) => embedder.embed(lookedAtPicture(picture, 1), plan);
  before(async () => {
    embedder = await MediaEmbedder.open(await shippedPacks());
  });
  after(() => embedder.close());

  it('gives each output of the plan a vector of length 1', async () => {
    const described = await embed(await decoded(await scene(640, 480).png().toBuffer()));
    assertSound(described);
    const names = described.vectors.map(({ pack, output }) => `${pack}/${output}`);
    for (const name of [
      'mobilenet-v2-copy/penultimate',
      'mobilenet-v2-copy/penultimate/centre',
      'mobilenet-v2-place/block13',
      'mobilenet-v2-place/penultimate',
      'mobilenet-v2-place/colour',
    ])
      assert.ok(names.includes(name), `${name} among ${names.join()}`);
  });

  it('R5: says the same of the same picture every time', async () => {
    const picture = await decoded(await scene(500, 400).png().toBuffer());
    const first = await embed(picture);
    await embed(await decoded(await scene(300, 700, 9).png().toBuffer()));
    const second = await embed(picture);
    assert.deepEqual({ ...second, stepMs: [] }, { ...first, stepMs: [] });
  });

  it('does not look for faces where no detector is named', async () => {
    const described = await embed(await decoded(await scene(320, 240).png().toBuffer()), {
      ...PLAN,
      faceDetector: null,
    });
    assert.equal(described.facesFound, null);
    assert.deepEqual(described.faces, []);
    assert.ok(described.stepMs.every(({ step }) => step !== 'detect' && step !== 'faces' && step !== 'landmarks'));
  });

  for (const [name, make] of Object.entries({
    'of one pixel': () => scene(1, 1).png(),
    'of 1 x 8000 pixels': () => scene(1, 8000).png(),
    'of 8000 x 1 pixels': () => scene(8000, 1).png(),
    'of 3 x 2 pixels': () => scene(3, 2).png(),
    'in grey': () => scene(200, 150).grayscale().png(),
    'of 16 bits': () => scene(200, 150).toColourspace('rgb16').png(),
    'with alpha': () => scene(200, 150).ensureAlpha(0.5).png(),
  }))
    it(`R2: takes a picture ${name}`, async () => {
      assertSound(await embed(await decoded(await make().toBuffer())));
    });

  it('R2: takes a CMYK picture', async () => {
    const bytes = await scene(200, 150).toColourspace('cmyk').jpeg().toBuffer();
    assertSound(await embed(await decoded(bytes, 'image/jpeg')));
  });

  it('gives a flat picture no vector, since all flat pictures would match each other', async () => {
    const flat = sharp({ create: { width: 300, height: 200, channels: 3, background: '#808080' } });
    const { vectors, trouble } = await embed(await decoded(await flat.png().toBuffer()), {
      ...PLAN,
      faceDetector: null,
    });
    assert.deepEqual([vectors, trouble], [[], null]);
  });

  it('opens a net once for all packs whose file it is', async () => {
    const [copies, places] = await shippedPacks(PICTURE_PACKS);
    assert.ok(copies !== undefined && places !== undefined);
    // Were it opened a second time, these bytes would be refused.
    const opened = await MediaEmbedder.open([copies, { ...places, bytes: new Uint8Array(1) }]);
    await opened.close();
  });

  it('refuses a plan with a pack that is not open, by code', async () => {
    const picture = lookedAtPicture(await decoded(await scene(20, 20).png().toBuffer()), 1);
    await assert.rejects(embedder.embed(picture, { ...PLAN, packs: ['unknown'] }), { code: 'HW_MODEL_NOT_FOUND' });
  });

  it('finds a face, its landmarks inside the box and its vectors', needsShared, async () => {
    const described = await embed(await decoded(readFileSync(requireShared(FACE_FILE)), 'image/jpeg'));
    assertSound(described);
    assert.equal(described.facesFound, 1);
    const [face] = described.faces;
    assert.ok(face !== undefined);
    assert.deepEqual(
      face.vectors.map(({ pack, dimensions }) => [pack, dimensions]),
      [
        ['dlib-128', 128],
        ['faceres-1024', 1024],
      ],
    );
    const { x, y, width, height } = face.box;
    assert.equal(face.landmarks.length, 68);
    for (const [px, py] of face.landmarks.slice(17))
      assert.ok(px > x - 0.2 * width && px < x + 1.2 * width && py > y - 0.2 * height && py < y + 1.2 * height);
    assert.ok(face.quality > 50 && face.eyeDistancePixels > 20 && Math.abs(face.pose.rollDegrees) < 30);
  });

  for (const orientation of [2, 3, 4, 5, 6, 7, 8].filter(isExifOrientation))
    it(
      `has the face of a picture of EXIF orientation ${orientation} where it is in the stored picture`,
      needsShared,
      async () => {
        const upright = await decoded(readFileSync(requireShared(FACE_FILE)), 'image/jpeg');
        const [face] = (await embed(upright, { ...PLAN, packs: FACE_PACKS })).faces;
        // What a camera would have stored for it to be shown upright.
        const raw = () =>
          sharp(upright.pixels, {
            raw: { width: upright.decodedWidthPixels, height: upright.decodedHeightPixels, channels: 3 },
          });
        const turned = {
          2: raw().flop(),
          3: raw().rotate(180),
          4: raw().flip(),
          5: raw().rotate(270).flop(),
          6: raw().rotate(270),
          7: raw().rotate(90).flop(),
          8: raw().rotate(90),
        };
        assert.ok(orientation !== 1);
        const stored = await decoded(await turned[orientation].png().toBuffer());
        const looked = lookedAtPicture(stored, orientation);
        const [found] = (await embedder.embed(looked, { ...PLAN, packs: FACE_PACKS })).faces;
        assert.ok(face !== undefined && found !== undefined);
        const [a, b] = [face.vectors[0], found.vectors[0]];
        assert.ok(a !== undefined && b !== undefined);
        assert.ok(cosine(floats(a), floats(b)) > 0.9999, 'the same vector as upright');
        const centre = ({ x, y, width, height }: typeof face.box) => [x + width / 2, y + height / 2] as const;
        const [cx, cy] = centre(found.box);
        const [w, h] = [upright.widthPixels, upright.heightPixels];
        const [ux, uy] = centre(face.box);
        const wanted = {
          2: [w - ux, uy],
          3: [w - ux, h - uy],
          4: [ux, h - uy],
          5: [uy, ux],
          6: [uy, w - ux],
          7: [h - uy, w - ux],
          8: [h - uy, ux],
        } as const;
        assert.ok(
          Math.hypot(cx - wanted[orientation][0], cy - wanted[orientation][1]) < 2,
          `${cx}, ${cy} and ${wanted[orientation]}`,
        );
      },
    );

  it('R2: counts 200 faces and describes the most certain ones', needsShared, async () => {
    const face = await sharp(readFileSync(requireShared(FACE_FILE)))
      .extract({ left: 50, top: 50, width: 150, height: 150 })
      .resize(120, 120)
      .toBuffer();
    const crowd = sharp({ create: { width: 2400, height: 1200, channels: 3, background: '#888888' } }).composite(
      Array.from({ length: 200 }, (_, i) => ({ input: face, left: (i % 20) * 120, top: Math.floor(i / 20) * 120 })),
    );
    const described = await embed(await decoded(await crowd.png().toBuffer()), LOOK);
    assert.ok((described.facesFound ?? 0) >= 150, `${described.facesFound} found`);
    assert.equal(described.faces.length, MOST_FACES);
    assert.equal(described.trouble, null);
  });

  it('finds a face that fills a picture to its edges, by either detector', needsShared, async () => {
    const picture = await decoded(readFileSync(requireShared('data/faces/bbt_amy__amy2.png')));
    for (const faceDetector of [SHIPPED_PACKS.detector, SHIPPED_PACKS.thoroughDetector])
      assert.equal((await embed(picture, { ...LOOK, faceDetector })).facesFound, 1);
  });
});
