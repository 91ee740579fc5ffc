import type { CalibratedAlgorithm } from '../match/calibration.ts';
import { decodeCopy } from '../store/binary-copy.ts';
import type { Db } from '../store/db.ts';
import { comparedWith } from './bit-search.ts';
import { WORDS } from './memory-scan-kernel.ts';

const QUALITY_UNKNOWN = -1;

/** Known hashes that queries of one algorithm are compared with; position i of all three belongs together. */
export interface KnownHashes {
  /** In shared memory, WORDS words a hash. */
  readonly words: Uint32Array;
  readonly recordIds: Float64Array;
  readonly qualities: Int16Array;
}

/**
 * Reads the known hashes for one algorithm by binary COPY.
 *
 * @param from a table, view or select with the columns of known_bits; written by us, never taken from outside: COPY takes no parameters
 */
export async function loadKnownHashes(
  db: Db,
  algorithm: CalibratedAlgorithm,
  from = 'searched_bits',
): Promise<KnownHashes> {
  const names = comparedWith(algorithm)
    .map((name) => `'${name}'`)
    .join(', ');
  let capacity = 1024;
  let words = new Uint32Array(new SharedArrayBuffer(capacity * WORDS * 4));
  let recordIds = new Float64Array(capacity);
  let qualities = new Int16Array(capacity);
  let count = 0;
  await db.transaction(async (tx) => {
    const select = `select record_id, bits, quality from ${from} b where algorithm in (${names})`;
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
  });
  return {
    words: words.subarray(0, count * WORDS),
    recordIds: recordIds.slice(0, count),
    qualities: qualities.slice(0, count),
  };
}

/** Record and quality of the hash at a position; the quality is null where its source gave none. */
export function knownHashAt(
  hashes: KnownHashes,
  position: number,
): { readonly recordId: number; readonly quality: number | null } {
  const quality = hashes.qualities[position] ?? QUALITY_UNKNOWN;
  return { recordId: hashes.recordIds[position] ?? 0, quality: quality === QUALITY_UNKNOWN ? null : quality };
}

/** A hash, or several one after the other, as words. */
export function wordsOf(bits: Uint8Array): Uint32Array {
  // A copy, since words must lie at a multiple of four; the byte order is the same for known hashes and queries and so does not matter.
  return new Uint32Array(Uint8Array.from(bits).buffer);
}

function grown<T extends Float64Array | Int16Array>(old: T, more: T): T {
  more.set(old);
  return more;
}
