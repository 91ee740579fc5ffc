import { BITS_ALGORITHMS } from '../../../schemas/constants.ts';
import type { CalibratedAlgorithm } from '../../match/calibration.ts';
import { comparedWith } from '../bit-search.ts';
import type { LoadedHashes, StoredAlgorithm } from './load-hashes.ts';
import type { MihThreads } from './mih-threads.ts';
import type { Segment } from './segment.ts';

export type SegmentsByAlgorithm = ReadonlyMap<StoredAlgorithm, readonly Segment[]>;

/** Segments of what was loaded, ready to be searched by these threads. */
export async function builtSegments(
  threads: MihThreads,
  loaded: readonly LoadedHashes[],
): Promise<Map<StoredAlgorithm, Segment[]>> {
  const segments = new Map<StoredAlgorithm, Segment[]>();
  for (const { algorithm, filler } of loaded) {
    const segment = filler.finish(threads.count);
    threads.attach(segment);
    await threads.build(segment, 'now');
    segments.set(algorithm, [...(segments.get(algorithm) ?? []), segment]);
  }
  return segments;
}

/** Those that a query of this algorithm is compared with: of PDQ, hashes of its flavour and of none that is named. */
export function segmentsComparedWith(segments: SegmentsByAlgorithm, algorithm: CalibratedAlgorithm): Segment[] {
  const names = comparedWith(algorithm);
  return BITS_ALGORITHMS.filter((name) => names.includes(name)).flatMap((name) => segments.get(name) ?? []);
}
