import { Type } from 'typebox';
import { BoundedText, Closed, Count, Hex, Nullable, OneOf, type Static } from './closed.ts';
import { PdqFlavour } from './fingerprint.ts';

/** Absent is not false: a flag that the source did not give is null. */
const Flag = Nullable(Type.Boolean());

/** A perceptual hash of a known record. A PDQ whose flavour the source does not name is compared with both. */
export const KnownBits = Closed({
  algorithm: OneOf(['pdq', 'blockhash-256-r512']),
  flavour: Nullable(PdqFlavour),
  hex: Hex(32),
  /** Null when the source does not give it. */
  quality: Nullable(Count(100)),
});
export type KnownBits = Static<typeof KnownBits>;

/** One record of a hash set, as received, after reading its format. At least one digest or perceptual hash is present. */
export const KnownRecord = Closed({
  /** The source's own key of the record, if it has one. */
  sourceKey: Nullable(BoundedText(200)),
  md5: Nullable(Hex(16)),
  sha1: Nullable(Hex(20)),
  sha256: Nullable(Hex(32)),
  bits: Type.Array(KnownBits, { maxItems: 8 }),
  /** PhotoDNA values as supplied, in the order of their orientations; left out where there are none. Never computed here. */
  photoDna: Type.Optional(Type.Array(Hex(144), { minItems: 1, maxItems: 8 })),
  sizeBytes: Nullable(Count()),
  /** The category code as received; 0 is a code, null is none. Its meaning depends on the set's scheme. */
  categoryCode: Nullable(BoundedText(40)),
  series: Nullable(BoundedText(300)),
  tags: Nullable(BoundedText(1000)),
  victimIdentified: Flag,
  offenderIdentified: Flag,
  distributed: Flag,
  precategorised: Flag,
  suspected: Flag,
});
export type KnownRecord = Static<typeof KnownRecord>;

/** What a source takes back: the digests name its records by the strongest that both have, or its own key does, or a PDQ names all that have it. */
export const KnownWithdrawal = Closed({
  sourceKey: Type.Optional(BoundedText(200)),
  md5: Type.Optional(Hex(16)),
  sha1: Type.Optional(Hex(20)),
  sha256: Type.Optional(Hex(32)),
  pdq: Type.Optional(Hex(32)),
  reason: Type.Optional(BoundedText(1000)),
});
export type KnownWithdrawal = Static<typeof KnownWithdrawal>;

/** One line of a file of changes to a set: a record to add, or to correct by its hashes, or what is taken back. */
export const KnownChange = Type.Union([KnownRecord, Closed({ withdraw: KnownWithdrawal })]);

/** What the head of a file said about the set, and what was read. */
export const SetDescription = Closed({
  format: OneOf(['vics', 'csv', 'digest-list', 'pdq-list', 'ndjson', 'nsrl', 'nist-non-rds']),
  formatVersion: Nullable(BoundedText(40)),
  /** Such as `vic-us`, `caid-uk`; `unspecified` when the file names none. Codes are never compared across schemes. */
  categoryScheme: BoundedText(60),
  documentKind: Nullable(OneOf(['media', 'cases'])),
});
export type SetDescription = Static<typeof SetDescription>;

/** Why a record was not taken. */
export const REJECTION_REASONS = [
  'noHash',
  'emptyFile',
  'badDigest',
  'badPdq',
  'badField',
  'duplicate',
  'notARecord',
] as const;
export const RejectionReason = OneOf(REJECTION_REASONS);
export type RejectionReason = Static<typeof RejectionReason>;
