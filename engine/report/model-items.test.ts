import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import type { Face } from '../../schemas/embedding.ts';
import { openTestBatch } from '../../test/batch-kit.ts';
import { STORE_ENGINES } from '../../test/store-engines.ts';
import { addMedia, embeddingWith, faceWith } from '../../test/vector-kit.ts';
import { FACE_GATE, faceGate, faceGateSql } from '../match/model-faces.ts';
import type { Db } from '../store/db.ts';
import { recordEmbeddings } from '../store/queries/record-embeddings.ts';
import { nullable, row, text } from '../store/row-shape.ts';
import { modelCounts, modelsOf } from './model-items.ts';

const PROFILE = Buffer.alloc(32, 6);
const RUNS = { profile: PROFILE, faceDetectors: ['test-detector@1.0.0'] };
const pose = (yawDegrees: number, pitchDegrees = 0): Face['pose'] => ({ yawDegrees, pitchDegrees, rollDegrees: 0 });

/** Faces beside one another, each with these traits. */
const facesWith = (...traits: Partial<Face>[]): Face[] =>
  traits.map((one, at) => faceWith([], { box: { x: at * 200, y: 0, width: 100, height: 100 }, ...one }));

for (const engine of STORE_ENGINES) {
  describe(`what a report says of the models on ${engine.name}`, engine.options, () => {
    let db: Db;
    before(async () => {
      db = await engine.open();
    });
    after(async () => await db.close());

    /** Pictures of a batch with these faces; null where faces were not looked for. */
    async function scanned(...pictures: (readonly Face[] | null)[]) {
      const batchId = await openTestBatch(db);
      const mediaIds = await addMedia(
        db,
        pictures.map((_, at) => `${batchId} ${at}`),
      );
      for (const mediaId of mediaIds) {
        const key = createHash('sha256').update(`${batchId} ${mediaId}`).digest();
        await db.execute(
          `insert into item (batch_id, path_key, path, media_id, type, outcome) values ($1, $2, $2, $3, 'image/jpeg', 'done')`,
          [batchId, key, mediaId],
        );
      }
      await record(mediaIds, pictures, PROFILE);
      return { batchId, mediaIds };
    }
    async function record(
      mediaIds: readonly number[],
      pictures: readonly (readonly Face[] | null)[],
      profile: Uint8Array,
    ) {
      await db.transaction(
        async (tx) =>
          await recordEmbeddings(
            tx,
            mediaIds.map((mediaId, at) => {
              const faces = pictures[at] ?? null;
              const embedding = embeddingWith({ facesFound: faces?.length ?? null, faces: [...(faces ?? [])] });
              return { mediaId, profile, embedding };
            }),
          ),
      );
    }

    it('counts faces too small, blurred or turned away to compare, in its head and by content', async () => {
      const small = { eyeDistancePixels: FACE_GATE.leastEyeDistancePixels - 1 };
      const blurred = { sharpness: FACE_GATE.leastSharpness - 1 };
      const turned = { pose: pose(FACE_GATE.mostYawDegrees + 1) };
      const { batchId, mediaIds } = await scanned(
        facesWith({}, small, { ...small, ...blurred }, turned),
        facesWith({}, blurred),
        facesWith({ pose: pose(0, -FACE_GATE.mostPitchDegrees - 1) }),
        facesWith({}),
        facesWith(),
      );
      const { faces, facesBelowGate } = await modelCounts(db, batchId, RUNS);
      assert.equal(faces, 8);
      assert.deepEqual(facesBelowGate, { eyeDistance: 2, sharpness: 1, pose: 2 });
      const by = await modelsOf(db, mediaIds, RUNS);
      assert.deepEqual(
        mediaIds.map((mediaId) => [by.get(mediaId)?.facesFound, by.get(mediaId)?.facesBelowGate]),
        [
          [4, 3],
          [2, 1],
          [1, 1],
          [1, 0],
          [0, 0],
        ],
      );
    });

    it('says nothing of faces where they were not looked for', async () => {
      const { batchId, mediaIds } = await scanned(null);
      assert.equal((await modelCounts(db, batchId, RUNS)).facesBelowGate, null);
      assert.equal((await modelsOf(db, mediaIds, RUNS)).get(mediaIds[0] ?? 0)?.facesBelowGate, null);
    });

    it('counts the faces of the detector that ran, and not those another found in the same picture', async () => {
      const small = { eyeDistancePixels: 5 };
      const { batchId, mediaIds } = await scanned(facesWith({}, small));
      await record(mediaIds, [facesWith({ detector: 'other' }, { ...small, detector: 'other' })], Buffer.alloc(32, 7));
      assert.deepEqual((await modelCounts(db, batchId, RUNS)).facesBelowGate, {
        eyeDistance: 1,
        sharpness: 0,
        pose: 0,
      });
    });

    it('judges faces as matching does', async () => {
      const values = [Number.NaN, -Infinity, -1, 0, 19.5, 20, 29, 30, 35, 35.5, 45, 45.5, Infinity];
      const traits = values.flatMap((eyeDistancePixels) =>
        values.flatMap((sharpness) =>
          [Number.NaN, -46, -45, 0, 46, Infinity].flatMap((yawDegrees) =>
            [Number.NaN, -36, 35, 36].map((pitchDegrees) => ({
              eyeDistancePixels,
              sharpness,
              yawDegrees,
              pitchDegrees,
            })),
          ),
        ),
      );
      const judged = await db.read(
        row({ gate: nullable(text) }),
        `select ${faceGateSql('f')} as gate
           from unnest($1::real[], $2::real[], $3::real[], $4::real[]) with ordinality
             as f(eye_distance_pixels, sharpness, yaw_degrees, pitch_degrees, nth) order by nth`,
        [
          traits.map((one) => one.eyeDistancePixels),
          traits.map((one) => one.sharpness),
          traits.map((one) => one.yawDegrees),
          traits.map((one) => one.pitchDegrees),
        ],
      );
      assert.deepEqual(
        judged.map((one) => one.gate),
        traits.map(faceGate),
      );
    });
  });
}
