import { Worker } from 'node:worker_threads';
import { CALIBRATED_ALGORITHMS, type CalibratedAlgorithm } from '../match/calibration.ts';
import { decodeCopy } from '../store/binary-copy.ts';
import type { Db, Transaction } from '../store/db.ts';
import { type BitHit, type BitQuery, type BitSearch, comparedWith } from './bit-search.ts';
import { WORDS } from './memory-scan-kernel.ts';
import type { ScanAnswer, ScanMemory, ScanRequest } from './memory-scan-thread.ts';

const QUALITY_UNKNOWN = -1;

/** Known hashes that queries of one algorithm are compared with; position i of all three belongs together. */
interface Group {
  readonly words: Uint32Array;
  readonly recordIds: Float64Array;
  readonly qualities: Int16Array;
}

/**
 * An exact scan over all known hashes in shared memory, in a thread of its own, so that the supervisor goes on watching its hosts.
 * Holds what was in force when it was loaded: load a new one after an import or removal.
 */
export class MemoryScan implements BitSearch {
  readonly description = 'in-memory scan (exact)';
  readonly #groups: readonly Group[];
  readonly #thread: Worker;
  readonly #waiting = new Map<number, PromiseWithResolvers<Int32Array>>();
  #lastId = 0;

  private constructor(groups: readonly Group[]) {
    this.#groups = groups;
    const memory: ScanMemory = groups.map((group) => group.words);
    this.#thread = new Worker(new URL('memory-scan-thread.ts', import.meta.url), { workerData: memory });
    this.#thread.on('message', ({ id, hits }: ScanAnswer) => {
      this.#waiting.get(id)?.resolve(hits);
      this.#waiting.delete(id);
    });
    this.#thread.on('error', (error) => {
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    });
    // The engine ends when its work is done, whether or not this was closed.
    this.#thread.unref();
  }

  static async load(db: Db): Promise<MemoryScan> {
    return await db.transaction(async (tx) => await MemoryScan.over(tx, 'searched_bits'));
  }

  /** Over other hashes than those in force. @param relation of ours: a table, or a select with a name, with the columns of searched_bits */
  static async over(tx: Transaction, relation: string): Promise<MemoryScan> {
    const groups: Group[] = [];
    for (const algorithm of CALIBRATED_ALGORITHMS) groups.push(await loadGroup(tx, algorithm, relation));
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
        const hits = await this.#ask({
          id: ++this.#lastId,
          group: groupNumber,
          radiusBits: first.radiusBits,
          queries: words,
        });
        return hitsOf(hits, asked, group);
      },
    );
    return (await Promise.all(answered)).flat();
  }

  async size(algorithm: CalibratedAlgorithm): Promise<number> {
    return this.#groups[CALIBRATED_ALGORITHMS.indexOf(algorithm)]?.recordIds.length ?? 0;
  }

  async close(): Promise<void> {
    await this.#thread.terminate();
  }

  async #ask(request: ScanRequest): Promise<Int32Array> {
    const answer = Promise.withResolvers<Int32Array>();
    this.#waiting.set(request.id, answer);
    this.#thread.ref();
    this.#thread.postMessage(request);
    try {
      return await answer.promise;
    } finally {
      if (this.#waiting.size === 0) this.#thread.unref();
    }
  }
}

function hitsOf(hits: Int32Array, asked: readonly BitQuery[], group: Group): BitHit[] {
  const found: BitHit[] = [];
  for (let at = 0; at < hits.length; at += 3) {
    const query = asked[hits[at] ?? -1];
    const position = hits[at + 1] ?? 0;
    const quality = group.qualities[position] ?? QUALITY_UNKNOWN;
    if (query === undefined) continue;
    found.push({
      query,
      recordId: group.recordIds[position] ?? 0,
      distanceBits: hits[at + 2] ?? 0,
      quality: quality === QUALITY_UNKNOWN ? null : quality,
    });
  }
  return found;
}

async function loadGroup(tx: Transaction, algorithm: CalibratedAlgorithm, relation: string): Promise<Group> {
  // Written by us, never taken from outside: COPY takes no parameters.
  const names = comparedWith(algorithm)
    .map((name) => `'${name}'`)
    .join(', ');
  let capacity = 1024;
  let words = new Uint32Array(new SharedArrayBuffer(capacity * WORDS * 4));
  let recordIds = new Float64Array(capacity);
  let qualities = new Int16Array(capacity);
  let count = 0;
  const select = `select record_id, bits, quality from ${relation} where algorithm in (${names})`;
  for await (const [recordId, bits, quality] of decodeCopy(tx.copyOut(select))) {
    if (recordId == null || bits == null) continue;
    if (count === capacity) {
      capacity *= 2;
      const more = new Uint32Array(new SharedArrayBuffer(capacity * WORDS * 4));
      more.set(words);
      words = more;
      recordIds = grown(recordIds, new Float64Array(capacity));
      qualities = grown(qualities, new Int16Array(capacity));
    }
    // A bit string is sent as its length in four bytes and then its bits.
    words.set(wordsOf(bits.subarray(4)), count * WORDS);
    recordIds[count] = Number(recordId.readBigInt64BE());
    qualities[count] = quality?.readInt16BE() ?? QUALITY_UNKNOWN;
    count += 1;
  }
  return {
    words: words.subarray(0, count * WORDS),
    recordIds: recordIds.slice(0, count),
    qualities: qualities.slice(0, count),
  };
}

function grown<T extends Float64Array | Int16Array>(old: T, more: T): T {
  more.set(old);
  return more;
}

function wordsOf(bits: Uint8Array): Uint32Array {
  // A copy, since words must lie at a multiple of four; the byte order is the same for known hashes and queries and so does not matter.
  return new Uint32Array(Uint8Array.from(bits).buffer);
}
