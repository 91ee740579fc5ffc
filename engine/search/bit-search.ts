import type { Orientation } from '../../schemas/fingerprint.ts';
import type { CalibratedAlgorithm } from '../match/calibration.ts';

/** A hash to look for. `tag` is the caller's and comes back with each hit. */
export interface BitQuery {
  readonly tag: number;
  readonly algorithm: CalibratedAlgorithm;
  readonly orientation: Orientation;
  /** 32 bytes. */
  readonly bits: Uint8Array;
  /** All known hashes at this distance and nearer are hits. */
  readonly radiusBits: number;
}

export interface BitHit {
  readonly query: BitQuery;
  readonly recordId: number;
  readonly distanceBits: number;
  /** Quality the source gave for the known hash; null when it gave none. */
  readonly quality: number | null;
}

/**
 * Exact radius search over the known hashes of all sets in force: every hit, never only the nearest, recall 1.000.
 * A known PDQ of unknown flavour is compared with queries of both.
 */
export interface BitSearch {
  /** For reports. */
  readonly description: string;
  /** Answers from a state of what is known that has at least every change committed before the call: a recording relies on it (`holdSearched`). */
  within(queries: readonly BitQuery[]): Promise<BitHit[]>;
  /** Known hashes that a query of this algorithm is compared with; after an answer, those that it was compared with. */
  size(algorithm: CalibratedAlgorithm): Promise<number>;
  close(): Promise<void>;
}

/** Queries by algorithm and radius: what one statement, or one search of a segment, is asked together. */
export function ofOneKind(queries: readonly BitQuery[]): { readonly first: BitQuery; readonly group: BitQuery[] }[] {
  const groups = Map.groupBy(queries, (query) => `${query.algorithm} ${query.radiusBits}`);
  return [...groups.values()].flatMap((group) => (group[0] === undefined ? [] : [{ first: group[0], group }]));
}

/** Values of known_bits.algorithm that a query of this algorithm is compared with. */
export function comparedWith(algorithm: CalibratedAlgorithm): readonly string[] {
  return algorithm === 'blockhash-256-r512' ? [algorithm] : [algorithm, 'pdq'];
}
