import { SIMILARITY_TOLERANCE } from '../match/model-evidence.ts';
import { FACE_GATE } from '../match/model-faces.ts';
import { comparedVector } from './compared-vector.ts';
import type { LeadEvidence } from './lead-evidence.ts';

/** Stands on every lead that a face is part of. */
export const ADULTS_ONLY =
  'Adults only: no public test covers children or ageing; a face is a lead for a person to judge.';

const ORIENTATION_WORDS = {
  original: 'as it lies',
  rot90: 'turned by 90 degrees',
  rot180: 'turned by 180 degrees',
  rot270: 'turned by 270 degrees',
  flipX: 'flipped top to bottom',
  flipY: 'mirrored',
  flipPlus1: 'mirrored along one diagonal',
  flipMinus1: 'mirrored along the other diagonal',
} as const;

/** One piece of evidence in one plain sentence, with what it may not be used for in a second one. */
export function sentenceOf(one: LeadEvidence): string {
  return [what(one), ...caveats(one)].join(' ');
}

function what(one: LeadEvidence): string {
  const { details } = one;
  switch (one.method) {
    case 'pdq':
    case 'blockhash':
      return `A perceptual hash (${one.algorithm}) is ${one.distance} bits from a known one of ${one.set ?? 'a set'}, where ${one.threshold} are allowed, with the picture ${ORIENTATION_WORDS[one.orientation ?? 'original']}; ${expectation(one)}.`;
    case 'copy':
      return `The picture is like a known picture of the series, as an edited copy would be${partsCompared(one)}: ${distances(one)}; ${expectation(one)}.`;
    case 'face':
      return `A face${one.eyeDistancePixels === null ? '' : ` (eyes ${Math.round(one.eyeDistancePixels)} pixels apart)`} is like one of ${one.reference === null ? 'the series' : `subject ${one.reference}`}: ${distances(one)}; ${expectation(one)}.`;
    case 'place':
      return `The picture shows what may be place ${one.reference ?? 'of the series'}: ${one.inliers ?? 0} points fit one scene (${details?.geometry?.fundamentalInliers ?? 0} by a fundamental matrix, where 15 are asked for, ${details?.geometry?.homographyInliers ?? 0} by a homography, where 10 are), ${distances(one)}; ${expectation(one)}.`;
    case 'camera':
      return `The file names the ${details?.serial?.kind === 'lens' ? 'lens' : 'camera'} serial number of device ${one.reference ?? 'of the series'}, one of ${details?.serial?.devicesSeen ?? 0} seen so far; ${expectation(one)}.`;
  }
}

/** Which parts of two pictures are alike; nothing is said of whole ones. */
function partsCompared({ details }: LeadEvidence): string {
  const [score] = details?.scores ?? [];
  if (score === undefined) return '';
  const [own, known] = [score.space, score.knownSpace].map((space) => comparedVector(space, 'copy').part);
  if (own === 'whole' && known === 'whole') return '';
  const named = (part: string | null | undefined): string => (part === 'whole' ? 'the whole' : `the ${part} part`);
  return ` (${named(own)} of it beside ${named(known)} of the known one)`;
}

function distances(one: LeadEvidence): string {
  const parts = one.details?.scores ?? [];
  const shown =
    parts.length > 1
      ? `, from similarities of ${parts.map(({ space, similarity }) => `${similarity.toFixed(3)} (${space})`).join(' and ')}`
      : ` (${one.algorithm})`;
  return `distance ${one.distance.toFixed(3)}, where ${one.threshold.toFixed(3)} is allowed${shown}`;
}

function expectation({ expectedFalseMatches, comparisons }: LeadEvidence): string {
  const search = comparisons === null ? 'a search of that size' : `${comparisons} comparisons`;
  if (expectedFalseMatches === null) return `how many false matches ${search} give is not known`;
  return `at most ${plainNumber(expectedFalseMatches)} false matches as near are to be expected in ${search}`;
}

function caveats(one: LeadEvidence): string[] {
  const serial = one.details?.serial ?? null;
  return [
    ...(serial !== null && serial.otherModels > 0
      ? [`${serial.otherModels} other makes or models bear the same number, so it identifies nothing.`]
      : []),
    ...(one.contradictedBy === null
      ? []
      : [
          `Contradicted: the picture is also near one of the negative set ${one.contradictedBy}, so no lead rests on it alone.`,
        ]),
    ...(one.calibrated ? [] : ['Not calibrated for a search of this size: no lead rests on it alone.']),
    ...(one.borderline
      ? [`Borderline: within ${SIMILARITY_TOLERANCE} of the threshold, so another processor might not have found it.`]
      : []),
    ...(one.method === 'face' && (one.eyeDistancePixels ?? 0) < 2 * FACE_GATE.leastEyeDistancePixels
      ? ['The face is small.']
      : []),
  ];
}

/** As people read it, with two figures that mean something. */
function plainNumber(value: number): string {
  if (value === 0) return '0';
  if (value >= 100) return String(Math.round(value));
  return value >= 0.001 ? String(Number(value.toPrecision(2))) : `1 in ${groupedThousands(Math.round(1 / value))}`;
}

function groupedThousands(value: number): string {
  return value > 1e15 ? `10^${Math.floor(Math.log10(value))}` : value.toLocaleString('en-GB');
}
