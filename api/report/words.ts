import type { MATCH_METHODS } from '../../schemas/match.ts';
import type { OUTCOMES, Outcome, REASONS, ReasonCode } from '../../schemas/outcome.ts';
import type {
  KnownBy,
  ReportGood,
  ReportHead,
  ReportMatch,
  ReportSet,
  STANDINGS,
  Standing,
  UNKNOWN_REASONS,
  UnknownReason,
} from '../../schemas/report.ts';
import { groupDigits } from './figures.ts';
import { neutralise } from './neutralise.ts';

/** What the page and the terminal call things; docs/formats.md explains each at length. */

interface OutcomeWords {
  readonly name: string;
  readonly meaning: string;
}

const OUTCOME_WORDS = {
  done: { name: 'examined whole', meaning: 'read, decoded and compared' },
  partial: { name: 'examined in part', meaning: 'the data is damaged or was cut; what could be decoded was compared' },
  rejected: { name: 'rejected', meaning: 'cannot be examined: damaged, unreadable, or beyond a limit of its format' },
  notExamined: { name: 'not examined', meaning: 'of a kind this engine does not look into' },
  failed: {
    name: 'failed',
    meaning: 'the engine could not do it; scan again with larger budgets or look by other means',
  },
} as const satisfies Record<(typeof OUTCOMES)[number], OutcomeWords>;

const STANDING_WORDS = {
  known: 'known',
  nearDuplicate: 'near duplicate',
  unseen: 'unseen',
  knownGood: 'known-good',
  unknown: 'unknown',
  none: 'not compared',
} as const satisfies Record<(typeof STANDINGS)[number], string>;

const UNKNOWN_WORDS = {
  awaitsRematch: 'sets came into force with which it was not compared yet',
  decodedInPart: 'only a part of it could be decoded and compared',
  notHashed: 'it has no perceptual hash',
  tooFlat: 'too flat to be compared by perceptual hash',
} as const satisfies Record<(typeof UNKNOWN_REASONS)[number], string>;

const REASON_WORDS = {
  truncated: 'the data ends too early',
  corruptData: 'the data is damaged',
  decoderWarning: 'the decoder had to repair something',
  archiveBadEntries: 'some entries of the archive are damaged',
  archiveBudget: 'the archive was larger than its budget; the rest of it was left',
  modelFailed: 'a part of the models gave nothing usable',
  empty: 'empty',
  corruptHeader: 'damaged head',
  unsupportedVariant: 'variant of its format that cannot be decoded',
  pixelLimit: 'more pixels than the budget allows',
  dimensionLimit: 'a side longer than the budget allows',
  tooLarge: 'more bytes than the budget allows',
  unreadable: 'the storage gave an error',
  permission: 'no permission to read',
  symbolicLink: 'symbolic link; links are not followed',
  specialFile: 'device, pipe or socket',
  changedWhileRead: 'it changed while it was read',
  changed: 'not the content any more that was recorded',
  unsafeName: 'its name in the archive points outside the archive',
  badCrc: 'its checksum in the archive is wrong',
  duplicateOffset: 'it overlaps another entry of the archive',
  corruptArchive: 'the archive cannot be read',
  unsupportedCompression: 'compression method that cannot be unpacked',
  unknownType: 'unrecognised type',
  vectorGraphic: 'vector graphic',
  video: 'video',
  audio: 'audio',
  rawPhoto: 'camera raw photograph',
  document: 'document; pictures inside it were not looked at',
  executable: 'program',
  text: 'text',
  encrypted: 'encrypted',
  diskImage: 'disk image; mount it read-only and scan the mount',
  otherArchive: 'archive of a kind that is not unpacked',
  archiveDepth: 'archive nested deeper than the budget allows',
  otherPicture: 'picture format that is not decoded',
  timeLimit: 'longer than its budget',
  cpuLimit: 'more processor time than its budget',
  memoryLimit: 'more memory than its budget',
  hostCrashed: 'the decoder crashed twice',
  internal: 'defect of the engine',
} as const satisfies Record<(typeof REASONS)[number], string>;

const METHOD_WORDS = {
  md5: 'same MD5',
  sha1: 'same SHA-1',
  sha256: 'same SHA-256',
  pdq: 'PDQ',
  blockhash: 'blockhash',
} as const satisfies Record<(typeof MATCH_METHODS)[number], string>;

const ORIENTATION_WORDS: Readonly<Record<string, string>> = {
  original: '',
  rot90: 'rotated 90\u00b0',
  rot180: 'rotated 180\u00b0',
  rot270: 'rotated 270\u00b0',
  flipX: 'flipped top to bottom',
  flipY: 'mirrored',
  flipPlus1: 'mirrored and rotated',
  flipMinus1: 'mirrored and rotated',
};

export function outcomeWords(outcome: Outcome): OutcomeWords {
  return lookUp(OUTCOME_WORDS, outcome) ?? { name: String(outcome), meaning: '' };
}

export function standingWords(standing: Standing): string {
  return lookUp(STANDING_WORDS, standing) ?? String(standing);
}

/** What a set is for, as the list of sets says it. */
export function purposeWords(purpose: ReportSet['purpose']): string {
  return { known: 'known material', good: 'known-good', negative: 'known confusions' }[purpose];
}

/** `in the known-good set NAME version 3 of SOURCE (same SHA-256)`. */
export function goodWords({ source, setName, setVersion, method }: ReportGood): string {
  return `in the known-good set ${neutralise(setName, 80)} version ${setVersion} of ${neutralise(source, 80)} (${METHOD_WORDS[method]})`;
}

export function unknownWords(reason: UnknownReason): string {
  return lookUp(UNKNOWN_WORDS, reason) ?? String(reason);
}

export function reasonWords(reason: ReasonCode): string {
  return lookUp(REASON_WORDS, reason) ?? String(reason);
}

/** A report of a later version may hold a code that this table lacks: it is then shown as it is. */
function lookUp<W>(table: Readonly<Record<string, W>>, key: string | number): W | undefined {
  return Object.hasOwn(table, key) ? table[String(key)] : undefined;
}

/** `recorded by SOURCE as A1`: a category is a source's statement, never the engine's. */
export function recordedBy(source: string, code: string | null, label: string | null): string {
  const said = code === null ? 'without a category' : `as ${neutralise(code, 40)}`;
  return `recorded by ${neutralise(source, 80)} ${said}${label === null ? '' : ` (${neutralise(label, 80)})`}`;
}

/** The set a record came from: `set NAME version 3, scheme caid-uk`. */
export function setWords(line: Pick<KnownBy, 'setName' | 'setVersion' | 'scheme'>): string {
  return `set ${neutralise(line.setName, 80)} version ${line.setVersion}, scheme ${neutralise(line.scheme, 60)}`;
}

/** What the records of a set can be found by: `sha256 1,204, pdq-512 800`. */
export function hashesWords({ hashes }: Pick<ReportSet, 'hashes'>): string {
  return hashes.map(({ algorithm, records }) => `${neutralise(algorithm, 60)} ${groupDigits(records)}`).join(', ');
}

/** `PDQ 12 of 31 bits, mirrored`; for digests `same SHA-256`. */
export function evidenceWords(match: ReportMatch): string {
  const orientation = match.orientation === null ? '' : (lookUp(ORIENTATION_WORDS, match.orientation) ?? '');
  const method = lookUp<string>(METHOD_WORDS, match.method) ?? String(match.method);
  const words =
    match.method === 'pdq' || match.method === 'blockhash'
      ? `${method} ${match.distance} of ${match.threshold} bits`
      : method;
  const contradicted =
    match.contradictedBy == null ? '' : `contradicted by the negative set ${neutralise(match.contradictedBy)}`;
  const alone = match.uncorroborated === true ? 'uncorroborated' : '';
  return [words, orientation, contradicted, alone].filter((part) => part !== '').join(', ');
}

/** Whose material it is: "Case 2026-0412, exhibit 7", without what was not given; '' where nothing was. */
export function submissionWords({ caseRef, exhibitRef }: Pick<ReportHead['batch'], 'caseRef' | 'exhibitRef'>): string {
  const shownCase = `Case ${neutralise(caseRef, 80)}`;
  const exhibit = neutralise(exhibitRef, 80);
  if (exhibitRef === '') return caseRef === '' ? '' : shownCase;
  return caseRef === '' ? `Exhibit ${exhibit}` : `${shownCase}, exhibit ${exhibit}`;
}
