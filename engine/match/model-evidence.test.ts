import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { PackCalibration } from '../../schemas/model-pack.ts';
import { cameraEvidence } from './model-camera.ts';
import { fusedSimilarity, SIMILARITY_TOLERANCE, type VectorMethod } from './model-evidence.ts';
import { FACE_GATE, type FaceHit, type FaceTraits, faceEvidence, faceGate } from './model-faces.ts';
import { copyEvidence, placeEvidence } from './model-pictures.ts';

const DLIB = 'dlib-128@1.0.0/embedding';
const FACERES = 'faceres-1024@1.0.0/embedding';
const GROUNDS = { authority: 'order 7/2026', necessity: 'a child is in danger' };
/** None of 2,806 different pairs reached .8, 270 of 275 same ones did. */
const CALIBRATION: PackCalibration = {
  data: 'made up',
  identities: 12,
  samePairs: 275,
  differentPairs: 2_806,
  points: [{ score: 0.8, samePairs: 270, differentPairs: 0, falseMatchRateUpper95: 0.002 }],
};
const GOOD: FaceTraits = { eyeDistancePixels: 48, sharpness: 200, yawDegrees: 5, pitchDegrees: -5 };
/** As models/fusions/faces.json has it. */
const faces: VectorMethod = {
  spaces: [
    { space: DLIB, weight: 4 },
    { space: FACERES, weight: 1 },
  ],
  thresholdSimilarity: 0.848,
  calibration: CALIBRATION,
};
const hit = (changes: Partial<FaceHit> = {}): FaceHit => ({
  mediaId: 1,
  faceId: 10,
  traits: GOOD,
  knownFaceId: 20,
  knownMediaId: 2,
  knownTraits: GOOD,
  seriesId: 5,
  subjectId: 7,
  similarities: { [DLIB]: 0.95, [FACERES]: 0.7 },
  ...changes,
});
const search = (galleryFaces = 100, looked = 1) => ({ galleryFaces, facesLookedFor: new Map([[1, looked]]) });

describe('evidence by faces', () => {
  it('scores as the cosine of [2 x dlib, faceres] does', () => {
    const vector = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 8, maxLength: 8 });
    const unit = (values: readonly number[]) => {
      const length = Math.hypot(...values);
      return values.map((value) => value / length);
    };
    const dot = (a: readonly number[], b: readonly number[]) =>
      a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0);
    fc.assert(
      fc.property(vector, vector, vector, vector, (a, b, c, d) => {
        fc.pre([a, b, c, d].every((one) => Math.hypot(...one) > 0.01));
        const [dlibA, dlibB, faceresA, faceresB] = [unit(a), unit(b), unit(c), unit(d)];
        const joined = (one: readonly number[], other: readonly number[]) =>
          unit([...one.map((value) => 2 * value), ...other]);
        const whole = dot(joined(dlibA, faceresA), joined(dlibB, faceresB));
        const score = fusedSimilarity(faces, { [DLIB]: dot(dlibA, dlibB), [FACERES]: dot(faceresA, faceresB) });
        assert.ok(Math.abs((score ?? 9) - whole) < 1e-9);
      }),
    );
  });

  it('carries both similarities, the threshold, the comparisons and the grounds', () => {
    const { evidence } = faceEvidence([hit()], faces, search(100, 3), GROUNDS);
    assert.equal(evidence.length, 1);
    const [one] = evidence;
    assert.ok(one !== undefined);
    assert.equal(one.algorithm, `${DLIB}+${FACERES}`);
    assert.ok(Math.abs(one.distance - 0.1) < 1e-9 && Math.abs(one.threshold - 0.152) < 1e-9);
    assert.deepEqual(one.details.scores, [
      { space: DLIB, knownSpace: DLIB, similarity: 0.95, weight: 4 },
      { space: FACERES, knownSpace: FACERES, similarity: 0.7, weight: 1 },
    ]);
    assert.equal(one.gallerySize, 300);
    assert.ok(Math.abs((one.expectedFalseMatches ?? 0) - 300 * 0.002) < 1e-9);
    assert.deepEqual([one.calibrated, one.authority, one.necessity], [true, GROUNDS.authority, GROUNDS.necessity]);
  });

  it('has the distance 0 where rounding makes the similarity of a picture with itself more than 1', () => {
    const similarities = { [DLIB]: 1.0000001, [FACERES]: 1.0000002 };
    assert.equal(faceEvidence([hit({ similarities })], faces, search(), GROUNDS).evidence[0]?.distance, 0);
  });

  it('is not calibrated in a gallery larger than the calibration can speak for, nor without one', () => {
    assert.equal(faceEvidence([hit()], faces, search(501), GROUNDS).evidence[0]?.calibrated, false);
    const without = faceEvidence([hit()], { ...faces, calibration: null }, search(), GROUNDS).evidence[0];
    assert.deepEqual(
      [without?.calibrated, without?.expectedFalseMatches, without?.log10LikelihoodRatio],
      [false, null, 0],
    );
  });

  it('is none below the threshold, in the same picture, or where one of the two scores is missing', () => {
    const similarities = { [DLIB]: 0.88, [FACERES]: 0.7 };
    for (const no of [
      hit({ similarities }),
      hit({ knownMediaId: 1 }),
      hit({ similarities: { [DLIB]: 0.99 } }),
      hit({ similarities: { [DLIB]: 0.99, [FACERES]: Number.NaN } }),
    ])
      assert.deepEqual(faceEvidence([no], faces, search(), GROUNDS), { evidence: [], belowGate: [] });
  });

  it('is borderline within the tolerance above the threshold', () => {
    const of = (score: number) =>
      faceEvidence([hit({ similarities: { [DLIB]: score, [FACERES]: score } })], faces, search(), GROUNDS).evidence[0]
        ?.borderline;
    assert.equal(of(0.848 + SIMILARITY_TOLERANCE / 2), true);
    assert.equal(of(0.848 + 2 * SIMILARITY_TOLERANCE), false);
  });

  it('is none of a face that is too small, blurred or turned away, on either side, and says which and why', () => {
    const poor: readonly [Partial<FaceTraits>, string][] = [
      [{ eyeDistancePixels: FACE_GATE.leastEyeDistancePixels - 1 }, 'eyeDistance'],
      [{ sharpness: FACE_GATE.leastSharpness - 1 }, 'sharpness'],
      [{ yawDegrees: -FACE_GATE.mostYawDegrees - 1 }, 'pose'],
      [{ pitchDegrees: FACE_GATE.mostPitchDegrees + 1 }, 'pose'],
      [{ sharpness: Number.NaN }, 'sharpness'],
      [{ yawDegrees: Number.NaN }, 'pose'],
    ];
    for (const [traits, reason] of poor) {
      assert.equal(faceGate({ ...GOOD, ...traits }), reason);
      const found = faceEvidence([hit({ traits: { ...GOOD, ...traits } })], faces, search(), GROUNDS);
      const known = faceEvidence([hit({ knownTraits: { ...GOOD, ...traits } })], faces, search(), GROUNDS);
      assert.deepEqual([found.evidence, known.evidence], [[], []]);
      assert.deepEqual([found.belowGate[0]?.which, known.belowGate[0]?.which], ['found', 'known']);
      assert.equal(found.belowGate[0]?.reason, reason);
    }
  });

  it('is one for each subject, the most alike pair, and of one series not more than a few', () => {
    const better = { [DLIB]: 0.97, [FACERES]: 0.9 };
    const two = faceEvidence(
      [hit(), hit({ faceId: 11, knownFaceId: 21, similarities: better })],
      faces,
      search(),
      GROUNDS,
    );
    assert.deepEqual(
      two.evidence.map((one) => [one.faceId, one.knownFaceId]),
      [[11, 21]],
    );
    const many = Array.from({ length: 300 }, (_, at) => hit({ subjectId: at, knownFaceId: 100 + at }));
    assert.ok(faceEvidence(many, faces, search(), GROUNDS).evidence.length <= 5);
  });
});

describe('evidence by pictures', () => {
  const method: VectorMethod = {
    spaces: [{ space: 'copy@1.0.0/p', weight: 1 }],
    thresholdSimilarity: 0.75,
    calibration: CALIBRATION,
  };
  const picture = (changes = {}) => ({
    mediaId: 1,
    knownMediaId: 2,
    seriesId: 5,
    similarities: { 'copy@1.0.0/p': 0.9 },
    ...changes,
  });
  const place = (fundamentalInliers: number, homographyInliers: number) => ({
    ...picture(),
    placeId: 3,
    geometry: { tentative: 60, fundamentalInliers, homographyInliers },
  });

  const compared = { own: 'copy@1.0.0/p', known: 'copy@1.0.0/p/left' };

  it('of a copy is none of the same content', () => {
    assert.equal(copyEvidence([{ ...picture(), compared }], method, 100).length, 1);
    assert.equal(copyEvidence([{ ...picture({ knownMediaId: 1 }), compared }], method, 100).length, 0);
  });

  it('of a copy is one whatever parts were compared, and names those of the nearest pair', () => {
    const far = { ...picture(), compared: { own: compared.known, known: compared.own } };
    const near = { ...picture({ similarities: { 'copy@1.0.0/p': 0.95 } }), compared };
    const found = copyEvidence([far, near], method, 100);
    assert.deepEqual(
      found.map((one) => [one.algorithm, one.details.scores]),
      [['copy@1.0.0/p', [{ space: 'copy@1.0.0/p', knownSpace: 'copy@1.0.0/p/left', similarity: 0.95, weight: 1 }]]],
    );
  });

  it('of a place needs 15 inliers of a fundamental matrix or 10 of a homography, and says how many', () => {
    const placeMethod = { ...method, geometryCalibration: null };
    const inliersOf = (fundamental: number, homography: number) =>
      placeEvidence([place(fundamental, homography)], placeMethod, 100).map((one) => one.inliers);
    assert.deepEqual(inliersOf(15, 0), [15]);
    assert.deepEqual(inliersOf(14, 9), []);
    assert.deepEqual(inliersOf(3, 10), [10]);
    assert.deepEqual(placeEvidence([{ ...place(40, 40), geometry: null }], placeMethod, 100), []);
  });

  it('of a place weighs by the geometric check where that is calibrated', () => {
    const geometryCalibration: PackCalibration = {
      ...CALIBRATION,
      differentPairs: 10_000,
      points: [{ score: 15 / 400, samePairs: 200, differentPairs: 0, falseMatchRateUpper95: 0.0005 }],
    };
    const [by] = placeEvidence([place(20, 0)], { ...method, geometryCalibration }, 100);
    assert.equal(by?.details.falseMatchRateUpper95, 0.0005);
    assert.equal(by?.expectedFalseMatches, 0.05);
  });
});

describe('evidence by cameras', () => {
  const camera = (changes = {}) => ({
    mediaId: 1,
    seriesId: 5,
    cameraId: 9,
    kind: 'body' as const,
    devicesSeen: 10,
    otherModels: 0,
    ...changes,
  });

  it('weighs a serial number by how many devices were seen without one shared, within a convention', () => {
    const weight = (devicesSeen: number) => cameraEvidence([camera({ devicesSeen })], 3)[0]?.log10LikelihoodRatio ?? 0;
    assert.equal(weight(0), 3);
    assert.equal(weight(1_000), 3);
    assert.ok(Math.abs(weight(9_000) - 3.4777) < 0.001);
    assert.equal(weight(1e9), 4);
  });

  it('counts nothing for a number that two makes or models bear', () => {
    const [one] = cameraEvidence([camera({ otherModels: 1 })], 3);
    assert.deepEqual([one?.log10LikelihoodRatio, one?.calibrated, one?.expectedFalseMatches], [0, false, null]);
  });

  it('is not calibrated among more known cameras than the convention can speak for', () => {
    assert.equal(cameraEvidence([camera()], 1_000)[0]?.calibrated, true);
    assert.equal(cameraEvidence([camera()], 1_001)[0]?.calibrated, false);
  });
});
