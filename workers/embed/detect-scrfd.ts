import { cellsOf, type Detection, type DetectionDecoder, isPlausible, valuesAt } from './detection.ts';
import type { Point } from './similarity.ts';

const POINTS = 5;

/**
 * SCRFD (J. Guo et al., 2021), as InsightFace reads it (python-package model_zoo/scrfd.py): for each stride a grid with `perCell` anchors at each
 * cell's corner, a score of 0 to 1, the distances of the box's four sides in strides, and five points (eyes, nose, corners of the mouth; the
 * picture's left one first) as offsets in strides.
 */
export const decodeScrfd: DetectionDecoder = (outputs, input, { anchors, scoreThreshold }, names) => {
  const candidates: Detection[] = [];
  for (const [index, { stridePixels, perCell }] of anchors.entries()) {
    const scores = valuesAt(outputs, names.scores, index);
    const boxes = valuesAt(outputs, names.boxes, index);
    const offsets = valuesAt(outputs, names.landmarks, index);
    const across = cellsOf(input.widthPixels, stridePixels);
    const all = across * cellsOf(input.heightPixels, stridePixels) * perCell;
    const count = Math.min(all, scores.length, Math.floor(boxes.length / 4));
    for (let anchor = 0; anchor < count; anchor++) {
      const score = Math.min(scores[anchor] ?? 0, 1);
      if (!(score >= scoreThreshold)) continue;
      const cell = Math.floor(anchor / perCell);
      const x = (cell % across) * stridePixels;
      const y = Math.floor(cell / across) * stridePixels;
      const distance = (side: number) => (boxes[anchor * 4 + side] ?? 0) * stridePixels;
      const [left, top] = [x - distance(0), y - distance(1)];
      const box = { x: left, y: top, width: x + distance(2) - left, height: y + distance(3) - top };
      if (!isPlausible(box, input)) continue;
      const hasPoints = offsets.length >= (anchor + 1) * POINTS * 2;
      const points = Array.from(
        { length: hasPoints ? POINTS : 0 },
        (_, i): Point => [
          x + (offsets[(anchor * POINTS + i) * 2] ?? 0) * stridePixels,
          y + (offsets[(anchor * POINTS + i) * 2 + 1] ?? 0) * stridePixels,
        ],
      );
      candidates.push({ box, score, points });
    }
  }
  return candidates;
};
