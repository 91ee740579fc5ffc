import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HomewardError } from '../../schemas/error.ts';
import type { ModelPackManifest } from '../../schemas/model-pack.ts';
import { parseManifest } from './manifest.ts';
import { tinyManifest, tinyNet } from './test-kit.ts';
import { NAMED_MANIFESTS } from './test-named-manifests.ts';

const GOOD = tinyManifest(tinyNet());
const FACE = NAMED_MANIFESTS['SFace'] ?? GOOD;
const DETECTOR = NAMED_MANIFESTS['YuNet'] ?? GOOD;

async function refusal(manifest: unknown): Promise<string> {
  try {
    await parseManifest(typeof manifest === 'string' ? manifest : JSON.stringify(manifest), 'a test');
  } catch (error) {
    if (error instanceof HomewardError && error.code === 'HW_MODEL_MANIFEST') return error.message;
    throw error;
  }
  return 'none';
}

describe('the manifest of a model pack', () => {
  for (const [model, manifest] of Object.entries(NAMED_MANIFESTS)) {
    it(`can say what ${model} is`, async () => assert.equal(await refusal(manifest), 'none'));
  }

  it('comes back as it was written', async () => {
    assert.deepEqual(await parseManifest(JSON.stringify(GOOD), 'a test'), GOOD);
  });

  it('may not be anything but JSON', async () => assert.match(await refusal('id: tiny'), /text that is no JSON/));

  it('may not hold a key that the schema does not know, and the refusal names it', async () => {
    assert.match(await refusal({ ...GOOD, postprocess: 'run.js' }), /the unknown key postprocess/);
    assert.match(await refusal({ ...GOOD, input: { ...GOOD.input, gamma: 2.2 } }), /the unknown key input.gamma/);
    assert.match(await refusal({ ...GOOD, licence: { ...GOOD.licence, free: true } }), /the unknown key licence.free/);
  });

  it('may not leave one out', async () => {
    const { calibration: _none, ...rest } = GOOD;
    assert.match(await refusal(rest), /calibration/);
  });

  for (const [what, changes] of Object.entries({
    'a path as the name of a file': { net: '../tiny.onnx' },
    'an id that is no folder name': { id: '../tiny' },
    'another version of its form': { manifestVersion: 2 },
    'a rate above 1': {
      thresholds: [
        { use: 'match', score: 0.5, falseMatchRate: 2, falseMatchRateUpper95: null, precision: null, calibratedOn: '' },
      ],
    },
    'a self-test that every net passes': { selfTest: { ...GOOD.selfTest, tolerance: 1 } },
  }))
    it(`may not have ${what}`, async () => assert.notEqual(await refusal({ ...GOOD, ...changes }), 'none'));

  const lies: Readonly<Record<string, readonly [ModelPackManifest, RegExp]>> = {
    'a net that is none of its files': [{ ...GOOD, net: 'other.onnx' }, /net is other.onnx/],
    'a file named twice': [{ ...GOOD, files: [...GOOD.files, ...GOOD.files] }, /one of them twice/],
    'a net to convert in what was supplied': [
      { ...GOOD, provenance: { ...GOOD.provenance, net: 'dlib-resnet' } },
      /provenance.net/,
    ],
    'a division by nothing': [{ ...GOOD, input: { ...GOOD.input, std: [1, 0, 1] } }, /input.std/],
    'a low-pass that is none': [{ ...GOOD, input: { ...GOOD.input, lowPassSidePixels: 8 } }, /lowPassSidePixels/],
    'a crop where nothing is cropped': [{ ...GOOD, input: { ...GOOD.input, cropFromSidePixels: 9 } }, /centreCrop/],
    'a vector of another length than its output': [
      { ...GOOD, outputs: GOOD.outputs.map((output) => ({ ...output, dimensions: 4 })) },
      /4 dimensions, but 3 values/,
    ],
    'a map whose channels are not the vector': [
      {
        ...GOOD,
        outputs: GOOD.outputs.map((output) => ({
          ...output,
          shape: [14, 14, 816],
          pooling: 'mean' as const,
          mapLayout: 'nchw' as const,
          dimensions: 816,
        })),
      },
      /816 dimensions, but 14 channels/,
    ],
    'no vector for an embedding': [
      { ...GOOD, outputs: GOOD.outputs.map((output) => ({ ...output, role: 'scores' as const })) },
      /none with the role embedding/,
    ],
    'vectors without a metric': [{ ...GOOD, metric: null }, /metric/],
    'classes of an embedding': [{ ...GOOD, classes: [{ name: 'indoors', weight: 1 }] }, /classes is for a classifier/],
    'a classifier without classes': [
      {
        ...GOOD,
        kind: 'classifier',
        metric: null,
        outputs: GOOD.outputs.map((output) => ({
          ...output,
          role: 'probabilities' as const,
          pooling: 'none' as const,
          dimensions: 0,
        })),
      },
      /classes is missing/,
    ],
    'detections from an embedding': [{ ...GOOD, detection: DETECTOR.detection }, /detection is for a faceDetector/],
    'a face without a position': [{ ...FACE, alignment: null }, /alignment is needed/],
    'a position without a face': [{ ...GOOD, alignment: FACE.alignment }, /alignment is for faces/],
    'a template of another number of points': [
      {
        ...FACE,
        alignment: FACE.alignment === null ? null : { ...FACE.alignment, points: FACE.alignment.points.slice(1) },
      },
      /4 points, for landmarks 5/,
    ],
    'a detector with strides that are not its outputs': [
      {
        ...DETECTOR,
        detection: DETECTOR.detection === null ? null : { ...DETECTOR.detection, anchors: [] },
      },
      /0 entries for 3 outputs/,
    ],
    'a self-test of another output': [
      { ...GOOD, selfTest: { ...GOOD.selfTest, output: 'pooled' } },
      /selfTest.output is pooled/,
    ],
    'a bound below the rate it bounds': [
      {
        ...GOOD,
        thresholds: [
          {
            use: 'match',
            score: 0.9,
            falseMatchRate: 0.01,
            falseMatchRateUpper95: 0.001,
            precision: null,
            calibratedOn: 'nothing',
          },
        ],
      },
      /upper bound/,
    ],
    'counts that rise with the score': [
      {
        ...GOOD,
        calibration: {
          data: 'nothing',
          identities: 2,
          samePairs: 10,
          differentPairs: 10,
          points: [
            { score: 0.5, samePairs: 5, differentPairs: 1, falseMatchRateUpper95: 0.4 },
            { score: 0.6, samePairs: 6, differentPairs: 1, falseMatchRateUpper95: 0.4 },
          ],
        },
      },
      /cannot rise/,
    ],
  };
  for (const [what, [manifest, reason]] of Object.entries(lies))
    it(`may not tell of ${what}`, async () => assert.match(await refusal(manifest), reason));
});
