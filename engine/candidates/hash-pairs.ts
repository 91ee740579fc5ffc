import { setImmediate as turn } from 'node:timers/promises';
import { BIT_POLICY, passesQuality } from '../match/policy.ts';
import type { Db } from '../store/db.ts';
import { bytes, integer, nullable, row } from '../store/row-shape.ts';
import { LATEST_FINGERPRINT } from '../unseen/unmatched.ts';
import { BitTable } from './bit-pairs.ts';
import { hashEvidence } from './hash-evidence.ts';
import type { PairEvidence, PairSource } from './pair-evidence.ts';

const HASH_BYTES = 32;
const ORIENTATION_COUNT = 8;
/** Rows are read and media looked up in groups of this many. */
const GROUP = 2_000;
/** Of each media the nearest so many: a cluster of copies needs no more to hold together. */
const MOST_NEIGHBOURS = 48;

const HASHES = row({
  mediaId: integer,
  dihedral: nullable(bytes),
  quality: nullable(integer),
  blockhash: nullable(bytes),
});

const HASHES_SQL = `
select m.media_id, f.pdq_512_dihedral as dihedral, f.pdq_512_quality as quality,
       -- Behind the length that the binary form begins with.
       substring(bit_send(f.blockhash) from 5) as blockhash
  from unnest($1::bigint[]) as m(media_id) ${LATEST_FINGERPRINT}
 order by m.media_id`;

interface Hashed {
  readonly mediaId: number;
  /** The eight orientations of the PDQ; its first is the hash itself. Of blockhash one alone. */
  readonly queries: Uint8Array;
}

/** Pairs whose PDQ (in any of the eight orientations) or blockhash lie within their thresholds; flat pictures have none. */
export function hashPairs(db: Db): PairSource {
  return {
    level: 'copies',
    async *pairs(mediaIds) {
      const { pdq, blockhash } = await readHashes(db, mediaIds);
      yield* neighbours('pdq', pdq, BIT_POLICY['pdq-512'].thresholdBits);
      yield* neighbours('blockhash', blockhash, BIT_POLICY['blockhash-256-r512'].thresholdBits);
    },
  };
}

async function readHashes(db: Db, mediaIds: readonly number[]): Promise<{ pdq: Hashed[]; blockhash: Hashed[] }> {
  const pdq: Hashed[] = [];
  const blockhash: Hashed[] = [];
  for (let at = 0; at < mediaIds.length; at += GROUP) {
    for (const one of await db.read(HASHES, HASHES_SQL, [mediaIds.slice(at, at + GROUP)])) {
      const { mediaId, quality } = one;
      if (one.dihedral !== null && passesQuality('pdq-512', quality)) pdq.push({ mediaId, queries: one.dihedral });
      if (one.blockhash !== null && passesQuality('blockhash-256-r512', quality))
        blockhash.push({ mediaId, queries: one.blockhash });
    }
  }
  return { pdq, blockhash };
}

async function* neighbours(
  method: 'pdq' | 'blockhash',
  hashed: readonly Hashed[],
  radiusBits: number,
): AsyncGenerator<PairEvidence[]> {
  const bits = new Uint8Array(hashed.length * HASH_BYTES);
  for (const [place, { queries }] of hashed.entries()) bits.set(queries.subarray(0, HASH_BYTES), place * HASH_BYTES);
  const table = new BitTable(bits);
  for (let from = 0; from < hashed.length; from += GROUP) {
    const block: PairEvidence[] = [];
    for (const one of hashed.slice(from, from + GROUP)) {
      for (const [mediaId, distanceBits] of nearest(table, hashed, one, radiusBits))
        block.push(hashEvidence(method, one.mediaId, mediaId, distanceBits));
    }
    if (block.length > 0) yield block;
    // A hundred thousand look-ups take seconds, and Ctrl-C has to be heard meanwhile.
    await turn();
  }
}

/** The media nearest to one, each with its least distance over all orientations. */
function nearest(table: BitTable, hashed: readonly Hashed[], one: Hashed, radiusBits: number): [number, number][] {
  const found = new Map<number, number>();
  for (let at = 0; at < Math.min(ORIENTATION_COUNT, one.queries.length / HASH_BYTES); at += 1) {
    const query = one.queries.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES);
    for (const { at: place, distanceBits } of table.within(query, radiusBits)) {
      const mediaId = hashed[place]?.mediaId;
      if (mediaId === undefined || mediaId === one.mediaId) continue;
      found.set(mediaId, Math.min(distanceBits, found.get(mediaId) ?? distanceBits));
    }
  }
  const sorted = [...found].sort((a, b) => a[1] - b[1] || a[0] - b[0]);
  return sorted.slice(0, MOST_NEIGHBOURS);
}
