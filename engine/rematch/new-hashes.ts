import { ORIENTATIONS } from '../../schemas/constants.ts';
import { type BitEvidence, evidenceOfHits } from '../match/bit-evidence.ts';
import { CALIBRATED_ALGORITHMS, type CalibratedAlgorithm } from '../match/calibration.ts';
import { BIT_POLICY } from '../match/policy.ts';
import { type BitHit, comparedWith } from '../search/bit-search.ts';
import { type KnownHashes, knownHashAt, loadKnownHashes, wordsOf } from '../search/known-hashes.ts';
import { type GroupSearch, ScanThread } from '../search/scan-thread.ts';
import type { Db } from '../store/db.ts';
import { integer, row, text } from '../store/row-shape.ts';
import type { StoredFingerprints } from './stored-fingerprints.ts';

/** Opens a search over hashes in shared memory, one array of WORDS words a hash for each group. */
export type OpenGroupSearch = (groups: readonly Uint32Array[]) => GroupSearch;

const HASH_BYTES = 32;

/** The perceptual hashes of new records, to be found near stored fingerprints. */
export class NewHashes {
  readonly #groups: readonly KnownHashes[];
  readonly #search: GroupSearch;
  /** Hashes that a picture has been compared with once this is done: the new ones and those that it was compared with before. */
  readonly #sizes: ReadonlyMap<CalibratedAlgorithm, number>;

  private constructor(
    groups: readonly KnownHashes[],
    search: GroupSearch,
    sizes: ReadonlyMap<CalibratedAlgorithm, number>,
  ) {
    this.#groups = groups;
    this.#search = search;
    this.#sizes = sizes;
  }

  /**
   * @param ranges numbers of the new records, as `newRangesSql` gives them
   * @returns null where they have no perceptual hash
   */
  static async load(
    db: Db,
    ranges: string,
    open: OpenGroupSearch = (groups) => new ScanThread(groups),
  ): Promise<NewHashes | null> {
    const from = `(select b.* from ${ranges} as n(first_id, last_id)
      join searched_bits b on b.record_id between n.first_id and n.last_id)`;
    const groups: KnownHashes[] = [];
    for (const algorithm of CALIBRATED_ALGORITHMS) groups.push(await loadKnownHashes(db, algorithm, from));
    if (groups.every((group) => group.recordIds.length === 0)) return null;
    const search = open(groups.map((group) => group.words));
    return new NewHashes(groups, search, await hashesInForce(db));
  }

  /** Whether there are hashes that stored ones of this algorithm are to be compared with. */
  has(algorithm: CalibratedAlgorithm): boolean {
    return (this.#groups[CALIBRATED_ALGORITHMS.indexOf(algorithm)]?.recordIds.length ?? 0) > 0;
  }

  /** Evidence of the stored fingerprints, by their place among them. */
  async evidenceOf(stored: StoredFingerprints): Promise<Map<number, BitEvidence[]>> {
    const hits: BitHit[] = [];
    for (const [group, algorithm] of CALIBRATED_ALGORITHMS.entries()) {
      const known = this.#groups[group];
      const { owners, bits } = stored.hashes[algorithm];
      if (known === undefined || known.recordIds.length === 0 || owners.length === 0) continue;
      const { thresholdBits: radiusBits } = BIT_POLICY[algorithm];
      const triples = await this.#search.within(group, wordsOf(bits), radiusBits);
      const turns = algorithm === 'blockhash-256-r512' ? 1 : ORIENTATIONS.length;
      for (let at = 0; at < triples.length; at += 3) {
        const query = triples[at] ?? 0;
        hits.push({
          query: {
            tag: owners[Math.floor(query / turns)] ?? -1,
            algorithm,
            orientation: ORIENTATIONS[query % turns] ?? 'original',
            bits: bits.subarray(query * HASH_BYTES, (query + 1) * HASH_BYTES),
            radiusBits,
          },
          ...knownHashAt(known, triples[at + 1] ?? 0),
          distanceBits: triples[at + 2] ?? 0,
        });
      }
    }
    return evidenceOfHits(hits, this.#sizes);
  }

  async close(): Promise<void> {
    await this.#search.close();
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
