import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { STORE_ENGINES } from '../../test/store-engines.ts';
import { addMaterial, addSeries, evidenceOf } from '../leads/test-lead-kit.ts';
import { addFace } from '../series/test-series-kit.ts';
import type { Db } from '../store/db.ts';
import { findCameraHits, recordDevices } from './model-camera.ts';
import type { ModelEvidence } from './model-evidence.ts';
import { recordModelMatches, withdrawModelMatches } from './model-matches.ts';

for (const engine of STORE_ENGINES) {
  describe(`evidence by models on ${engine.name}`, engine.options, () => {
    let db: Db;
    before(async () => {
      db = await engine.open();
    });
    after(async () => await db.close());

    const record = async (...evidence: ModelEvidence[]) =>
      await db.transaction(async (tx) => await recordModelMatches(tx, 'test', evidence));
    const inForce = async (mediaId: number) =>
      await db.query<{ method: string; distance: number; gallery_size: number; known_face_id: number | null }>(
        `select method, distance, gallery_size, known_face_id from model_match
          where media_id = $1 and withdrawn_at is null order by method`,
        [mediaId],
      );

    it('is recorded once, and keeps the size of the search it was found in', async () => {
      const [material, series] = [await addMaterial(db), await addSeries(db)];
      const all = (['face', 'copy', 'place', 'camera'] as const).map((method) => evidenceOf(method, material, series));
      assert.equal(await record(...all), 4);
      assert.equal(await record(...all.map((one) => ({ ...one, gallerySize: 9_999 }))), 0);
      assert.deepEqual(
        (await inForce(material.mediaId)).map((one) => [one.method, one.gallery_size]),
        [
          ['camera', 50],
          ['copy', 50],
          ['face', 50],
          ['place', 50],
        ],
      );
    });

    it('is one for each known object: the nearest, whichever was found first', async () => {
      const [material, series] = [await addMaterial(db), await addSeries(db)];
      const knownFaceId = await addFace(db, series.known.mediaId, 1, 'blazeface');
      const far = evidenceOf('face', material, series);
      const near = { ...far, knownFaceId, distance: 0.05 };
      assert.equal(await record(far), 1);
      assert.equal(await record(near), 1);
      assert.equal(await record(far), 0);
      assert.deepEqual(
        (await inForce(material.mediaId)).map((one) => one.known_face_id),
        [knownFaceId],
      );
    });

    it('is withdrawn by what it rests on, stays readable, and comes again when it is found again', async () => {
      const [material, series] = [await addMaterial(db), await addSeries(db)];
      await record(evidenceOf('face', material, series), evidenceOf('place', material, series));
      const withdrawn = await db.transaction(
        async (tx) => await withdrawModelMatches(tx, { placeIds: [series.placeId], method: 'place' }),
      );
      assert.deepEqual(withdrawn, [material.mediaId]);
      assert.deepEqual(
        (await inForce(material.mediaId)).map((one) => one.method),
        ['face'],
      );
      assert.equal(await record(evidenceOf('place', material, series)), 1);
      const [all] = await db.query<{ n: number }>('select count(*)::int as n from model_match where media_id = $1', [
        material.mediaId,
      ]);
      assert.equal(all?.n, 3);
    });

    it('is not withdrawn where nothing says which', async () => {
      const [material, series] = [await addMaterial(db), await addSeries(db)];
      await record(evidenceOf('copy', material, series));
      assert.deepEqual(await db.transaction(async (tx) => await withdrawModelMatches(tx, {})), []);
      assert.equal((await inForce(material.mediaId)).length, 1);
    });

    describe('by serial numbers', () => {
      async function photo(capture: Record<string, string>): Promise<number> {
        const { mediaId } = await addMaterial(db);
        const whole = {
          make: null,
          model: null,
          bodySerialNumber: null,
          lensModel: null,
          lensSerialNumber: null,
          software: null,
          capturedAt: null,
          gps: null,
          exifOrientation: null,
          thumbnailMismatch: null,
          syntheticTraces: [],
          ...capture,
        };
        await db.execute(
          `insert into fingerprint (media_id, pipeline_version, mode, outcome, capture) values ($1, 'test', 'exact', 'done', $2::jsonb)`,
          [mediaId, JSON.stringify(whole)],
        );
        return mediaId;
      }
      async function camera(serial: string, make: string | null, model: string | null): Promise<number> {
        const { cameraId } = await addSeries(db);
        await db.execute('update camera set body_serial = $2, make = $3, model = $4 where camera_id = $1', [
          cameraId,
          serial,
          make,
          model,
        ]);
        return cameraId;
      }

      it('finds a camera however its number is written, but not by make and model, nor one of another make', async () => {
        const cameraId = await camera('7F3391A', 'NIKON CORPORATION', 'NIKON D750');
        await camera('7F3391B', 'NIKON CORPORATION', 'NIKON D750');
        const same = await photo({ make: 'Nikon', model: 'Nikon D750', bodySerialNumber: ' 007f-3391a ' });
        const alike = await photo({ make: 'NIKON CORPORATION', model: 'NIKON D750', bodySerialNumber: '7F3391C' });
        const other = await photo({ make: 'Canon', model: 'Canon EOS', bodySerialNumber: '7F3391A' });
        const none = await photo({ make: 'NIKON CORPORATION', model: 'NIKON D750' });
        const hits = await findCameraHits(db, [same, alike, other, none]);
        assert.deepEqual(
          hits.map((hit) => [hit.mediaId, hit.cameraId, hit.kind]),
          [[same, cameraId, 'body']],
        );
      });

      it('knows how many devices were seen and whether another make bears the same number, counting each once', async () => {
        const cameraId = await camera('SHARED1234', null, null);
        const media = [
          await photo({ make: 'One', model: 'A', bodySerialNumber: 'SHARED1234' }),
          await photo({ make: 'Two', model: 'B', bodySerialNumber: 'shared-1234' }),
          await photo({ make: 'One', model: 'A', bodySerialNumber: 'OWN98765' }),
        ];
        const before = await db.query<{ n: number }>(`select count(*)::int as n from seen_device where kind = 'body'`);
        await db.transaction(async (tx) => await recordDevices(tx, media));
        assert.equal(await db.transaction(async (tx) => await recordDevices(tx, media)), 0);
        const hits = (await findCameraHits(db, media)).filter((hit) => hit.cameraId === cameraId);
        assert.deepEqual(
          hits.map((hit) => [hit.otherModels, hit.devicesSeen]),
          [
            [1, (before[0]?.n ?? 0) + 3],
            [1, (before[0]?.n ?? 0) + 3],
          ],
        );
      });
    });
  });
}
