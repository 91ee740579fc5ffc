import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { STORE_ENGINES } from '../../../test/store-engines.ts';
import { addMedia, embeddingWith, faceWith, packVector, spaceKey, unitVector } from '../../../test/vector-kit.ts';
import type { Db } from '../db.ts';
import { openSpaces } from './embedding-spaces.ts';
import { keypointsOf, vectorsOf, vectorsOfMedia } from './read-embeddings.ts';
import { type NewEmbedding, recordEmbeddings } from './record-embeddings.ts';
import { vectorFromBase64, vectorFromBinary, vectorProblem, vectorToBinary } from './vector-values.ts';

const float32s = fc.float32Array({ minLength: 1, maxLength: 40, noNaN: true, noDefaultInfinity: true });

describe('values of vectors', () => {
  it('come back bit for bit from the form in which they are stored', () => {
    fc.assert(
      fc.property(float32s, (vector) => {
        assert.deepEqual(vectorFromBinary(vectorToBinary(vector)), vector);
      }),
    );
  });

  it('are refused unless all there, finite and of length 1', () => {
    const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
    const values = (...all: number[]): Float32Array =>
      vectorFromBase64(base64(new Uint8Array(Float32Array.from(all).buffer)));
    assert.equal(vectorProblem(values(0.6, 0.8), 2), null);
    assert.match(vectorProblem(values(0.6, 0.8), 3) ?? '', /expected 3 values, received 2/);
    assert.match(vectorProblem(values(0.6, Number.NaN), 2) ?? '', /finite/);
    assert.match(vectorProblem(values(0.6, Number.POSITIVE_INFINITY), 2) ?? '', /finite/);
    assert.match(vectorProblem(values(3e38, 3e38), 2) ?? '', /length 1/);
    assert.match(vectorProblem(values(0, 0), 2) ?? '', /length 1, received 0/);
    assert.match(vectorProblem(vectorFromBase64(base64(Buffer.alloc(7))), 2) ?? '', /finite/);
  });
});

for (const engine of STORE_ENGINES) {
  describe(`recording what models say on ${engine.name}`, engine.options, () => {
    let db: Db;
    const places = spaceKey({ packId: 'places' });
    const faces = spaceKey({ packId: 'faces', kind: 'faceEmbedding' });
    const profile = Buffer.alloc(32, 1);
    const vector = (first: number): Float32Array => unitVector([first, 1, 2, 3, 4, 5, 6, 7]);
    before(async () => {
      db = await engine.open();
      await openSpaces(db, [places, faces]);
    });
    after(async () => await db.close());

    const record = async (rows: readonly NewEmbedding[]) =>
      await db.transaction(async (tx) => await recordEmbeddings(tx, rows));
    const space = async (key: typeof places) => (await openSpaces(db, [key]))[0] ?? assert.fail('no space');

    it('keeps faces, vectors and keypoints as they were given, and adds nothing the second time', async () => {
      const [mediaId = 0] = await addMedia(db, ['whole']);
      const keypoints = { algorithm: 'rootsift/1' as const, count: 2, data: Buffer.alloc(268, 9).toString('base64') };
      const embedding = embeddingWith({
        facesFound: 2,
        faces: [
          faceWith([packVector(faces, vector(1))]),
          faceWith([packVector(faces, vector(2))], { box: { x: 500, y: 20, width: 90, height: 90 }, landmarks: [] }),
        ],
        vectors: [packVector(places, vector(3))],
        keypoints,
      });
      const first = await record([{ mediaId, profile, embedding }]);
      assert.deepEqual(first, { runs: 1, faces: 2, vectors: 3, keypoints: 1, refused: [] });
      const second = await record([{ mediaId, profile, embedding }]);
      assert.deepEqual(second, { runs: 0, faces: 0, vectors: 0, keypoints: 0, refused: [] });
      const stored = await vectorsOfMedia(db, await space(faces), [mediaId]);
      assert.deepEqual(
        stored.map((one) => one.vector),
        [vector(1), vector(2)],
      );
      assert.deepEqual((await vectorsOf(db, await space(places), [mediaId])).get(mediaId), vector(3));
      assert.deepEqual((await keypointsOf(db, [mediaId], 'rootsift/1')).get(mediaId), keypoints);
      const rows = await db.query(
        `select ordinal, box_x, box_width, octet_length(landmarks) as landmarks, quality, yaw_degrees from face where media_id = $1 order by ordinal`,
        [mediaId],
      );
      assert.deepEqual(rows, [
        { ordinal: 0, box_x: 10, box_width: 100, landmarks: 544, quality: 77, yaw_degrees: 1 },
        { ordinal: 1, box_x: 500, box_width: 90, landmarks: null, quality: 77, yaw_degrees: 1 },
      ]);
    });

    it('R2: stores no bad vector, says which and why, and keeps the rest of its media and group', async () => {
      const [bad = 0, good = 0] = await addMedia(db, ['bad', 'good']);
      const broken = vector(1);
      broken[3] = Number.NaN;
      const embedding = embeddingWith({
        facesFound: 1,
        faces: [faceWith([packVector(faces, broken)])],
        vectors: [
          packVector(places, vector(1)),
          packVector(places, Float32Array.of(1, 0), { dimensions: 8 }),
          packVector(places, vector(1), { version: '9.9.9' }),
          packVector(faces, vector(1)),
        ],
        keypoints: { algorithm: 'rootsift/1', count: 3, data: Buffer.alloc(10).toString('base64') },
      });
      const recorded = await record([
        { mediaId: bad, profile, embedding },
        { mediaId: good, profile, embedding: embeddingWith({ vectors: [packVector(places, vector(2))] }) },
      ]);
      assert.deepEqual(
        { ...recorded, refused: recorded.refused.map((one) => one.part) },
        {
          runs: 2,
          faces: 1,
          vectors: 2,
          keypoints: 0,
          refused: [
            'faces@1.0.0/embedding of face 0',
            'places@1.0.0/embedding',
            'places@9.9.9/embedding',
            'faces@1.0.0/embedding',
            'keypoints',
          ],
        },
      );
      const runs = await db.query(
        'select outcome, reason, reason_detail from embedding_run where media_id = any($1) order by media_id',
        [[bad, good]],
      );
      assert.deepEqual(runs, [
        {
          outcome: 'partial',
          reason: 'internal',
          reason_detail: 'faces@1.0.0/embedding of face 0: expected finite values, received NaN or Infinity',
        },
        { outcome: 'done', reason: null, reason_detail: null },
      ]);
    });

    it('lets a success take the place of a failure, and never the other way round', async () => {
      const [mediaId = 0] = await addMedia(db, ['twice']);
      const failed = embeddingWith({ outcome: 'failed', reason: { code: 'hostCrashed', detail: 'a\0b' } });
      const done = embeddingWith({ vectors: [packVector(places, vector(1))] });
      assert.equal((await record([{ mediaId, profile, embedding: failed }])).runs, 1);
      assert.deepEqual(await record([{ mediaId, profile, embedding: done }]), {
        runs: 1,
        faces: 0,
        vectors: 1,
        keypoints: 0,
        refused: [],
      });
      assert.equal((await record([{ mediaId, profile, embedding: failed }])).runs, 0);
      assert.deepEqual(await db.query('select outcome, reason from embedding_run where media_id = $1', [mediaId]), [
        { outcome: 'done', reason: null },
      ]);
    });

    it('knows a face again by its box when another profile numbers it otherwise', async () => {
      const [mediaId = 0] = await addMedia(db, ['renumbered']);
      const left = { x: 10, y: 10, width: 50, height: 50 };
      const right = { x: 200, y: 10, width: 50, height: 50 };
      const otherPack = spaceKey({ packId: 'other-faces', kind: 'faceEmbedding' });
      await openSpaces(db, [otherPack]);
      const inOrder = (key: typeof faces, boxes: readonly { x: number; y: number; width: number; height: number }[]) =>
        embeddingWith({
          facesFound: boxes.length,
          faces: boxes.map((box) => faceWith([packVector(key, vector(box.x))], { box })),
        });
      await record([{ mediaId, profile, embedding: inOrder(faces, [left, right]) }]);
      const third = { x: 400, y: 10, width: 50, height: 50 };
      const again = await record([
        { mediaId, profile: Buffer.alloc(32, 2), embedding: inOrder(otherPack, [{ ...right, x: 205 }, third, left]) },
      ]);
      assert.equal(again.faces, 1);
      const boxOf = async (key: typeof faces, boxX: number): Promise<number[]> =>
        (
          await db.query<{ x: number }>(
            `select f.box_x as x from face f join face_vector v using (face_id) where v.space_ref = $1 and f.media_id = $2 and v.embedding = $3::vector`,
            [(await space(key)).spaceRef, mediaId, `[${vector(boxX).join(',')}]`],
          )
        ).map((one) => one.x);
      assert.deepEqual(await boxOf(faces, 200), [200]);
      assert.deepEqual(await boxOf(otherPack, 205), [200]);
      assert.deepEqual(await boxOf(otherPack, 400), [400]);
      assert.deepEqual(await boxOf(otherPack, 10), [10]);
    });
  });
}
