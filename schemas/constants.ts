/**
 * What of the schemas is known without building them. A file of its own, because loading TypeBox costs a process 0.4 s before it can do
 * anything: hosts never load it, and a scan does not before its first file is read.
 */
import type { ProgressCounts } from './progress.ts';

/** Changes whenever a digest, hash, decoder or limit changes what a file's fingerprint is. */
export const PIPELINE_VERSION = '2026.11.0';

/** The eight ways a picture can lie, in the order of PDQ's dihedral hashes (flipX: top-bottom, flipY: mirror). */
export const ORIENTATIONS = [
  'original',
  'rot90',
  'rot180',
  'rot270',
  'flipX',
  'flipY',
  'flipPlus1',
  'flipMinus1',
] as const;

/** pdq-512: larger pictures are first sampled to 512 x 512 (C++ hasher, WASM). pdq-full: they are not (Java, Python). */
export const PDQ_FLAVOURS = ['pdq-512', 'pdq-full'] as const;

/** exact: decoded at full size, conforms to the published algorithm. fast: decoded at reduced size, for triage only. */
export const DECODE_MODES = ['exact', 'fast'] as const;

/**
 * What became of a file.
 * done: examined whole. partial: examined, but its data is damaged or was cut. rejected: it cannot be examined (damaged, beyond a limit
 * of the format, unreadable). notExamined: of a kind this engine does not examine (video, documents, encrypted archives ...).
 * failed: the engine could not do it (a limit of time or memory was hit, its host died twice).
 */
export const OUTCOMES = ['done', 'partial', 'rejected', 'notExamined', 'failed'] as const;

/** Of files of a kind that this engine does not examine. */
export const NOT_EXAMINED_REASONS = [
  'unknownType',
  'vectorGraphic',
  'video',
  'audio',
  'rawPhoto',
  'document',
  'executable',
  'text',
  'encrypted',
  'diskImage',
  'otherArchive',
  'archiveDepth',
  'otherPicture',
] as const;

/** Why; the table in docs/formats.md says what each one means. */
export const REASONS = [
  // partial
  'truncated',
  'corruptData',
  'decoderWarning',
  'archiveBadEntries',
  'archiveBudget',
  'modelFailed',
  // rejected
  'empty',
  'corruptHeader',
  'unsupportedVariant',
  'pixelLimit',
  'dimensionLimit',
  'tooLarge',
  'unreadable',
  'permission',
  'symbolicLink',
  'specialFile',
  'changedWhileRead',
  'changed',
  'unsafeName',
  'badCrc',
  'duplicateOffset',
  'corruptArchive',
  'unsupportedCompression',
  ...NOT_EXAMINED_REASONS,
  // failed
  'timeLimit',
  'cpuLimit',
  'memoryLimit',
  'hostCrashed',
  'internal',
] as const;

export const MATCH_METHODS = ['md5', 'sha1', 'sha256', 'pdq', 'blockhash'] as const;

export const DEFAULT_FILE_BUDGET = {
  cpuTimeMs: 10_000,
  wallTimeMs: 60_000,
  memoryBytes: 1_610_612_736,
  sizeBytes: 4_294_967_296,
  pixels: 100_000_000,
  sidePixels: 65_500,
};

export const DEFAULT_ARCHIVE_BUDGET = {
  entries: 100_000,
  entryBytes: 4_294_967_296,
  totalBytes: 68_719_476_736,
  depth: 4,
  wallTimeMs: 6 * 3_600_000,
  memoryBytes: 1_610_612_736,
};

/** Material handed in over the API: a large disk image at once, four of them of one organisation; a week for a line that was cut. */
export const DEFAULT_UPLOADS = {
  folder: null,
  mostBytes: 274_877_906_944,
  mostBytesOfOrganisation: 1_099_511_627_776,
  mostOfOrganisation: 100_000,
  staleAfterHours: 168,
  keep: false,
};

/** Unrelated cases that one known record may hit: pictures of one series pass from hand to hand, a logo or a blank page is everywhere. */
export const DEFAULT_SUSPEND_AFTER_CASES = 25;

/** The packs that are shipped; models/packs holds their manifests. */
export const DEFAULT_MODELS = {
  detector: 'blazeface',
  thoroughDetector: 'ssd-mobilenetv1',
  thoroughFaces: false,
  landmarks: 'face-landmarks-68',
  faceEmbeddings: ['dlib-128', 'faceres-1024'],
  copyEmbeddings: ['mobilenet-v2-copy'],
  placeEmbeddings: ['mobilenet-v2-place'],
  classifiers: [],
  provider: 'cpu' as const,
};

export const REPORT_SCHEMA_VERSION = '1.1';
/** Past this many items they go to an NDJSON file beside the report. */
export const MAX_ITEMS_IN_REPORT = 100_000;

/** More faces than this in one picture are counted and not described. */
export const MOST_FACES = 64;
/** More keypoints than this are left out, the weakest first: enough for a geometric check, too few to draw a picture from. */
export const MOST_KEYPOINTS = 400;
/** x and y as 16-bit fractions of the longer side (so that angles survive), scale and angle as a byte each, RootSIFT in 128 bytes. */
export const KEYPOINT_BYTES = 134;

/** Parts of a picture that get a copy vector of their own, beside the whole; what a seam shows to be two pictures has `left` and `right`, or `top` and `bottom`. */
export const COPY_PARTS = ['whole', 'centre', 'left', 'right', 'top', 'bottom'] as const;
/** Every pack of places is joined by a histogram of the picture's colours, under an output of this name and length. */
export const COLOUR_OUTPUT = 'colour';
export const COLOUR_DIMENSIONS = 40;

/** Of a net's output, the name under which a part's vector is stored. */
export const partOutput = (output: string, part: (typeof COPY_PARTS)[number]): string =>
  part === 'whole' ? output : `${output}/${part}`;

/**
 * What a hash set is for. known: material of series. good: files that are nobody's evidence. negative: pictures that perceptual hashes were found to confuse with
 * known ones; near one of these a perceptual hit is contradicted.
 */
export const SET_PURPOSES = ['known', 'good', 'negative'] as const;
export type SetPurpose = (typeof SET_PURPOSES)[number];

/** Values of the column known_bits.algorithm: PDQ whose flavour the source did not name, PDQ of each flavour, blockhash. */
export const BITS_ALGORITHMS = ['pdq', 'pdq-512', 'pdq-full', 'blockhash-256-r512'] as const;

/** Hashes of one segment of the index: its positions are 32-bit addresses of 4 GiB, and at 11 bands of 23 bits a hash takes 96 bytes. */
export const MOST_HASHES_OF_SEGMENT = 35_000_000;

/** Counts of something of which nothing was read yet; an object of one's own. */
export const noCounts = (): ProgressCounts => ({
  read: 0,
  readBytes: 0,
  known: 0,
  nearDuplicate: 0,
  unseen: 0,
  knownGood: 0,
  unknown: 0,
  partial: 0,
  rejected: 0,
  notExamined: 0,
  failed: 0,
  knownBy: [],
});
