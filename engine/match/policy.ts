import type { MatchMethod } from '../../schemas/match.ts';
import { CALIBRATION, type CalibratedAlgorithm } from './calibration.ts';

export interface AlgorithmPolicy {
  /** With its version, as evidence carries it. */
  readonly id: string;
  readonly method: MatchMethod;
  readonly thresholdBits: number;
  /** At or below `minimumQuality - 1` a picture is too flat for its hash to mean anything; null for digests. */
  readonly minimumQuality: number | null;
}

/** "ignore quality <= 49" and "match at distance <= 31": the published recommendation for PDQ. */
const PDQ = { method: 'pdq', thresholdBits: 31, minimumQuality: 50 } as const;

/**
 * Every algorithm that makes evidence, with its threshold. Blockhash's radius is the largest at which the calibration expects less
 * than one false match in a search of ten million records in one orientation (`calibration.ts`).
 */
export const ALGORITHMS = [
  { id: 'sha256', method: 'sha256', thresholdBits: 0, minimumQuality: null },
  { id: 'sha1', method: 'sha1', thresholdBits: 0, minimumQuality: null },
  { id: 'md5', method: 'md5', thresholdBits: 0, minimumQuality: null },
  { id: 'pdq-512/1', ...PDQ },
  { id: 'pdq-full/1', ...PDQ },
  { id: 'blockhash-256-r512/1', method: 'blockhash', thresholdBits: 12, minimumQuality: 50 },
] as const satisfies readonly AlgorithmPolicy[];

/** What one kind of stored hash is compared by. */
export const BIT_POLICY: Readonly<Record<CalibratedAlgorithm, AlgorithmPolicy>> = {
  'pdq-512': ALGORITHMS[3],
  'pdq-full': ALGORITHMS[4],
  'blockhash-256-r512': ALGORITHMS[5],
};

/** Flat pictures match nothing by hash: theirs are noise, and noise is alike. A source that does not say the quality is believed. */
export function passesQuality(algorithm: CalibratedAlgorithm, quality: number | null): boolean {
  return quality === null || quality >= (BIT_POLICY[algorithm].minimumQuality ?? 0);
}

/**
 * False matches to expect when one picture is compared `comparisons` times (records times orientations): the normal curve fitted to
 * distances of unrelated pictures, at the threshold (the policy's, or a set's own). An extrapolation: no public data set is large enough to count so rare an event.
 */
export function expectedFalseMatches(
  algorithm: CalibratedAlgorithm,
  comparisons: number,
  thresholdBits = BIT_POLICY[algorithm].thresholdBits,
): number {
  const { meanBits, standardDeviationBits } = CALIBRATION[algorithm];
  const z = (thresholdBits + 0.5 - meanBits) / standardDeviationBits;
  return comparisons * normalTail(-z);
}

/** Upper tail of the standard normal distribution for z > 0: the first terms of its asymptotic series (Abramowitz and Stegun 26.2.12). */
function normalTail(z: number): number {
  if (z <= 1) return 0.16;
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
  return (density / z) * (1 - 1 / z ** 2 + 3 / z ** 4);
}
