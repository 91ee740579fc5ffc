import { ORIENTATIONS } from '../../schemas/constants.ts';
import type { Examination } from '../../schemas/fingerprint.ts';
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

const NO_RULES = new SetRules([]);

/** How often each known hash is compared with one picture. */
const COMPARISONS_PER_RECORD = {
  'pdq-512': ORIENTATIONS.length,
  'pdq-full': ORIENTATIONS.length,
  'blockhash-256-r512': 1,
} as const;

/** Every hash of a picture to look for: PDQ in both flavours and eight orientations, blockhash as it lies. None of a flat picture. */
function queriesOf(examination: Examination, tag: number, rules: SetRules): BitQuery[] {
  const { picture } = examination;
  if (picture === null) return [];
  const qualities = picture.pdq.map((pdq) => pdq.quality);
  const queries: BitQuery[] = picture.pdq
    .filter((pdq) => passesQuality(pdq.flavour, pdq.quality))
    .flatMap((pdq) =>
      ORIENTATIONS.map((orientation, at) => ({
        tag,
        algorithm: pdq.flavour,
        orientation,
        bits: Buffer.from(pdq.dihedral[at] ?? pdq.hex, 'hex'),
        radiusBits: rules.searchRadiusBits(BIT_POLICY[pdq.flavour].thresholdBits),
      })),
    );
  // Blockhash has no quality of its own; PDQ's tells a flat picture just as well.
  if (
    picture.blockhash !== null &&
    qualities.length > 0 &&
    passesQuality('blockhash-256-r512', Math.min(...qualities))
  ) {
    queries.push({
      tag,
      algorithm: 'blockhash-256-r512',
      orientation: 'original',
      bits: Buffer.from(picture.blockhash.hex, 'hex'),
      radiusBits: rules.searchRadiusBits(BIT_POLICY['blockhash-256-r512'].thresholdBits),
    });
  }
  return queries;
}

/**
 * Perceptual evidence for a group of pictures, by position in it: hits on known material within the policy's distance or the set's own. A
 * hit on a negative set is none, and contradicts those of its picture; known good material is none either.
 */
export async function findBitEvidence(
  search: BitSearch,
  examinations: readonly Examination[],
  rules: SetRules = NO_RULES,
): Promise<Map<number, BitEvidence[]>> {
  const queries = examinations.flatMap((examination, at) => queriesOf(examination, at, rules));
  if (queries.length === 0) return new Map();
  const hits = (await search.within(queries)).filter(
    (hit) => passesQuality(hit.query.algorithm, hit.quality) && hit.distanceBits <= thresholdOf(hit, rules),
  );
  const contradictions = contradictionsOf(hits, rules);
  const sizes = new Map<CalibratedAlgorithm, number>();
  for (const algorithm of CALIBRATED_ALGORITHMS) sizes.set(algorithm, await search.size(algorithm));
  const best = new Map<string, BitHit>();
  for (const hit of hits) {
    if (rules.purposeOf(hit.recordId) !== 'known') continue;
    const key = `${hit.query.tag} ${hit.recordId} ${BIT_POLICY[hit.query.algorithm].method}`;
    const before = best.get(key);
    if (before === undefined || rank(hit) < rank(before)) best.set(key, hit);
  }
  const evidence = new Map<number, BitEvidence[]>();
  for (const hit of best.values()) {
    const { algorithm } = hit.query;
    const of = evidence.get(hit.query.tag) ?? [];
    const comparisons = (sizes.get(algorithm) ?? 0) * COMPARISONS_PER_RECORD[algorithm];
    const contradiction = contradictions.get(hit.query.tag) ?? null;
    of.push({ ...evidenceOf(hit, comparisons, thresholdOf(hit, rules)), contradiction });
    evidence.set(hit.query.tag, of);
  }
  return evidence;
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
