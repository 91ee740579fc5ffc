import { Type } from 'typebox';
import { BoundedText, Closed, Count, Hex, Nullable, OneOf, type Static } from './closed.ts';
import { REPORT_SCHEMA_VERSION, SET_PURPOSES } from './constants.ts';
import { ReportCustody } from './custody.ts';
import { EmbedStepTimes } from './embedding.ts';
import { CaptureMetadata, DecodeMode, Digests, Orientation, PdqFlavour } from './fingerprint.ts';
import { ArchiveBudget, FileBudget } from './host-protocol.ts';
import { MatchMethod } from './match.ts';
import { ModelMethod } from './model-match.ts';
import { PackId, PackKind } from './model-pack.ts';
import { Outcome, ReasonCode } from './outcome.ts';

export { MAX_ITEMS_IN_REPORT } from './constants.ts';
export { REPORT_SCHEMA_VERSION };

/** A match as a report shows it: who recorded it as what, and how near it is. */
export const ReportMatch = Closed({
  method: MatchMethod,
  algorithm: BoundedText(60),
  /** Bits; 0 for digests. */
  distance: Count(256),
  /** Bits; 0 for digests. */
  threshold: Count(256),
  orientation: Nullable(Orientation),
  flavour: Nullable(PdqFlavour),
  expectedFalseMatches: Nullable(Type.Number({ minimum: 0 })),
  source: BoundedText(200),
  setName: BoundedText(200),
  setVersion: Count(),
  /** How many deltas had changed the set when this was found; left out in reports of earlier versions, as the next two. */
  setRevision: Type.Optional(Count()),
  /** A negative set with a picture that this one is also near: the hit makes no lead by itself. */
  contradictedBy: Type.Optional(Nullable(BoundedText(450))),
  /** No second family of methods (digests, PDQ, blockhash, copies, faces, places, cameras) ties the item to the same series. */
  uncorroborated: Type.Optional(Type.Boolean()),
  series: Nullable(BoundedText(300)),
  /** As received, with the scheme that gives it a meaning. */
  category: Nullable(Closed({ scheme: BoundedText(60), code: BoundedText(40), label: Nullable(BoundedText(200)) })),
});
export type ReportMatch = Static<typeof ReportMatch>;

/** Evidence by a model or by a camera's serial number. It is a lead for a person to judge, never an identification. */
export const ReportModelMatch = Closed({
  matchId: Count(),
  method: ModelMethod,
  /** Packs, versions and outputs that were compared; `exif-serial/1` for a camera. */
  algorithm: BoundedText(200),
  /** Cosine distance, 0 to 2; 0 for a camera. */
  distance: Type.Number({ minimum: 0, maximum: 2 }),
  threshold: Type.Number({ minimum: 0, maximum: 2 }),
  expectedFalseMatches: Nullable(Type.Number({ minimum: 0 })),
  /** False: the calibration cannot show that less than one false match was to be expected. No lead rests on it alone. */
  calibrated: Type.Boolean(),
  borderline: Type.Boolean(),
  inliers: Nullable(Count()),
  source: BoundedText(200),
  series: BoundedText(300),
  /** Reference of the subject, place or camera within the series; null for a copy of one of its pictures. */
  reference: Nullable(BoundedText(100)),
});
export type ReportModelMatch = Static<typeof ReportModelMatch>;

/** What the models said of an item's content. */
export const ReportItemModels = Closed({
  outcome: Outcome,
  reason: Nullable(ReasonCode),
  /** Null where faces were not looked for. */
  facesFound: Nullable(Count()),
  /** Of them, too small, blurred or turned away to be compared with known ones. */
  facesBelowGate: Nullable(Count()),
  matches: Type.Array(ReportModelMatch),
});
export type ReportItemModels = Static<typeof ReportItemModels>;

/** Of the second stage; counts are of contents, not of items. */
export const ReportModels = Closed({
  packs: Type.Array(Closed({ id: PackId, version: BoundedText(20), kind: PackKind, netSha256: Hex(32) }), {
    maxItems: 32,
  }),
  /** What ran them, such as `cpu`. */
  provider: BoundedText(40),
  /** Under what faces were looked for; null: they were not. */
  faceSearch: Nullable(Closed({ authority: BoundedText(200), necessity: BoundedText(1000) })),
  done: Count(),
  partial: Count(),
  rejected: Count(),
  failed: Count(),
  /** Not looked at yet: an interrupted stage. */
  left: Count(),
  faces: Nullable(Count()),
  /** Of them, those that give no evidence: their eyes are too near together, they are blurred, or turned away; each counts once, by the first that holds. */
  facesBelowGate: Nullable(Closed({ eyeDistance: Count(), sharpness: Count(), pose: Count() })),
  /** Contents that some evidence of the method ties to a series. */
  matched: Type.Array(Closed({ method: ModelMethod, media: Count() }), { maxItems: 8 }),
  /** Open leads of this batch's contents. */
  openLeads: Count(),
  /** What this run of the models took by step, all threads together. */
  stepMs: EmbedStepTimes,
});
export type ReportModels = Static<typeof ReportModels>;

/** A known-good set that has an item's content: no evidence. Beside matches it contradicts them, and they hold. */
export const ReportGood = Closed({
  source: BoundedText(200),
  setName: BoundedText(200),
  setVersion: Count(),
  /** The strongest digest that its record has, by which it was found. */
  method: OneOf(['md5', 'sha1', 'sha256']),
});
export type ReportGood = Static<typeof ReportGood>;

/**
 * known: a digest match (identical content). nearDuplicate: a perceptual match only. unseen: compared by every hash in use with every
 * set named, and nothing matched. unknown: nothing matched, but the comparison was not whole; `unknownFor` says why. knownGood: nothing
 * known matched, and a known-good set has this content. none: no picture that was examined, so nothing can be said.
 */
export const STANDINGS = ['known', 'nearDuplicate', 'unseen', 'unknown', 'knownGood', 'none'] as const;
export const Standing = OneOf(STANDINGS);
export type Standing = Static<typeof Standing>;

/**
 * Why it is not known whether a picture is known. awaitsRematch: sets came into force with which it was not compared yet.
 * decodedInPart: its hashes are those of a part. notHashed: it has no perceptual hash. tooFlat: a perceptual hash of it means nothing.
 */
export const UNKNOWN_REASONS = ['awaitsRematch', 'decodedInPart', 'notHashed', 'tooFlat'] as const;
export const UnknownReason = OneOf(UNKNOWN_REASONS);
export type UnknownReason = Static<typeof UnknownReason>;

export const ReportItem = Closed({
  /** As UTF-8; where the name is not valid UTF-8 the odd bytes are replaced and `pathHex` has them all. An archive entry is `archive.zip!/name`. */
  path: BoundedText(16_384),
  pathHex: Nullable(BoundedText(32_768)),
  sizeBytes: Nullable(Count()),
  modifiedAt: Nullable(BoundedText(40)),
  sha256: Nullable(Hex(32)),
  md5: Nullable(Hex(16)),
  sha1: Nullable(Hex(20)),
  type: BoundedText(100),
  outcome: Outcome,
  reason: Nullable(ReasonCode),
  reasonDetail: Nullable(BoundedText(300)),
  standing: Standing,
  /** Null unless the standing is `unknown`. */
  unknownFor: Nullable(UnknownReason),
  widthPixels: Nullable(Count()),
  heightPixels: Nullable(Count()),
  /** The lower of the PDQ qualities; 49 and less was not matched by perceptual hash. */
  quality: Nullable(Count(100)),
  trailingBytes: Nullable(Count()),
  capture: Nullable(CaptureMetadata),
  matches: Type.Array(ReportMatch),
  /** Known-good sets that have this content. */
  knownGood: Type.Array(ReportGood),
  /** Null where the models did not look at it. */
  models: Nullable(ReportItemModels),
});
export type ReportItem = Static<typeof ReportItem>;

export const KnownBy = Closed({
  source: BoundedText(200),
  setName: BoundedText(200),
  setVersion: Count(),
  scheme: BoundedText(60),
  code: Nullable(BoundedText(40)),
  label: Nullable(BoundedText(200)),
  /** Items (not contents) that matched such a record by digest, and by perceptual hash only. */
  known: Count(),
  nearDuplicate: Count(),
});
export type KnownBy = Static<typeof KnownBy>;

export const ReportCounts = Closed({
  items: Count(),
  /** Distinct contents. */
  media: Count(),
  known: Count(),
  nearDuplicate: Count(),
  unseen: Count(),
  /** Items that known-good sets have and nothing known matched. */
  knownGood: Count(),
  /** Items that both known material and a known-good set have: counted as known, and one of the two sets is wrong. */
  contradicted: Count(),
  unknown: Count(),
  /** Behind `unknown`. */
  byUnknownReason: Type.Array(Closed({ reason: UnknownReason, items: Count() })),
  done: Count(),
  partial: Count(),
  rejected: Count(),
  notExamined: Count(),
  failed: Count(),
  /** Always shown with `known`: a known holiday picture and a known abuse picture are not the same thing. */
  knownBy: Type.Array(KnownBy),
  /** Examined (done or partial) N of M files, B of C bytes. */
  examinedItems: Count(),
  examinedBytes: Count(),
  totalBytes: Count(),
  byReason: Type.Array(Closed({ outcome: Outcome, reason: ReasonCode, items: Count() })),
  byType: Type.Array(Closed({ type: BoundedText(100), items: Count() })),
  /** What this run added to the database; all zero when the same folder is scanned again. */
  added: Closed({ items: Count(), media: Count(), matches: Count() }),
});
export type ReportCounts = Static<typeof ReportCounts>;

/** Figures for the charts, over all items, so that the page needs no item list. */
export const ReportFigures = Closed({
  bySeries: Type.Array(Closed({ source: BoundedText(200), series: BoundedText(300), items: Count() })),
  /** Items by month of capture, `2024-07`. */
  captureTimeline: Type.Array(Closed({ month: BoundedText(7), items: Count() })),
  cameras: Type.Array(
    Closed({ make: BoundedText(200), model: BoundedText(200), serialNumbers: Count(), items: Count() }),
  ),
  /** Best perceptual distance of each item that has one. */
  distanceHistogram: Type.Array(Closed({ distance: Count(256), items: Count() })),
  syntheticTraces: Count(),
  withGps: Count(),
});
export type ReportFigures = Static<typeof ReportFigures>;

export const ReportSet = Closed({
  source: BoundedText(200),
  name: BoundedText(200),
  version: Count(),
  sha256: Hex(32),
  format: BoundedText(60),
  records: Count(),
  importedAt: BoundedText(40),
  /** known: `nothing known` is said against it. good: it says what is nobody's evidence. */
  purpose: OneOf(SET_PURPOSES),
  /** As its source numbers it; null where the source does not. */
  sourceVersion: Nullable(BoundedText(100)),
  /** When records were last added to it or withdrawn from it while in force; null: never. */
  updatedAt: Nullable(BoundedText(40)),
  /** What its records can be found by, such as md5, pdq-512, pdq (flavour not named), blockhash-256-r512. */
  hashes: Type.Array(Closed({ algorithm: BoundedText(60), records: Count() }), { maxItems: 16 }),
});
export type ReportSet = Static<typeof ReportSet>;

/** State of what was known when the report was made, and how far the comparison with it came. */
export const ReportSearch = Closed({
  /** Number of the latest change of what is known (a set came, was updated or went); 0: there was none. */
  changeId: Count(),
  changedAt: Nullable(BoundedText(40)),
  /** Sets with which material recorded before they came was not compared yet; null: there are none. */
  awaitsRematch: Nullable(Closed({ sets: Count(), firstChangeId: Count(), lastChangeId: Count() })),
  /** Methods besides the hashes of `sets`: whether the models and the serial numbers of cameras were compared with the unit's series. */
  models: Type.Array(Closed({ method: ModelMethod, state: OneOf(['complete', 'interrupted', 'leftOut']) }), {
    maxItems: 8,
  }),
});
export type ReportSearch = Static<typeof ReportSearch>;

export const SandboxState = Closed({
  /** none: hosts have no network. host: they have the machine's, which is said in red. */
  network: OneOf(['none', 'host']),
  namespace: OneOf(['root', 'user', 'none']),
  /** Whether the data folder and keys are hidden from hosts, and by what. */
  dataFolder: OneOf(['hidden', 'readRefused', 'visible']),
  memoryLimit: Type.Boolean(),
  cpuLimit: Type.Boolean(),
  warnings: Type.Array(BoundedText(300), { maxItems: 20 }),
});
export type SandboxState = Static<typeof SandboxState>;

export const Report = Closed({
  schemaVersion: Type.Literal(REPORT_SCHEMA_VERSION),
  engine: Closed({
    version: BoundedText(40),
    pipelineVersion: BoundedText(40),
    runtime: BoundedText(80),
    decoders: Type.Array(BoundedText(80)),
    algorithms: Type.Array(
      Closed({ id: BoundedText(60), thresholdBits: Count(256), minimumQuality: Nullable(Count(100)) }),
    ),
    database: BoundedText(120),
    /** What a search of perceptual hashes was answered by, such as `pgvector <~> scan`. */
    bitSearch: BoundedText(80),
  }),
  batch: Closed({
    batchId: BoundedText(36),
    caseRef: BoundedText(200),
    exhibitRef: BoundedText(200),
    organisation: BoundedText(200),
    operator: BoundedText(200),
    machine: BoundedText(300),
    mode: DecodeMode,
    roots: Type.Array(BoundedText(16_384)),
    startedAt: BoundedText(40),
    finishedAt: BoundedText(40),
    complete: Type.Boolean(),
    /** Stages and their state; models come as a later stage. */
    stages: Type.Array(
      Closed({ stage: OneOf(['hashes', 'models']), state: OneOf(['pending', 'complete', 'interrupted', 'leftOut']) }),
    ),
    budgets: Closed({ file: FileBudget, archive: ArchiveBudget }),
    sandbox: SandboxState,
  }),
  /** The taking over of the source; null where it was not gone through to its end, left out in reports of earlier versions. */
  custody: Type.Optional(Nullable(ReportCustody)),
  /** Every set that was searched; `nothing known` is said against these and no others. */
  sets: Type.Array(ReportSet),
  search: ReportSearch,
  counts: ReportCounts,
  figures: ReportFigures,
  /** Null where the models were left out. */
  models: Nullable(ReportModels),
  /** Name of the NDJSON file beside this one that holds the items, when there are more than MAX_ITEMS_IN_REPORT. */
  itemsFile: Nullable(BoundedText(300)),
  items: Type.Array(ReportItem),
});
export type Report = Static<typeof Report>;
export type ReportHead = Omit<Report, 'items'>;

/** The element of `fingerprint --json`. */
export const FingerprintOutput = Closed({
  path: BoundedText(16_384),
  pathHex: Nullable(BoundedText(32_768)),
  sizeBytes: Nullable(Count()),
  type: BoundedText(100),
  md5: Nullable(Digests.properties.md5),
  sha1: Nullable(Digests.properties.sha1),
  sha256: Nullable(Digests.properties.sha256),
  outcome: Outcome,
  reason: Nullable(ReasonCode),
  reasonDetail: Nullable(BoundedText(300)),
  widthPixels: Nullable(Count()),
  heightPixels: Nullable(Count()),
  decoder: Nullable(BoundedText(80)),
  mode: Nullable(DecodeMode),
  pdq: Type.Array(
    Closed({
      flavour: PdqFlavour,
      hex: Hex(32),
      quality: Count(100),
      dihedral: Type.Array(Hex(32), { minItems: 8, maxItems: 8 }),
    }),
  ),
  blockhash: Nullable(Hex(32)),
  blockhashVariant: Nullable(BoundedText(60)),
  trailingBytes: Nullable(Count()),
  capture: Nullable(CaptureMetadata),
});
export type FingerprintOutput = Static<typeof FingerprintOutput>;
