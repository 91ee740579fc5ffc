import { Type } from 'typebox';
import { BoundedText, Closed, Count, Hex, Nullable, OneOf, type Static } from './closed.ts';
import { DECODE_MODES, ORIENTATIONS, PDQ_FLAVOURS } from './constants.ts';
import { NullableReason, Outcome } from './outcome.ts';

export { PIPELINE_VERSION } from './constants.ts';
export { DECODE_MODES, ORIENTATIONS, PDQ_FLAVOURS };

export const Digests = Closed({ md5: Hex(16), sha1: Hex(20), sha256: Hex(32) });
export type Digests = Static<typeof Digests>;

export const Orientation = OneOf(ORIENTATIONS);
export type Orientation = Static<typeof Orientation>;

export const PdqFlavour = OneOf(PDQ_FLAVOURS);
export type PdqFlavour = Static<typeof PdqFlavour>;

export const PdqHash = Closed({
  flavour: PdqFlavour,
  /** 256 bits, word 15 first, as the reference prints them. */
  hex: Hex(32),
  /** 0 to 100; 49 and less is too flat to match. */
  quality: Count(100),
  /** Eight hashes in the order of ORIENTATIONS; the first one is `hex`. */
  dihedral: Type.Array(Hex(32), { minItems: 8, maxItems: 8 }),
});
export type PdqHash = Static<typeof PdqHash>;

export const Blockhash = Closed({
  /** blockhash-core's bmvbhash at 16 bits a side over a fixed reduction of the picture, not over its full size. */
  variant: Type.Literal('blockhash-256-r512'),
  hex: Hex(32),
});
export type Blockhash = Static<typeof Blockhash>;

export const DecodeMode = OneOf(DECODE_MODES);
export type DecodeMode = Static<typeof DecodeMode>;

export const Picture = Closed({
  widthPixels: Count(1_000_000_000),
  heightPixels: Count(1_000_000_000),
  /** Name and version of what decoded it, such as `sharp 0.35.5 (libvips 8.18.7)`. */
  decoder: BoundedText(80),
  mode: DecodeMode,
  /** 1 in exact mode; otherwise each side was divided by this on decoding: by 4 at most, beyond it hashes are too far from those of exact mode. */
  reductionFactor: Type.Union([Type.Literal(1), Type.Literal(2), Type.Literal(4)]),
  /** Pages or frames in the file; the first one is examined. */
  frames: Count(1_000_000),
  pdq: Type.Array(PdqHash, { maxItems: 2 }),
  blockhash: Nullable(Blockhash),
});
export type Picture = Static<typeof Picture>;

export const GpsPosition = Closed({
  latitudeDegrees: Type.Number({ minimum: -90, maximum: 90 }),
  longitudeDegrees: Type.Number({ minimum: -180, maximum: 180 }),
  altitudeMetres: Nullable(Type.Number()),
});

/** A trace that a generator or editor left. The absence of traces proves nothing. */
export const SyntheticTrace = Closed({
  kind: OneOf(['c2pa', 'digitalSourceType', 'generatorText', 'editingSoftware']),
  detail: BoundedText(200),
});

const CaptureText = Nullable(BoundedText(200));
export const CaptureMetadata = Closed({
  make: CaptureText,
  model: CaptureText,
  bodySerialNumber: CaptureText,
  lensModel: CaptureText,
  lensSerialNumber: CaptureText,
  software: CaptureText,
  /** ISO 8601, local time as written, with the offset if the file has one. */
  capturedAt: Nullable(BoundedText(40)),
  gps: Nullable(GpsPosition),
  /** EXIF orientation 1 to 8. */
  exifOrientation: Nullable(Type.Integer({ minimum: 1, maximum: 8 })),
  /** True when the embedded thumbnail's shape does not fit the picture: it was edited afterwards. The thumbnail itself never leaves the host. */
  thumbnailMismatch: Nullable(Type.Boolean()),
  syntheticTraces: Type.Array(SyntheticTrace, { maxItems: 16 }),
});
export type CaptureMetadata = Static<typeof CaptureMetadata>;

/** All that is said about one file's content. Closed and bounded: pixels cannot be expressed in it. */
export const Examination = Closed({
  outcome: Outcome,
  reason: NullableReason,
  /** IANA media type by content, such as image/jpeg; `application/octet-stream` if unknown. */
  type: BoundedText(100),
  sizeBytes: Nullable(Count()),
  /** Null when the file could not be read to its end. */
  digests: Nullable(Digests),
  /** Bytes after the end of the picture (motion photo, appended archive ...); null when not determined. */
  trailingBytes: Nullable(Count()),
  picture: Nullable(Picture),
  capture: Nullable(CaptureMetadata),
});
export type Examination = Static<typeof Examination>;
