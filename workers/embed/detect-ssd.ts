import { type Detection, type DetectionDecoder, isPlausible, valuesAt } from './detection.ts';

/**
 * SSD with MobileNetV1 as face-api.js publishes it: the converted net moves and scales its prior boxes by itself, so an output row is a box as top,
 * left, bottom, right in parts of the input, and a score of 0 to 1. It gives no points.
 */
export const decodeSsdMobilenetV1: DetectionDecoder = (outputs, input, { scoreThreshold }, names) => {
  const boxes = valuesAt(outputs, names.boxes, 0);
  const scores = valuesAt(outputs, names.scores, 0);
  const candidates: Detection[] = [];
  const count = Math.min(scores.length, Math.floor(boxes.length / 4));
  for (let prior = 0; prior < count; prior++) {
    const score = Math.min(scores[prior] ?? 0, 1);
    if (!(score >= scoreThreshold)) continue;
    // Beyond the input there is nothing that was looked at.
    const side = (index: number) => Math.min(Math.max(boxes[prior * 4 + index] ?? 0, 0), 1);
    const [top, left, bottom, right] = [side(0), side(1), side(2), side(3)];
    const box = {
      x: left * input.widthPixels,
      y: top * input.heightPixels,
      width: (right - left) * input.widthPixels,
      height: (bottom - top) * input.heightPixels,
    };
    if (isPlausible(box, input)) candidates.push({ box, score, points: [] });
  }
  return candidates;
};
