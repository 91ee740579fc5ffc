import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { GeometryResult } from '../../schemas/embedding.ts';
import type { PackCalibration } from '../../schemas/model-pack.ts';
import { recordPictures } from '../../test/candidate-kit.ts';
import { STORE_ENGINES } from '../../test/store-engines.ts';
import type { SearchedMethod } from '../match/model-methods.ts';
import { openVectorSearch } from '../search/vector-open.ts';
import type { VectorSearch } from '../search/vector-search.ts';
import type { Db } from '../store/db.ts';
import { openSpaces, type SpaceKey, spaceName } from '../store/queries/embedding-spaces.ts';
import { findCandidates } from './find.ts';
import { showCandidate } from './list.ts';
import type { PairEvidence, PairSource } from './pair-evidence.ts';
import { placePairs } from './place-pairs.ts';
import { vectorPairs } from './vector-pairs.ts';

/** Scores of 0.9 and more speak for a pair, those below 0.5 against it. */
const CALIBRATION: PackCalibration = {
  data: 'made for the test',
  identities: 100,
  samePairs: 1_000,
  differentPairs: 10_000,
  points: [
    { score: 0, samePairs: 1_000, differentPairs: 10_000, falseMatchRateUpper95: 1 },
    { score: 0.5, samePairs: 990, differentPairs: 100, falseMatchRateUpper95: 0.02 },
    { score: 0.9, samePairs: 900, differentPairs: 1, falseMatchRateUpper95: 0.0006 },
  ],
};
/** Of the share of 400 keypoints that fit one scene. */
const GEOMETRY: PackCalibration = {
  ...CALIBRATION,
  points: CALIBRATION.points.map((point, at) => ({ ...point, score: [0, 0.02, 0.025][at] ?? 0 })),
};
const space = (packId: string, kind: SpaceKey['kind']): SpaceKey => ({
  packId,
  packVersion: '1.0.0',
  output: 'embedding',
  kind,
  dimensions: 3,
  metric: 'cosine',
});
/** A direction at so many degrees from the first axis. */
const at = (degrees: number): string =>
  `[${Math.cos((degrees * Math.PI) / 180)},${Math.sin((degrees * Math.PI) / 180)},0]`;

async function all(source: PairSource, mediaIds: readonly number[]): Promise<PairEvidence[]> {
  const found: PairEvidence[] = [];
  for await (const block of source.pairs(mediaIds)) found.push(...block);
  return found;
}
const pairsOf = (found: readonly PairEvidence[]): string[] =>
  [...new Set(found.map((one) => [one.mediaId, one.otherMediaId].sort((a, b) => a - b).join(' ')))].sort();

for (const engine of STORE_ENGINES) {
  describe(`pairs by vector on ${engine.name}`, engine.options, () => {
    let db: Db;
    let search: VectorSearch;
    let face: SearchedMethod;
    let place: SearchedMethod;
    let media: readonly number[];
    before(async () => {
      db = await engine.open();
      search = openVectorSearch(db);
      const [faces, places] = await openSpaces(db, [
        space('faces', 'faceEmbedding'),
        space('places', 'placeEmbedding'),
      ]);
      assert.ok(faces !== undefined && places !== undefined);
      const methodOf = (one: typeof faces): SearchedMethod => ({
        spaces: [{ space: one, weight: 1 }],
        method: {
          spaces: [{ space: spaceName(one), weight: 1 }],
          thresholdSimilarity: 0.9,
          calibration: CALIBRATION,
        },
      });
      face = methodOf(faces);
      place = methodOf(places);
      media = (
        await recordPictures(
          db,
          ['a', 'b', 'c', 'd'].map((name) => ({ name })),
        )
      ).toSorted((x, y) => x - y);
      // One person in the first three, twice over in the first (a mirror, or a twin), and somebody blurred in the last.
      await addFace(0, 0, at(0), 100);
      await addFace(0, 1, at(2), 100);
      await addFace(1, 0, at(4), 100);
      await addFace(2, 0, at(6), 20);
      await addFace(3, 0, at(1), 5);
      for (const [number, degrees] of [0, 3, 6, 90].entries()) {
        await db.execute(
          'insert into picture_vector (media_id, space_ref, embedding) values ($1, $2, $3::text::vector)',
          [media[number] ?? 0, places.spaceRef, at(degrees)],
        );
        await db.execute(
          "insert into picture_keypoints (media_id, algorithm, count, data) values ($1, 'rootsift/1', 1, decode(repeat($2, 134), 'hex'))",
          [media[number] ?? 0, `0${number}`],
        );
      }

      async function addFace(picture: number, ordinal: number, vector: string, sharpness: number): Promise<void> {
        const [made] = await db.query<{ face_id: number }>(
          `insert into face (media_id, detector, detector_version, ordinal, box_x, box_y, box_width, box_height, detection_score,
                             eye_distance_pixels, sharpness, yaw_degrees, pitch_degrees, roll_degrees, quality)
           values ($1, 'd', '1', $2, 0, 0, 9, 9, 0.9, 40, $3, 60, 0, 0, 80) returning face_id`,
          [media[picture] ?? 0, ordinal, sharpness],
        );
        await db.execute('insert into face_vector (face_id, space_ref, embedding) values ($1, $2, $3::text::vector)', [
          made?.face_id ?? 0,
          faces?.spaceRef ?? 0,
          vector,
        ]);
      }
    });
    after(async () => {
      await search.close();
      await db.close();
    });

    const named = (...numbers: number[]): string => numbers.map((number) => media[number]).join(' ');

    it('ties faces of different pictures, turned ones too, and none that are blurred', async () => {
      const found = await all(vectorPairs({ db, search, kind: 'face', searched: face }), media);
      assert.deepEqual(pairsOf(found), [named(0, 1), named(0, 2), named(1, 2)].sort());
      assert.ok(found.every(({ faceId, otherFaceId }) => faceId !== undefined && otherFaceId !== undefined));
      assert.ok(found.every(({ log10LikelihoodRatio }) => log10LikelihoodRatio > 2.5));
    });

    it('says nothing where nobody knows what the scores are worth', async () => {
      const searched = { ...face, method: { ...face.method, calibration: null } };
      assert.deepEqual(await all(vectorPairs({ db, search, kind: 'face', searched }), media), []);
    });

    it('ties places by geometry alone, and checks each pair once', async () => {
      const asked: string[] = [];
      const compare = async (
        own: { readonly data: string },
        others: readonly { readonly data: string }[],
      ): Promise<readonly GeometryResult[]> =>
        others.map((other) => {
          const numbers = [own, other].map(({ data }) => Buffer.from(data, 'base64')[0] ?? 0).sort();
          asked.push(numbers.join(' '));
          // The first and the third look alike and are not one place; the second and the last are, from another side.
          const fits = ['0 1', '1 3'].includes(numbers.join(' '));
          return { tentative: 40, fundamentalInliers: fits ? 12 : 8, homographyInliers: 0 };
        });
      const searched = { ...place, method: { ...place.method, geometryCalibration: GEOMETRY } };
      const found = await all(placePairs({ db, search, searched, compare }), media);
      assert.deepEqual(pairsOf(found), [named(0, 1), named(1, 3)].sort());
      assert.deepEqual(asked.toSorted(), ['0 1', '0 2', '0 3', '1 2', '1 3', '2 3']);
    });

    it('makes a proposal of them, with the faces as reasons', async () => {
      const { added } = await findCandidates(db, {}, [vectorPairs({ db, search, kind: 'face', searched: face })]);
      const shown = await showCandidate(db, added[0] ?? 0);
      assert.deepEqual(
        shown.members.map(({ mediaId }) => mediaId),
        media.slice(0, 3),
      );
      assert.ok(shown.why.every(({ method }) => method === 'face'));
    });
  });
}
