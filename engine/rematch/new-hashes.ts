import { ORIENTATIONS } from '../../schemas/constants.ts';
import { type BitEvidence, evidenceOfHits } from '../match/bit-evidence.ts';
import { CALIBRATED_ALGORITHMS, type CalibratedAlgorithm } from '../match/calibration.ts';
import { BIT_POLICY } from '../match/policy.ts';
import { type BitHit, comparedWith } from '../search/bit-search.ts';
import { builtSegments, type SegmentsByAlgorithm, segmentsComparedWith } from '../search/mih/build-segments.ts';
import { loadHashes } from '../search/mih/load-hashes.ts';
import { MihThreads } from '../search/mih/mih-threads.ts';
import type { Db } from '../store/db.ts';
import { integer, row, text } from '../store/row-shape.ts';
import type { StoredFingerprints } from './stored-fingerprints.ts';

const HASH_BYTES = 32;

/** The perceptual hashes of new records, to be found near stored fingerprints. */
export class NewHashes {
  readonly #threads: MihThreads;
  readonly #segments: SegmentsByAlgorithm;
  /** Hashes that a picture has been compared with once this is done: the new ones and those that it was compared with before. */
  readonly #sizes: ReadonlyMap<CalibratedAlgorithm, number>;

  private constructor(
    threads: MihThreads,
    segments: SegmentsByAlgorithm,
    sizes: ReadonlyMap<CalibratedAlgorithm, number>,
  ) {
    this.#threads = threads;
    this.#segments = segments;
    this.#sizes = sizes;
  }

  /**
   * @param ranges numbers of the new records, as `newRangesSql` gives them
   * @returns null where they have no perceptual hash
   */
  static async load(db: Db, ranges: string): Promise<NewHashes | null> {
    const from = `(select b.* from ${ranges} as n(first_id, last_id)
      join searched_bits b on b.record_id between n.first_id and n.last_id)`;
    const loaded = await db.transaction(async (tx) => await loadHashes(tx, from));
    if (loaded.length === 0) return null;
    const threads = new MihThreads();
    try {
      return new NewHashes(threads, await builtSegments(threads, loaded), await hashesInForce(db));
    } catch (error) {
      await threads.close();
      throw error;
    }
  }

  /** Whether there are hashes that stored ones of this algorithm are to be compared with. */
  has(algorithm: CalibratedAlgorithm): boolean {
    return segmentsComparedWith(this.#segments, algorithm).length > 0;
  }

  /** Evidence of the stored fingerprints, by their place among them. */
  async evidenceOf(stored: StoredFingerprints): Promise<Map<number, BitEvidence[]>> {
    const hits: BitHit[] = [];
    for (const algorithm of CALIBRATED_ALGORITHMS) {
      const { owners, bits } = stored.hashes[algorithm];
      if (owners.length === 0) continue;
      const { thresholdBits: radiusBits } = BIT_POLICY[algorithm];
      const turns = algorithm === 'blockhash-256-r512' ? 1 : ORIENTATIONS.length;
      for (const segment of segmentsComparedWith(this.#segments, algorithm)) {
        for (const triples of await this.#threads.within(segment, bits, radiusBits)) {
          for (let at = 0; at < triples.length; at += 3) {
            const query = triples[at] ?? 0;
            const position = triples[at + 1] ?? 0;
            hits.push({
              query: {
                tag: owners[Math.floor(query / turns)] ?? -1,
                algorithm,
                orientation: ORIENTATIONS[query % turns] ?? 'original',
                bits: bits.subarray(query * HASH_BYTES, (query + 1) * HASH_BYTES),
                radiusBits,
              },
              recordId: segment.recordIdAt(position),
              quality: segment.qualityAt(position),
              distanceBits: triples[at + 2] ?? 0,
            });
          }
        }
      }
    }
    return evidenceOfHits(hits, this.#sizes);
  }

  async close(): Promise<void> {
    await this.#threads.close();
  }
}

async function hashesInForce(db: Db): Promise<Map<CalibratedAlgorithm, number>> {
  const counted = new Map(
    (
      await db.read(
        row({ algorithm: text, hashes: integer }),
        'select algorithm, count(*) as hashes from searched_bits group by algorithm',
      )
    ).map(({ algorithm, hashes }) => [algorithm, hashes]),
  );
  return new Map(
    CALIBRATED_ALGORITHMS.map((algorithm) => [
      algorithm,
      comparedWith(algorithm).reduce((sum, name) => sum + (counted.get(name) ?? 0), 0),
    ]),
  );
}
