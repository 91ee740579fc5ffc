import { type BitFindings, evidenceOfHits } from '../match/bit-evidence.ts';
import { CALIBRATED_ALGORITHMS, type CalibratedAlgorithm } from '../match/calibration.ts';
import { BIT_POLICY } from '../match/policy.ts';
import type { SetRules } from '../match/set-rules.ts';
import { comparedWith } from '../search/bit-search.ts';
import { FixedHashes } from '../search/mih/search-segments.ts';
import type { Db } from '../store/db.ts';
import { integer, row, text } from '../store/row-shape.ts';
import type { StoredFingerprints } from './stored-fingerprints.ts';
import { hitsOfStored } from './stored-hits.ts';

/** The perceptual hashes of new records, to be found near stored fingerprints. */
export class NewHashes {
  readonly #hashes: FixedHashes;
  /** Hashes that a picture has been compared with once this is done: the new ones and those that it was compared with before. */
  readonly #sizes: ReadonlyMap<CalibratedAlgorithm, number>;

  private constructor(hashes: FixedHashes, sizes: ReadonlyMap<CalibratedAlgorithm, number>) {
    this.#hashes = hashes;
    this.#sizes = sizes;
  }

  /**
   * @param ranges numbers of the new records, as `newRangesSql` gives them
   * @returns null where they have no perceptual hash
   */
  static async load(db: Db, ranges: string): Promise<NewHashes | null> {
    // Hashes of negative sets besides, old ones too: they contradict what the new ones say. By ranges all of them, so that those of a large
    // store are not gone through for the sake of a few; a new one of a negative set may come twice, which finds nothing more.
    const from = `(select b.* from (
        select first_id, last_id from ${ranges} as n(first_id, last_id)
        union
        select k.first_record_id, k.last_record_id from known_block k
          join hash_set s on s.set_id = k.set_id and s.state = 'active' and s.purpose = 'negative'
      ) n join searched_bits b on b.record_id between n.first_id and n.last_id)`;
    const hashes = await db.transaction(async (tx) => await FixedHashes.load(tx, from));
    return hashes === null ? null : new NewHashes(hashes, await hashesInForce(db));
  }

  /** Whether there are hashes that stored ones of this algorithm are to be compared with. */
  has(algorithm: CalibratedAlgorithm): boolean {
    return this.#hashes.segmentsFor(algorithm).length > 0;
  }

  /** Evidence of the stored fingerprints, by their place among them. */
  async evidenceOf(stored: StoredFingerprints, rules: SetRules): Promise<BitFindings> {
    const radiusBitsOf = (algorithm: CalibratedAlgorithm): number =>
      rules.searchRadiusBits(BIT_POLICY[algorithm].thresholdBits);
    const hits = await hitsOfStored(this.#hashes, stored, radiusBitsOf);
    return evidenceOfHits(hits, this.#sizes, rules);
  }

  async close(): Promise<void> {
    await this.#hashes.close();
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
