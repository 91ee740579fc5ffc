import { Type } from 'typebox';
import { BoundedText, Closed, Count, Hex, Nullable, OneOf, type Static } from '../closed.ts';
import { LOOKUP_METHODS, LookupAnswerWord, LookupMatch, LookupMethod, SearchedSet } from '../lookup.ts';

/** Records of one request. */
export const MOST_LOOKED_UP = 1000;

/** One content, by any of its hashes: whatever is given is compared. PDQ of unknown flavour is compared with both. */
export const LookUpRecord = Type.Object(
  {
    /** The caller's own name for it, given back with the answer and kept nowhere. */
    reference: Type.Optional(BoundedText(200)),
    md5: Type.Optional(Hex(16)),
    sha1: Type.Optional(Hex(20)),
    sha256: Type.Optional(Hex(32)),
    pdq: Type.Optional(
      Type.Object(
        {
          hex: Hex(32),
          flavour: Type.Optional(OneOf(['pdq-512', 'pdq-full'])),
          quality: Type.Optional(Type.Integer({ minimum: 0, maximum: 100 })),
        },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false, minProperties: 1 },
);
export type LookUpRecord = Static<typeof LookUpRecord>;

export const LookUpRequest = Closed({ records: Type.Array(LookUpRecord, { minItems: 1, maxItems: MOST_LOOKED_UP }) });
export type LookUpRequest = Static<typeof LookUpRequest>;

/** A match as far as the caller may see it; what the agreement does not name is null. */
export const ToldMatch = Closed({
  method: LookupMethod,
  algorithm: LookupMatch.properties.algorithm,
  distance: Nullable(LookupMatch.properties.distance),
  threshold: LookupMatch.properties.threshold,
  source: LookupMatch.properties.source,
  setName: LookupMatch.properties.setName,
  setVersion: LookupMatch.properties.setVersion,
  setRevision: LookupMatch.properties.setRevision,
  purpose: LookupMatch.properties.purpose,
  series: LookupMatch.properties.series,
  category: LookupMatch.properties.category,
});
export type ToldMatch = Static<typeof ToldMatch>;

export const LookUpResult = Closed({
  reference: Nullable(BoundedText(200)),
  answer: LookupAnswerWord,
  searched: Type.Array(LookupMethod, { maxItems: LOOKUP_METHODS.length }),
  incomplete: Type.Boolean(),
  /** Null where the tier answers yes or no alone. */
  matches: Nullable(Type.Array(ToldMatch, { maxItems: 100 })),
  /** Beyond those told. */
  moreMatches: Count(),
});
export type LookUpResult = Static<typeof LookUpResult>;

export const LookUpAnswer = Closed({
  results: Type.Array(LookUpResult, { maxItems: MOST_LOOKED_UP }),
  /** `no` is said against these and no others. */
  sets: Nullable(Type.Array(SearchedSet, { maxItems: 10_000 })),
  /** Role address to ask about a `known` or `variant`; null where the caller sees the matches themselves. */
  contact: Nullable(BoundedText(200)),
});
export type LookUpAnswer = Static<typeof LookUpAnswer>;
