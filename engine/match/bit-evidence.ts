import { ORIENTATIONS } from '../../schemas/constants.ts';
import type { Examination, Orientation, PdqFlavour, Picture } from '../../schemas/fingerprint.ts';
import type { MatchEvidence } from '../../schemas/match.ts';
import type { BitHit, BitQuery, BitSearch } from '../search/bit-search.ts';
import { CALIBRATED_ALGORITHMS, type CalibratedAlgorithm } from './calibration.ts';
import { BIT_POLICY, expectedFalseMatches, passesQuality } from './policy.ts';

/** What ties one picture to one known record by a perceptual hash; at most one for each method, the nearest. */
export interface BitEvidence extends MatchEvidence {
  readonly recordId: number;
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

/** Every hash of a picture to look for: PDQ in both flavours, turned; blockhash as it lies. None of a flat picture. */
function queriesOf({ picture }: Examination, tag: number, orientations: readonly Orientation[]): BitQuery[] {
  return comparedBy(qualitiesOf(picture)).flatMap((algorithm): BitQuery[] => {
    const { thresholdBits: radiusBits } = BIT_POLICY[algorithm];
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

/** Perceptual evidence for a group of pictures, by position in it; `orientations`: in which a known hash is looked for. */
export async function findBitEvidence(
  search: BitSearch,
  examinations: readonly Examination[],
  orientations: readonly Orientation[] = ORIENTATIONS,
): Promise<Map<number, BitEvidence[]>> {
  const queries = examinations.flatMap((examination, at) => queriesOf(examination, at, orientations));
  if (queries.length === 0) return new Map();
  const hits = await search.within(queries);
  const sizes = new Map<CalibratedAlgorithm, number>();
  for (const algorithm of CALIBRATED_ALGORITHMS) sizes.set(algorithm, await search.size(algorithm));
  return evidenceOfHits(hits, sizes);
}

/**
 * The evidence that hits within their thresholds make, by the tag of their queries: of each record the nearest by each method.
 *
 * @param sizes known hashes that a picture was compared with, by algorithm
 */
export function evidenceOfHits(
  hits: readonly BitHit[],
  sizes: ReadonlyMap<CalibratedAlgorithm, number>,
): Map<number, BitEvidence[]> {
  const best = new Map<string, BitHit>();
  for (const hit of hits) {
    if (!passesQuality(hit.query.algorithm, hit.quality)) continue;
    const key = `${hit.query.tag} ${hit.recordId} ${BIT_POLICY[hit.query.algorithm].method}`;
    const before = best.get(key);
    if (before === undefined || rank(hit) < rank(before)) best.set(key, hit);
  }
  const evidence = new Map<number, BitEvidence[]>();
  for (const hit of best.values()) {
    const { algorithm } = hit.query;
    const of = evidence.get(hit.query.tag) ?? [];
    // How often each known hash was compared with this picture.
    const comparisons = algorithm === 'blockhash-256-r512' ? 1 : ORIENTATIONS.length;
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
