import { Type } from 'typebox';
import { BoundedText, Closed, Count, Hex, Nullable, OneOf, type Static } from './closed.ts';

export const CUSTODY_OUTPUT_VERSION = '1.0';

/** What a source digest is of: the bytes of one file, or the manifest of what lay there (engine/custody/manifest.ts). */
export const DIGESTS_OF = ['file', 'manifest'] as const;
export const DigestOf = OneOf(DIGESTS_OF);
export type DigestOf = Static<typeof DigestOf>;

/** One hand-over of an exhibit, or its taking over by a scan, as ISO/IEC 27037 wants it: who, when, where, why, and the integrity value. */
export const CustodyEvent = Closed({
  organisation: BoundedText(200),
  caseRef: BoundedText(200),
  /** 1, 2, 3 ... without gap within the case. */
  sequence: Count(),
  exhibitRef: BoundedText(200),
  /** The batch of the scan that took it over; null where a person recorded it. */
  batchId: Nullable(BoundedText(36)),
  from: BoundedText(200),
  to: BoundedText(200),
  place: BoundedText(200),
  /** When it was handed over; ISO 8601 in UTC, as recordedAt. */
  at: BoundedText(40),
  reason: BoundedText(1000),
  digestOf: Nullable(DigestOf),
  /** SHA-256 as it was known before, and as it was found; null where there was none. */
  sha256Before: Nullable(Hex(32)),
  sha256After: Nullable(Hex(32)),
  /** Both are there and differ: what was handed over is not what was recorded before. */
  changed: Type.Boolean(),
  tool: BoundedText(100),
  toolVersion: BoundedText(100),
  recordedBy: BoundedText(200),
  recordedAt: BoundedText(40),
  previousHash: Hex(32),
  /** SHA-256 over the canonical JSON of the event, its salt and the hash before it. */
  hash: Hex(32),
  /** When the case was erased and the digests went; the event stays. */
  erasedAt: Nullable(BoundedText(40)),
});
export type CustodyEvent = Static<typeof CustodyEvent>;

/** The custody of a case, or of one exhibit of it, and whether its chain is whole. */
export const CustodyReport = Closed({
  schemaVersion: Type.Literal(CUSTODY_OUTPUT_VERSION),
  organisation: BoundedText(200),
  caseRef: BoundedText(200),
  exhibitRef: Nullable(BoundedText(200)),
  chain: Closed({
    whole: Type.Boolean(),
    events: Count(),
    /** Events whose digests went with their case: linked, but not computed again. */
    erased: Count(),
    /** Sequence number at which it breaks. */
    brokenAt: Nullable(Count()),
  }),
  /** Events that show another digest than was recorded before. */
  changed: Count(),
  events: Type.Array(CustodyEvent),
});
export type CustodyReport = Static<typeof CustodyReport>;

/** What a scan's report says of the taking over of its source. */
export const ReportCustody = Closed({
  sequence: Count(),
  digestOf: Nullable(DigestOf),
  sha256: Nullable(Hex(32)),
  sha256Before: Nullable(Hex(32)),
  changed: Type.Boolean(),
});
export type ReportCustody = Static<typeof ReportCustody>;
