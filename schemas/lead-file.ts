import { Type } from 'typebox';
import { BoundedText, Closed, Count, Hex, Nullable, type Static } from './closed.ts';

export const LEAD_FILE_VERSION = '1.0';

const Pixels = Type.Integer({ minimum: -65_535, maximum: 131_070 });

/** What a unit's own viewer needs to find the material of a lead. No picture, no vector, no perceptual hash, and nobody's decision. */
export const ExportedLead = Closed({
  leadId: Count(),
  source: BoundedText(200),
  series: BoundedText(300),
  sha256: Hex(32),
  items: Type.Array(
    Closed({
      caseRef: BoundedText(200),
      exhibitRef: BoundedText(200),
      /** As UTF-8, odd bytes replaced; `pathHex` has them all. */
      path: BoundedText(16_384),
      pathHex: BoundedText(32_768),
    }),
  ),
  /** Pixels of the picture as stored in the file, before EXIF orientation. */
  faces: Type.Array(Closed({ faceId: Count(), x: Pixels, y: Pixels, width: Count(131_070), height: Count(131_070) }), {
    maxItems: 64,
  }),
  log10LikelihoodRatio: Type.Number(),
  reasons: Type.Array(Closed({ matchId: BoundedText(24), sentence: BoundedText(2_000) })),
  /** What stands on every lead that a face is part of; null on the others. */
  adultsOnly: Nullable(BoundedText(200)),
});
export type ExportedLead = Static<typeof ExportedLead>;

export const LeadFile = Closed({
  kind: Type.Literal('homeward-leads'),
  version: Type.Literal(LEAD_FILE_VERSION),
  exportedAt: BoundedText(30),
  leads: Type.Array(ExportedLead),
});
export type LeadFile = Static<typeof LeadFile>;

/** One verdict as a viewer sends it back. Judged row by row: a bad one is refused by name, and the others are taken. */
export const ReturnedDisposition = Closed({
  leadId: Count(),
  /** Of the content that was looked at; has to be the lead's. */
  sha256: Hex(32),
  verdict: Type.Enum(['confirmed', 'rejected', 'unsure', 'needsSecondOpinion']),
  basis: Nullable(Type.Enum(['viewed', 'partner', 'metadata'])),
  note: Nullable(BoundedText(1000)),
  decidedBy: Type.String({ minLength: 1, maxLength: 200 }),
});
export type ReturnedDisposition = Static<typeof ReturnedDisposition>;

export const DispositionFile = Closed({
  kind: Type.Literal('homeward-dispositions'),
  version: Type.Literal(LEAD_FILE_VERSION),
  dispositions: Type.Array(Type.Unknown(), { maxItems: 100_000 }),
});
