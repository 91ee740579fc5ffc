import { Type } from 'typebox';
import { BoundedText, Closed, Count, Nullable, OneOf, type Static } from './closed.ts';
import { GeometryResult } from './embedding.ts';

/** Evidence that is no digest and no bit hash. */
export const MODEL_METHODS = ['face', 'copy', 'place', 'camera'] as const;
export const ModelMethod = OneOf(MODEL_METHODS);
export type ModelMethod = Static<typeof ModelMethod>;

/** What it takes, beside the row itself, to compute a score and its weight again. No vector, no serial number. */
export const ModelMatchDetails = Closed({
  /**
   * Cosine similarity of each pair of vectors that was compared, and its share in the fused score (weights are divided by their sum).
   * Both vectors by their spaces, the media's and the known one's: two names for one space, unless parts of pictures were compared.
   */
  scores: Type.Array(
    Closed({
      space: BoundedText(180),
      knownSpace: BoundedText(180),
      similarity: Type.Number(),
      weight: Type.Number(),
    }),
    { maxItems: 8 },
  ),
  geometry: Nullable(GeometryResult),
  /** Of a serial number that agreed: how many devices had been seen then, and how many other makes or models bore the same one. */
  serial: Nullable(
    Closed({
      kind: OneOf(['body', 'lens']),
      devicesSeen: Count(),
      otherModels: Count(),
    }),
  ),
  /** What the expected number of false matches is the product of, with the comparisons made; null without a calibration. */
  falseMatchRateUpper95: Nullable(Type.Number({ minimum: 0, maximum: 1 })),
});
export type ModelMatchDetails = Static<typeof ModelMatchDetails>;
