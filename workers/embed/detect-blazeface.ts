import { cellsOf, type Detection, type DetectionDecoder, isPlausible, sigmoid, valuesAt } from './detection.ts';
import type { Point } from './similarity.ts';

const BOX_VALUES = 4;
const POINTS = 6;
const VALUES_PER_ANCHOR = BOX_VALUES + POINTS * 2;

/**
 * BlazeFace (V. Bazarevsky et al., 2019): a grid for each stride with `perCell` anchors at each cell's centre, all of unit size. An anchor gives the
 * offset of the box's centre, its size, and six points (eyes, nose, mouth, ears; the picture's left one first), all in pixels of the input, and a logit.
 */
export const decodeBlazeface: DetectionDecoder = (outputs, input, { anchors, scoreThreshold }, names) => {
  const candidates: Detection[] = [];
  let before = 0;
  for (const [index, { stridePixels, perCell }] of anchors.entries()) {
    const boxes = valuesAt(outputs, names.boxes, index, before * VALUES_PER_ANCHOR);
    const logits = valuesAt(outputs, names.scores, index, before);
    const across = cellsOf(input.widthPixels, stridePixels);
    const all = across * cellsOf(input.heightPixels, stridePixels) * perCell;
    const count = Math.min(all, logits.length, Math.floor(boxes.length / VALUES_PER_ANCHOR));
    before += all;
    for (let anchor = 0; anchor < count; anchor++) {
      const score = sigmoid(logits[anchor] ?? Number.NEGATIVE_INFINITY);
      if (!(score >= scoreThreshold)) continue;
      const cell = Math.floor(anchor / perCell);
      const centreX = ((cell % across) + 0.5) * stridePixels;
      const centreY = (Math.floor(cell / across) + 0.5) * stridePixels;
      const value = (i: number) => boxes[anchor * VALUES_PER_ANCHOR + i] ?? 0;
      const [width, height] = [value(2), value(3)];
      const box = { x: centreX + value(0) - width / 2, y: centreY + value(1) - height / 2, width, height };
      if (!isPlausible(box, input)) continue;
      const points = Array.from(
        { length: POINTS },
        (_, i): Point => [centreX + value(BOX_VALUES + 2 * i), centreY + value(BOX_VALUES + 2 * i + 1)],
      );
      candidates.push({ box, score, points });
    }
  }
  return candidates;
};
