import { ORIENTATIONS } from '../../schemas/constants.ts';
import type { Examination, Orientation } from '../../schemas/fingerprint.ts';
import type { MatchEvidence } from '../../schemas/match.ts';
import type { BitHit, BitQuery, BitSearch } from '../search/bit-search.ts';
import { CALIBRATED_ALGORITHMS, type CalibratedAlgorithm } from './calibration.ts';
import { BIT_POLICY, expectedFalseMatches, passesQuality } from './policy.ts';

/** What ties one picture to one known record by a perceptual hash; at most one for each method, the nearest. */
export interface BitEvidence extends MatchEvidence {
  readonly recordId: number;
}

/** Every hash of a picture to look for: PDQ in both flavours and eight orientations, blockhash as it lies. None of a flat picture. */
function queriesOf(examination: Examination, tag: number, orientations: readonly Orientation[]): BitQuery[] {
  const { picture } = examination;
  if (picture === null) return [];
  const qualities = picture.pdq.map((pdq) => pdq.quality);
  const queries: BitQuery[] = picture.pdq
    .filter((pdq) => passesQuality(pdq.flavour, pdq.quality))
    .flatMap((pdq) =>
      orientations.map((orientation) => ({
        tag,
        algorithm: pdq.flavour,
        orientation,
        bits: Buffer.from(pdq.dihedral[ORIENTATIONS.indexOf(orientation)] ?? pdq.hex, 'hex'),
        radiusBits: BIT_POLICY[pdq.flavour].thresholdBits,
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
      radiusBits: BIT_POLICY['blockhash-256-r512'].thresholdBits,
    });
  }
  return queries;
}

/** Perceptual evidence for a group of pictures, by position in it; `orientations`: in which a known hash is looked for. */
export async function findBitEvidence(
  search: BitSearch,
  examinations: readonly Examination[],
  orientations: readonly Orientation[] = ORIENTATIONS,
): Promise<Map<number, BitEvidence[]>> {
  const queries = examinations.flatMap((examination, at) => queriesOf(examination, at, orientations));
  if (queries.length === 0) return new Map();
  const hits = (await search.within(queries)).filter((hit) => passesQuality(hit.query.algorithm, hit.quality));
  const sizes = new Map<CalibratedAlgorithm, number>();
  for (const algorithm of CALIBRATED_ALGORITHMS) sizes.set(algorithm, await search.size(algorithm));
  const best = new Map<string, BitHit>();
  for (const hit of hits) {
    const key = `${hit.query.tag} ${hit.recordId} ${BIT_POLICY[hit.query.algorithm].method}`;
    const before = best.get(key);
    if (before === undefined || rank(hit) < rank(before)) best.set(key, hit);
  }
  const evidence = new Map<number, BitEvidence[]>();
  for (const hit of best.values()) {
    const { algorithm } = hit.query;
    const of = evidence.get(hit.query.tag) ?? [];
    // How often each known hash was compared with this picture.
    const comparisons = algorithm === 'blockhash-256-r512' ? 1 : orientations.length;
    of.push(evidenceOf(hit, (sizes.get(algorithm) ?? 0) * comparisons));
    evidence.set(hit.query.tag, of);
  }
  return evidence;
}

/** Nearest first; as it lies before turned; then by flavour, so that the same search always gives the same evidence. */
function rank(hit: BitHit): number {
  return (
    hit.distanceBits * 100 +
    ORIENTATIONS.indexOf(hit.query.orientation) * 10 +
    CALIBRATED_ALGORITHMS.indexOf(hit.query.algorithm)
  );
}

function evidenceOf(hit: BitHit, comparisons: number): BitEvidence {
  const { algorithm, orientation } = hit.query;
  const policy = BIT_POLICY[algorithm];
  return {
    recordId: hit.recordId,
    method: policy.method,
    algorithm: policy.id,
    distanceBits: hit.distanceBits,
    thresholdBits: policy.thresholdBits,
    orientation,
    flavour: algorithm === 'blockhash-256-r512' ? null : algorithm,
    expectedFalseMatches: expectedFalseMatches(algorithm, comparisons),
  };
}
