import { CALIBRATED_ALGORITHMS, type CalibratedAlgorithm } from '../match/calibration.ts';
import type { Db } from '../store/db.ts';
import type { BitHit, BitQuery, BitSearch } from './bit-search.ts';
import { type KnownHashes, knownHashAt, loadKnownHashes, wordsOf } from './known-hashes.ts';
import { WORDS } from './memory-scan-kernel.ts';
import { ScanThread } from './scan-thread.ts';

/**
 * An exact scan over all known hashes in shared memory.
 * Holds what was in force when it was loaded: load a new one after an import or removal.
 */
export class MemoryScan implements BitSearch {
  readonly description = 'in-memory scan (exact)';
  readonly #groups: readonly KnownHashes[];
  readonly #thread: ScanThread;

  private constructor(groups: readonly KnownHashes[]) {
    this.#groups = groups;
    this.#thread = new ScanThread(groups.map((group) => group.words));
  }

  static async load(db: Db): Promise<MemoryScan> {
    const groups: KnownHashes[] = [];
    for (const algorithm of CALIBRATED_ALGORITHMS) groups.push(await loadKnownHashes(db, algorithm));
    return new MemoryScan(groups);
  }

  async within(queries: readonly BitQuery[]): Promise<BitHit[]> {
    const answered = [...Map.groupBy(queries, (query) => `${query.algorithm} ${query.radiusBits}`).values()].map(
      async (asked) => {
        const [first] = asked;
        if (first === undefined) return [];
        const groupNumber = CALIBRATED_ALGORITHMS.indexOf(first.algorithm);
        const group = this.#groups[groupNumber];
        if (group === undefined || group.recordIds.length === 0) return [];
        const words = new Uint32Array(asked.length * WORDS);
        for (const [at, query] of asked.entries()) words.set(wordsOf(query.bits), at * WORDS);
        return hitsOf(await this.#thread.within(groupNumber, words, first.radiusBits), asked, group);
      },
    );
    return (await Promise.all(answered)).flat();
  }

  async size(algorithm: CalibratedAlgorithm): Promise<number> {
    return this.#groups[CALIBRATED_ALGORITHMS.indexOf(algorithm)]?.recordIds.length ?? 0;
  }

  async close(): Promise<void> {
    await this.#thread.close();
  }
}

function hitsOf(hits: Int32Array, asked: readonly BitQuery[], group: KnownHashes): BitHit[] {
  const found: BitHit[] = [];
  for (let at = 0; at < hits.length; at += 3) {
    const query = asked[hits[at] ?? -1];
    if (query === undefined) continue;
    found.push({ query, ...knownHashAt(group, hits[at + 1] ?? 0), distanceBits: hits[at + 2] ?? 0 });
  }
  return found;
}
