import { cellsOf, type Detection, type DetectionDecoder, isPlausible, valuesAt } from './detection.ts';
import type { Point } from './similarity.ts';

const POINTS = 5;

/**
 * YuNet (W. Wu et al., 2023), as OpenCV's FaceDetectorYN reads it (objdetect/src/face_detect.cpp): for each stride a grid of cells with a class
 * score and an objectness, whose geometric mean is the score; the box as offset of its centre in cells and logarithm of its size in cells; five
 * points (eyes, nose, corners of the mouth; the picture's left one first) as offsets in cells.
 */
export const decodeYunet: DetectionDecoder = (outputs, input, { anchors, scoreThreshold }, names) => {
  const candidates: Detection[] = [];
  for (const [index, { stridePixels }] of anchors.entries()) {
    const classes = valuesAt(outputs, names.scores, index);
    const objectness = valuesAt(outputs, names.objectness, index);
    const boxes = valuesAt(outputs, names.boxes, index);
    const offsets = valuesAt(outputs, names.landmarks, index);
    const across = cellsOf(input.widthPixels, stridePixels);
    const cells = across * cellsOf(input.heightPixels, stridePixels);
    const count = Math.min(cells, classes.length, objectness.length, Math.floor(boxes.length / 4));
    for (let cell = 0; cell < count; cell++) {
      const score = Math.sqrt(clamped(classes[cell]) * clamped(objectness[cell]));
      if (!(score >= scoreThreshold)) continue;
      const column = cell % across;
      const row = Math.floor(cell / across);
      const width = Math.exp(boxes[cell * 4 + 2] ?? 0) * stridePixels;
      const height = Math.exp(boxes[cell * 4 + 3] ?? 0) * stridePixels;
      const box = {
        x: (column + (boxes[cell * 4] ?? 0)) * stridePixels - width / 2,
        y: (row + (boxes[cell * 4 + 1] ?? 0)) * stridePixels - height / 2,
        width,
        height,
      };
      if (!isPlausible(box, input)) continue;
      const hasPoints = offsets.length >= (cell + 1) * POINTS * 2;
      const points = Array.from(
        { length: hasPoints ? POINTS : 0 },
        (_, i): Point => [
          (column + (offsets[(cell * POINTS + i) * 2] ?? 0)) * stridePixels,
          (row + (offsets[(cell * POINTS + i) * 2 + 1] ?? 0)) * stridePixels,
        ],
      );
      candidates.push({ box, score, points });
    }
  }
  return candidates;
};

const clamped = (value: number | undefined) => Math.min(Math.max(value ?? 0, 0), 1);
