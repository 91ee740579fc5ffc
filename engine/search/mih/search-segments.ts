import type { CalibratedAlgorithm } from '../../match/calibration.ts';
import type { Transaction } from '../../store/db.ts';
import { type BitHit, type BitQuery, ofOneKind } from '../bit-search.ts';
import { builtSegments, type SegmentsByAlgorithm, segmentsComparedWith } from './build-segments.ts';
import { loadHashes } from './load-hashes.ts';
import { MihThreads } from './mih-threads.ts';
import type { Segment } from './segment.ts';

/** Every hit of the queries in these segments, queries of one kind together: the eight orientations of a picture are one of them. */
export async function searchSegments(
  threads: MihThreads,
  segments: SegmentsByAlgorithm,
  queries: readonly BitQuery[],
): Promise<BitHit[]> {
  const found = ofOneKind(queries).flatMap(({ first, group }) => {
    const bytes = new Uint8Array(group.length * 32);
    for (const [at, query] of group.entries()) bytes.set(query.bits, at * 32);
    return segmentsComparedWith(segments, first.algorithm).map(async (segment) => {
      const { withdrawn } = segment;
      const hits = await threads.within(segment, bytes, first.radiusBits);
      return hitsOf(hits, group, segment).filter(({ recordId }) => !withdrawn.has(recordId));
    });
  });
  return (await Promise.all(found)).flat();
}

function hitsOf(parts: readonly Int32Array[], group: readonly BitQuery[], segment: Segment): BitHit[] {
  const found: BitHit[] = [];
  for (const hits of parts) {
    for (let at = 0; at < hits.length; at += 3) {
      const query = group[hits[at] ?? -1];
      const position = hits[at + 1] ?? 0;
      if (query === undefined) continue;
      found.push({
        query,
        recordId: segment.recordIdAt(position),
        distanceBits: hits[at + 2] ?? 0,
        quality: segment.qualityAt(position),
      });
    }
  }
  return found;
}

/** Hashes that stay as they were loaded, whatever changes in the store. Close it: it has threads of its own. */
export class FixedHashes {
  readonly threads: MihThreads;
  readonly segments: SegmentsByAlgorithm;

  private constructor(threads: MihThreads, segments: SegmentsByAlgorithm) {
    this.threads = threads;
    this.segments = segments;
  }

  /** @param from as `loadHashes` takes it; null where it has no hash */
  static async load(tx: Transaction, from: string): Promise<FixedHashes | null> {
    const loaded = await loadHashes(tx, from);
    if (loaded.length === 0) return null;
    const threads = new MihThreads();
    try {
      return new FixedHashes(threads, await builtSegments(threads, loaded));
    } catch (error) {
      await threads.close();
      throw error;
    }
  }

  async within(queries: readonly BitQuery[]): Promise<BitHit[]> {
    return await searchSegments(this.threads, this.segments, queries);
  }

  /** Those that a query of this algorithm is compared with. */
  segmentsFor(algorithm: CalibratedAlgorithm): Segment[] {
    return segmentsComparedWith(this.segments, algorithm);
  }

  async close(): Promise<void> {
    await this.threads.close();
  }
}
