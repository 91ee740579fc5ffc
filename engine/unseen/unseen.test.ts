import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { recordPictures, type TestPicture } from '../../test/candidate-kit.ts';
import { STORE_ENGINES } from '../../test/store-engines.ts';
import type { Db } from '../store/db.ts';
import { CLUE_POINTS, CLUES, cluesOf, scoreOf, type UnseenFacts } from './clues.ts';
import { listUnseen } from './rank.ts';

const plain: UnseenFacts = {
  capture: null,
  widthPixels: 1000,
  heightPixels: 1000,
  faces: 0,
  bestFaceQuality: null,
  keypoints: null,
  classifierScore: null,
};
const nothing = {
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
};
const gps = { latitudeDegrees: 1, longitudeDegrees: 2, altitudeMetres: null };

describe('clues', () => {
  it('are told with their points, the strongest first, and sum up to the score', () => {
    const capture = { ...nothing, make: 'Maker', model: 'M 1', bodySerialNumber: '4821', gps };
    const clues = cluesOf({ ...plain, capture, faces: 2, bestFaceQuality: 100 });
    assert.deepEqual(
      clues.map(({ clue, points }) => [clue, points]),
      [
        ['gps', 6],
        ['bodySerial', 5],
        ['face', 5],
        ['camera', 3],
      ],
    );
    assert.equal(scoreOf(clues), 19);
  });

  it('that speak against a picture move it back and never say that it is out', () => {
    const capture = { ...nothing, syntheticTraces: [{ kind: 'generatorText' as const, detail: 'x' }] };
    assert.deepEqual(
      cluesOf({ ...plain, capture, widthPixels: 1600 }).map(({ clue, points }) => [clue, points]),
      [
        ['sentOn', CLUE_POINTS.sentOn],
        ['generated', CLUE_POINTS.generated],
      ],
    );
  });

  it('do not take a size for that of a messenger where a camera has left its name', () => {
    const capture = { ...nothing, make: 'Maker', model: 'M 1' };
    assert.ok(!cluesOf({ ...plain, capture, widthPixels: 1600 }).some(({ clue }) => clue === 'sentOn'));
  });

  it('never exceed their points, whatever the facts, and none is told that is left out', () => {
    const facts = fc.record({
      capture: fc.constant(null),
      widthPixels: fc.integer({ min: 1, max: 20_000 }),
      heightPixels: fc.integer({ min: 1, max: 20_000 }),
      faces: fc.nat(64),
      bestFaceQuality: fc.option(fc.nat(100)),
      keypoints: fc.option(fc.nat(400)),
      classifierScore: fc.option(fc.double({ min: -2, max: 2, noNaN: true })),
    });
    fc.assert(
      fc.property(facts, fc.subarray([...CLUES]), (given, left) => {
        for (const { clue, points } of cluesOf(given, new Set(left))) {
          assert.ok(!left.includes(clue));
          assert.ok(Math.abs(points) <= Math.abs(CLUE_POINTS[clue]));
        }
      }),
    );
  });
});

for (const engine of STORE_ENGINES) {
  describe(`unseen first on ${engine.name}`, engine.options, () => {
    let db: Db;
    let names = 0;
    before(async () => {
      db = await engine.open();
    });
    after(async () => await db.close());

    const picture = (more: Partial<TestPicture> = {}): TestPicture => {
      names += 1;
      return { name: `unseen ${names}`, ...more };
    };

    it('puts the picture richest in clues first, of equal ones the one taken first, then the one recorded first', async () => {
      const [late, early, rich, bare] = [
        await recordPictures(db, [picture({ capture: { make: 'M', model: '1', capturedAt: '2024-05-02T10:00:00' } })]),
        await recordPictures(db, [picture({ capture: { make: 'M', model: '1', capturedAt: '2023-05-02T10:00:00' } })]),
        await recordPictures(db, [picture({ capture: { make: 'M', model: '1', gps } })]),
        await recordPictures(db, [picture()]),
      ];
      const [otherBare] = await recordPictures(db, [picture()]);
      const { total, media } = await listUnseen(db, {}, { limit: 10 });
      assert.equal(total, 5);
      assert.deepEqual(
        media.map(({ mediaId }) => mediaId),
        [...rich, ...early, ...late, ...bare, otherBare],
      );
      assert.deepEqual(
        media[0]?.clues.map(({ clue }) => clue),
        ['gps', 'camera', 'resolution'],
      );
      assert.ok(media[0]?.path?.endsWith('.jpg'));
    });

    it('gives the same list page by page as whole', async () => {
      await recordPictures(
        db,
        Array.from({ length: 30 }, () => picture()),
      );
      const whole = await listUnseen(db, {}, { limit: 100 });
      const pages = [];
      for (let offset = 0; offset < whole.total; offset += 7)
        pages.push(...(await listUnseen(db, {}, { limit: 7, offset })).media);
      assert.deepEqual(pages, whole.media);
    });

    it('counts faces, and lets a classifier order without taking anything from the list', async () => {
      const before = await listUnseen(db, {}, { limit: 100 });
      const last = before.media.at(-1)?.mediaId ?? 0;
      await db.execute(
        `insert into face (media_id, detector, detector_version, ordinal, box_x, box_y, box_width, box_height, detection_score,
                           eye_distance_pixels, sharpness, yaw_degrees, pitch_degrees, roll_degrees, quality)
         values ($1, 'd', '1', 0, 0, 0, 9, 9, 0.9, 40, 90, 0, 0, 0, 80), ($1, 'd', '1', 1, 0, 0, 9, 9, 0.9, 40, 90, 0, 0, 0, 20)`,
        [last],
      );
      const withFaces = await listUnseen(db, {}, { limit: 100 });
      const clue = withFaces.media.find(({ mediaId }) => mediaId === last)?.clues.find((one) => one.clue === 'face');
      assert.deepEqual([clue?.text, clue?.points], ['2 faces', 4.4]);
    });

    it("is ordered by an operator's classifier that is in use, and loses nothing by it", async () => {
      const before = await listUnseen(db, {}, { limit: 100 });
      const last = before.media.at(-1);
      assert.ok(last !== undefined);
      const rankOf = (list: typeof before) => list.media.find(({ mediaId }) => mediaId === last.mediaId)?.rank ?? 99;
      await db.execute(
        "insert into picture_score (media_id, pack_id, pack_version, score) values ($1, 'scenes', '1.0.0', 1)",
        [last.mediaId],
      );
      const ordered = await listUnseen(db, {}, { limit: 100, classifiers: ['scenes'] });
      assert.equal(ordered.total, before.total);
      assert.ok(rankOf(ordered) < last.rank);
      const clue = ordered.media[rankOf(ordered) - 1]?.clues.find((one) => one.clue === 'classifier');
      assert.deepEqual([clue?.text, clue?.points], ["the operator's classifier", 4]);
      assert.equal(rankOf(await listUnseen(db, {}, { limit: 100, classifiers: ['another'] })), last.rank);
    });

    it('leaves out what a series holds, and what is not of the case', async () => {
      const { total, media } = await listUnseen(db, { caseRef: 'case' }, { limit: 1 });
      const first = media[0]?.mediaId ?? 0;
      await db.execute("insert into series (source, name) values ('unit', 'own')");
      await db.execute(
        "insert into series_media (series_id, media_id, added_by) select series_id, $1, 'x' from series",
        [first],
      );
      const after = await listUnseen(db, { caseRef: 'case' }, { limit: 1000 });
      assert.equal(after.total, total - 1);
      assert.ok(!after.media.some(({ mediaId }) => mediaId === first));
      await assert.rejects(listUnseen(db, { caseRef: 'nowhere' }, { limit: 1 }), /of which nothing is here/);
    });
  });
}
