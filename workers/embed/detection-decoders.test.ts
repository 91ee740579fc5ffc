import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { PackDetection } from '../../schemas/model-pack.ts';
import { decodeBlazeface } from './detect-blazeface.ts';
import { decodeScrfd } from './detect-scrfd.ts';
import { decodeSsdMobilenetV1 } from './detect-ssd.ts';
import { decodeYunet } from './detect-yunet.ts';
import type { Detection, DetectionDecoder, OutputNames } from './detection.ts';
import { plainInput } from './test-input.ts';

const SIDE = 64;
const INPUT = plainInput(SIDE, { resize: 'letterbox' });
const STRIDES = [
  { stridePixels: 16, perCell: 2 },
  { stridePixels: 32, perCell: 6 },
];
const settings = (decoder: PackDetection['decoder'], anchors = STRIDES): PackDetection => ({
  decoder,
  scoreThreshold: 0.5,
  overlapThreshold: 0.3,
  anchors,
  tileSidePixels: null,
  tileOverlap: 0,
  mostFaces: 100,
});
const NAMES: OutputNames = {
  boxes: ['boxes16', 'boxes32'],
  scores: ['scores16', 'scores32'],
  objectness: ['objectness16', 'objectness32'],
  landmarks: ['points16', 'points32'],
};
const SSD_NAMES: OutputNames = { boxes: ['boxes'], scores: ['scores'], objectness: [], landmarks: [] };

/** A face anywhere in the input, and the anchor that is to say so. */
const face = fc.record({
  x: fc.double({ min: 2, max: 40, noNaN: true }),
  y: fc.double({ min: 2, max: 40, noNaN: true }),
  width: fc.double({ min: 4, max: 22, noNaN: true }),
  height: fc.double({ min: 4, max: 22, noNaN: true }),
  score: fc.double({ min: 0.55, max: 0.999, noNaN: true }),
  points: fc.array(fc.tuple(fc.double({ min: 0, max: 64, noNaN: true }), fc.double({ min: 0, max: 64, noNaN: true })), {
    minLength: 6,
    maxLength: 6,
  }),
});
type Face = typeof face extends fc.Arbitrary<infer F> ? F : never;
const anchor = fc.record({ scale: fc.constantFrom(0, 1), place: fc.nat(1000) });

const cellsOf = (stridePixels: number) => (SIDE / stridePixels) ** 2;
const strideOf = (scale: number) => STRIDES[scale] ?? { stridePixels: 16, perCell: 2 };

/** Cell of an anchor, and its number among those of its stride. */
function placed({ scale, place }: { scale: number; place: number }, perCell: number) {
  const { stridePixels } = strideOf(scale);
  const index = place % (cellsOf(stridePixels) * perCell);
  const cell = Math.floor(index / perCell);
  const across = SIDE / stridePixels;
  return { index, stridePixels, column: cell % across, row: Math.floor(cell / across) };
}

function assertFound(
  found: readonly Detection[],
  { x, y, width, height, score, points }: Face,
  pointCount: number,
): void {
  assert.equal(found.length, 1);
  const [only] = found;
  const near = (a: number | undefined, b: number) => assert.ok(Math.abs((a ?? Number.NaN) - b) < 1e-3, `${a} and ${b}`);
  near(only?.box.x, x);
  near(only?.box.y, y);
  near(only?.box.width, width);
  near(only?.box.height, height);
  near(only?.score, score);
  assert.equal(only?.points.length, pointCount);
  for (const [i, [px, py]] of (only?.points ?? []).entries()) {
    near(px, points[i]?.[0] ?? 0);
    near(py, points[i]?.[1] ?? 0);
  }
}

/** Outputs of zeros: what a net says where there is nothing, for a score of that value. */
function nothing(score: number, boxValues: number, pointValues: number, perCell: (scale: number) => number) {
  const outputs = new Map<string, Float32Array>();
  for (const [scale, { stridePixels }] of STRIDES.entries()) {
    const count = cellsOf(stridePixels) * perCell(scale);
    outputs.set(`boxes${stridePixels}`, new Float32Array(count * boxValues));
    outputs.set(`scores${stridePixels}`, new Float32Array(count).fill(score));
    outputs.set(`objectness${stridePixels}`, new Float32Array(count).fill(score));
    outputs.set(`points${stridePixels}`, new Float32Array(count * pointValues));
  }
  return outputs;
}

describe('decodeBlazeface', () => {
  const encode = (one: Face, where: { scale: number; place: number }) => {
    const { perCell } = strideOf(where.scale);
    const { index, stridePixels, column, row } = placed(where, perCell);
    const outputs = nothing(-20, 16, 0, (scale) => strideOf(scale).perCell);
    const [centreX, centreY] = [(column + 0.5) * stridePixels, (row + 0.5) * stridePixels];
    outputs.get(`scores${stridePixels}`)?.fill(Math.log(one.score / (1 - one.score)), index, index + 1);
    const values = [one.x + one.width / 2 - centreX, one.y + one.height / 2 - centreY, one.width, one.height];
    values.push(...one.points.flatMap(([px, py]) => [px - centreX, py - centreY]));
    outputs.get(`boxes${stridePixels}`)?.set(values, index * 16);
    return outputs;
  };

  it('gives back the face that an anchor says, with its six points', () => {
    fc.assert(
      fc.property(face, anchor, (one, where) => {
        assertFound(decodeBlazeface(encode(one, where), INPUT, settings('blazeface'), NAMES), one, 6);
      }),
    );
  });

  it('reads the same from one output of all anchors', () => {
    fc.assert(
      fc.property(face, anchor, (one, where) => {
        const outputs = encode(one, where);
        const joined = (name: string) =>
          Float32Array.from(STRIDES.flatMap(({ stridePixels }) => [...(outputs.get(`${name}${stridePixels}`) ?? [])]));
        const all = new Map([
          ['boxes', joined('boxes')],
          ['scores', joined('scores')],
        ]);
        assertFound(decodeBlazeface(all, INPUT, settings('blazeface'), SSD_NAMES), one, 6);
      }),
    );
  });
});

describe('decodeYunet', () => {
  it('gives back the face that a cell says, with its five points and the root of both scores', () => {
    fc.assert(
      fc.property(face, anchor, (one, where) => {
        const { index, stridePixels, column, row } = placed(where, 1);
        const outputs = nothing(0, 4, 10, () => 1);
        const set = (name: string, values: number[], at: number) =>
          outputs.get(`${name}${stridePixels}`)?.set(values, at);
        set('scores', [one.score], index);
        set('objectness', [one.score], index);
        const centre = [(one.x + one.width / 2) / stridePixels - column, (one.y + one.height / 2) / stridePixels - row];
        set('boxes', [...centre, Math.log(one.width / stridePixels), Math.log(one.height / stridePixels)], index * 4);
        const five = one.points.slice(0, 5);
        set(
          'points',
          five.flatMap(([px, py]) => [px / stridePixels - column, py / stridePixels - row]),
          index * 10,
        );
        assertFound(decodeYunet(outputs, INPUT, settings('yunet'), NAMES), one, 5);
      }),
    );
  });
});

describe('decodeScrfd', () => {
  it('gives back the face that an anchor says, with its five points', () => {
    fc.assert(
      fc.property(face, anchor, (one, where) => {
        const { perCell } = strideOf(where.scale);
        const { index, stridePixels, column, row } = placed(where, perCell);
        const outputs = nothing(0, 4, 10, (scale) => strideOf(scale).perCell);
        const [x, y] = [column * stridePixels, row * stridePixels];
        const sides = [x - one.x, y - one.y, one.x + one.width - x, one.y + one.height - y];
        outputs.get(`scores${stridePixels}`)?.set([one.score], index);
        outputs.get(`boxes${stridePixels}`)?.set(
          sides.map((side) => side / stridePixels),
          index * 4,
        );
        const five = one.points.slice(0, 5).flatMap(([px, py]) => [(px - x) / stridePixels, (py - y) / stridePixels]);
        outputs.get(`points${stridePixels}`)?.set(five, index * 10);
        assertFound(decodeScrfd(outputs, INPUT, settings('scrfd'), NAMES), one, 5);
      }),
    );
  });
});

describe('decodeSsdMobilenetV1', () => {
  it('gives back the face that a row says, in pixels of the input', () => {
    fc.assert(
      fc.property(face, fc.nat(99), (one, row) => {
        const boxes = new Float32Array(400);
        const scores = new Float32Array(100);
        scores[row] = one.score;
        boxes.set([one.y / SIDE, one.x / SIDE, (one.y + one.height) / SIDE, (one.x + one.width) / SIDE], row * 4);
        const outputs = new Map([
          ['boxes', boxes],
          ['scores', scores],
        ]);
        assertFound(decodeSsdMobilenetV1(outputs, INPUT, settings('ssdMobilenetV1', []), SSD_NAMES), one, 0);
      }),
    );
  });
});

describe('every decoder', () => {
  const decoders: [PackDetection['decoder'], DetectionDecoder][] = [
    ['blazeface', decodeBlazeface],
    ['ssdMobilenetV1', decodeSsdMobilenetV1],
    ['yunet', decodeYunet],
    ['scrfd', decodeScrfd],
  ];
  const odd = fc.float32Array({ minLength: 0, maxLength: 700 });

  for (const [name, decode] of decoders)
    it(`gives boxes of a face's form for whatever ${name} puts out, of whatever length`, () => {
      fc.assert(
        fc.property(odd, odd, odd, (boxes, scores, points) => {
          const names = [...NAMES.boxes, ...NAMES.scores, ...NAMES.objectness, ...NAMES.landmarks];
          const outputs = new Map(
            names.map((output) => [
              output,
              output.startsWith('boxes') ? boxes : output.startsWith('p') ? points : scores,
            ]),
          );
          for (const { box, score } of decode(outputs, INPUT, settings(name), NAMES)) {
            assert.ok(box.width > 0 && box.height > 0 && box.width <= 4 * SIDE && box.height <= 4 * SIDE);
            assert.ok(score >= 0.5 && score <= 1);
          }
        }),
      );
    });
});
