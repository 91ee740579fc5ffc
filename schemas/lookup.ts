import { Type } from 'typebox';
import { BoundedText, Closed, Count, Hex, Nullable, OneOf, type Static } from './closed.ts';
import { MATCH_METHODS, SET_PURPOSES } from './constants.ts';
import { REJECTION_REASONS, SetDescription } from './known-record.ts';

/** PhotoDNA values are only ever compared with each other: they are supplied, never computed here. */
export const LOOKUP_METHODS = [...MATCH_METHODS, 'photodna'] as const;
export const LookupMethod = OneOf(LOOKUP_METHODS);
export type LookupMethod = Static<typeof LookupMethod>;

/**
 * known: a digest is that of a known record. variant: a perceptual hash or PhotoDNA value is near a known one. no: every hash given was
 * compared and none hit. unknown: some hash given could not be compared, and none of the others hit.
 */
export const LOOKUP_ANSWERS = ['known', 'variant', 'no', 'unknown'] as const;
export const LookupAnswerWord = OneOf(LOOKUP_ANSWERS);
export type LookupAnswerWord = Static<typeof LookupAnswerWord>;

export const LookupMatch = Closed({
  method: LookupMethod,
  /** Such as `sha256`, `pdq-512/1`, `photodna-144/1`. */
  algorithm: BoundedText(60),
  /** Bits for pdq and blockhash, Euclidean for photodna, 0 for digests. */
  distance: Type.Number({ minimum: 0 }),
  threshold: Type.Number({ minimum: 0 }),
  recordId: Count(),
  /** The source's own key of the known record. */
  recordKey: Nullable(BoundedText(200)),
  setId: Count(),
  source: BoundedText(200),
  setName: BoundedText(200),
  setVersion: Count(),
  setRevision: Count(),
  purpose: OneOf(SET_PURPOSES),
  series: Nullable(BoundedText(300)),
  seriesId: Nullable(Count()),
  category: Nullable(Closed({ scheme: BoundedText(60), code: BoundedText(40), label: Nullable(BoundedText(200)) })),
});
export type LookupMatch = Static<typeof LookupMatch>;

export const LookupAnswer = Closed({
  /** Of the usable records of the file, from 1. */
  number: Count(),
  sourceKey: Nullable(BoundedText(200)),
  md5: Nullable(Hex(16)),
  sha1: Nullable(Hex(20)),
  sha256: Nullable(Hex(32)),
  answer: LookupAnswerWord,
  /** What was compared. */
  searched: Type.Array(LookupMethod, { maxItems: LOOKUP_METHODS.length }),
  /** A hash of it was malformed, of a kind not compared here, or of a picture too flat: nothing is said of that one. */
  incomplete: Type.Boolean(),
  matches: Type.Array(LookupMatch),
});
export type LookupAnswer = Static<typeof LookupAnswer>;

/** A set that was searched: `no` is said against these, and no others. */
export const SearchedSet = Closed({
  setId: Count(),
  source: BoundedText(200),
  name: BoundedText(200),
  version: Count(),
  revision: Count(),
  purpose: OneOf(SET_PURPOSES),
  records: Count(),
});
export type SearchedSet = Static<typeof SearchedSet>;

/** What `lookup --json` prints. */
export const LookupOutput = Closed({
  file: SetDescription,
  sets: Type.Array(SearchedSet),
  /** How perceptual hashes were searched. */
  bitSearch: BoundedText(80),
  counts: Closed({ known: Count(), variant: Count(), no: Count(), unknown: Count() }),
  /** Records that could not be read at all, by reason; nothing is said of them, but that the empty file matches nothing. */
  rejected: Type.Array(Closed({ reason: OneOf(REJECTION_REASONS), records: Count() })),
  /** What was left out or taken otherwise than written, as `hashset import` notes it. */
  notes: Type.Array(Closed({ note: BoundedText(40), records: Count() })),
  answers: Type.Array(LookupAnswer),
});
export type LookupOutput = Static<typeof LookupOutput>;
