import { ORIENTATIONS } from '../../schemas/constants.ts';
import type { Examination, Orientation, PdqFlavour, Picture } from '../../schemas/fingerprint.ts';
import type { MatchEvidence } from '../../schemas/match.ts';
import type { BitHit, BitQuery, BitSearch } from '../search/bit-search.ts';
import { CALIBRATED_ALGORITHMS, type CalibratedAlgorithm } from './calibration.ts';
import { BIT_POLICY, expectedFalseMatches, passesQuality } from './policy.ts';
import { SetRules } from './set-rules.ts';

/** What speaks against a perceptual hit: the picture also lies near one that such hits are known to be confused by. */
export interface Contradiction {
  readonly setId: number;
  readonly recordId: number;
  /** 0 where it is the same file. */
  readonly distanceBits: number;
}

/** What ties one picture to one known record by a perceptual hash; at most one for each method, the nearest. */
export interface BitEvidence extends MatchEvidence {
  readonly recordId: number;
  readonly contradiction: Contradiction | null;
}

/** What the quality gates ask of a picture's hashes; null where it has no such hash. */
export interface HashQualities {
  readonly pdq512Quality: number | null;
  readonly pdqFullQuality: number | null;
  readonly hasBlockhash: boolean;
}

/**
 * The hashes by which a picture is compared with known ones: none of a flat picture. Blockhash has no quality of its own; PDQ's tells a
 * flat picture just as well.
 */
export function comparedBy({ pdq512Quality, pdqFullQuality, hasBlockhash }: HashQualities): CalibratedAlgorithm[] {
  const compared: CalibratedAlgorithm[] = [];
  if (pdq512Quality !== null && passesQuality('pdq-512', pdq512Quality)) compared.push('pdq-512');
  if (pdqFullQuality !== null && passesQuality('pdq-full', pdqFullQuality)) compared.push('pdq-full');
  const qualities = [pdq512Quality, pdqFullQuality].filter((quality) => quality !== null);
  if (hasBlockhash && qualities.length > 0 && passesQuality('blockhash-256-r512', Math.min(...qualities)))
    compared.push('blockhash-256-r512');
  return compared;
}

/** The qualities of a picture as it was examined. */
export function qualitiesOf(picture: Picture | null): HashQualities {
  const of = (flavour: PdqFlavour) => picture?.pdq.find((pdq) => pdq.flavour === flavour)?.quality ?? null;
  return {
    pdq512Quality: of('pdq-512'),
    pdqFullQuality: of('pdq-full'),
    hasBlockhash: (picture?.blockhash ?? null) !== null,
  };
}

const NO_RULES = new SetRules([]);

/** Every hash of a picture to look for: PDQ in both flavours, turned; blockhash as it lies. None of a flat picture. */
function queriesOf(
  { picture }: Examination,
  tag: number,
  rules: SetRules,
  orientations: readonly Orientation[],
): BitQuery[] {
  return comparedBy(qualitiesOf(picture)).flatMap((algorithm): BitQuery[] => {
    const radiusBits = rules.searchRadiusBits(BIT_POLICY[algorithm].thresholdBits);
    if (algorithm === 'blockhash-256-r512') {
      const bits = Buffer.from(picture?.blockhash?.hex ?? '', 'hex');
      return [{ tag, algorithm, orientation: 'original', bits, radiusBits }];
    }
    const pdq = picture?.pdq.find((one) => one.flavour === algorithm);
    return orientations.map((orientation) => ({
      tag,
      algorithm,
      orientation,
      bits: Buffer.from(pdq?.dihedral[ORIENTATIONS.indexOf(orientation)] ?? pdq?.hex ?? '', 'hex'),
      radiusBits,
    }));
  });
}

/**
 * Perceptual evidence for a group of pictures, by position in it; `orientations`: in which a known hash is looked for. What makes
 * evidence is in `evidenceOfHits`.
 */
export async function findBitEvidence(
  search: BitSearch,
  examinations: readonly Examination[],
  rules: SetRules = NO_RULES,
  orientations: readonly Orientation[] = ORIENTATIONS,
): Promise<Map<number, BitEvidence[]>> {
  const queries = examinations.flatMap((examination, at) => queriesOf(examination, at, rules, orientations));
  if (queries.length === 0) return new Map();
  const hits = await search.within(queries);
  const sizes = new Map<CalibratedAlgorithm, number>();
  for (const algorithm of CALIBRATED_ALGORITHMS) sizes.set(algorithm, await search.size(algorithm));
  return evidenceOfHits(hits, sizes, rules).evidence;
}

/** What hits say of the pictures that were looked for, by the tag of their queries. */
export interface BitFindings {
  readonly evidence: Map<number, BitEvidence[]>;
  /** The nearest negative picture of each that has one, whether or not there is evidence. */
  readonly contradictions: ReadonlyMap<number, Contradiction>;
}

/**
 * Hits on known material within the policy's distance or the set's own are evidence: of each record the nearest by each method. A hit on a
 * negative set is none, and contradicts those of its picture; known-good material is none either.
 *
 * @param sizes known hashes that a picture was compared with, by algorithm
 */
export function evidenceOfHits(
  all: readonly BitHit[],
  sizes: ReadonlyMap<CalibratedAlgorithm, number>,
  rules: SetRules,
): BitFindings {
  const hits = all.filter(
    (hit) => passesQuality(hit.query.algorithm, hit.quality) && hit.distanceBits <= thresholdOf(hit, rules),
  );
  const contradictions = contradictionsOf(hits, rules);
  const best = new Map<string, BitHit>();
  for (const hit of hits) {
    if (rules.purposeOf(hit.recordId) !== 'known') continue;
    const key = `${hit.query.tag} ${hit.recordId} ${BIT_POLICY[hit.query.algorithm].method}`;
    const before = best.get(key);
    if (before === undefined || rank(hit) < rank(before)) best.set(key, hit);
  }
  const evidence = new Map<number, BitEvidence[]>();
  for (const hit of best.values()) {
    const { algorithm, tag } = hit.query;
    const of = evidence.get(tag) ?? [];
    // How often each known hash was compared with this picture.
    const comparisons = (sizes.get(algorithm) ?? 0) * (algorithm === 'blockhash-256-r512' ? 1 : ORIENTATIONS.length);
    const contradiction = contradictions.get(tag) ?? null;
    of.push({ ...evidenceOf(hit, comparisons, thresholdOf(hit, rules)), contradiction });
    evidence.set(tag, of);
  }
  return { evidence, contradictions };
}

const thresholdOf = (hit: BitHit, rules: SetRules): number =>
  rules.radiusBitsOf(hit.recordId) ?? BIT_POLICY[hit.query.algorithm].thresholdBits;

/** The nearest negative picture of each picture that has one. */
function contradictionsOf(hits: readonly BitHit[], rules: SetRules): ReadonlyMap<number, Contradiction> {
  const found = new Map<number, Contradiction>();
  for (const { query, recordId, distanceBits } of hits) {
    const setId = rules.purposeOf(recordId) === 'negative' ? rules.setOf(recordId) : null;
    const before = found.get(query.tag);
    if (setId === null || (before !== undefined && before.distanceBits <= distanceBits)) continue;
    found.set(query.tag, { setId, recordId, distanceBits });
  }
  return found;
}

/** Nearest first; as it lies before turned; then by flavour, so that the same search always gives the same evidence. */
function rank(hit: BitHit): number {
  return (
    hit.distanceBits * 100 +
    ORIENTATIONS.indexOf(hit.query.orientation) * 10 +
    CALIBRATED_ALGORITHMS.indexOf(hit.query.algorithm)
  );
}

function evidenceOf(hit: BitHit, comparisons: number, thresholdBits: number): Omit<BitEvidence, 'contradiction'> {
  const { algorithm, orientation } = hit.query;
  const policy = BIT_POLICY[algorithm];
  return {
    recordId: hit.recordId,
    method: policy.method,
    algorithm: policy.id,
    distanceBits: hit.distanceBits,
    thresholdBits,
    orientation,
    flavour: algorithm === 'blockhash-256-r512' ? null : algorithm,
    expectedFalseMatches: expectedFalseMatches(algorithm, comparisons, thresholdBits),
  };
}
