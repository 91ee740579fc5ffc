import { Type } from 'typebox';
import { BoundedText, Closed, Count, Nullable, OneOf, type Static } from './closed.ts';
import { MATCH_METHODS } from './constants.ts';
import { Orientation, PdqFlavour } from './fingerprint.ts';

export { MATCH_METHODS };

export const MatchMethod = OneOf(MATCH_METHODS);
export type MatchMethod = Static<typeof MatchMethod>;

/** Evidence that ties a media to one known record, as it was when it was found. */
export const MatchEvidence = Closed({
  method: MatchMethod,
  /** Such as `sha256`, `pdq-512/1`, `blockhash-256-r512/1`. */
  algorithm: BoundedText(60),
  distanceBits: Count(256),
  thresholdBits: Count(256),
  orientation: Nullable(Orientation),
  flavour: Nullable(PdqFlavour),
  /** In a search of the size made then; null for digests. */
  expectedFalseMatches: Nullable(Type.Number({ minimum: 0 })),
});
export type MatchEvidence = Static<typeof MatchEvidence>;
