import { ORIENTATIONS } from '../../schemas/constants.ts';
import { CALIBRATED_ALGORITHMS, type CalibratedAlgorithm } from '../match/calibration.ts';
import type { BitHit } from '../search/bit-search.ts';
import type { FixedHashes } from '../search/mih/search-segments.ts';
import type { StoredFingerprints } from './stored-fingerprints.ts';

const HASH_BYTES = 32;

/**
 * Every hit of stored fingerprints among these hashes; the tag of a hit's query is the place of its fingerprint. Hashes go to the threads
 * as they were read, without an object for each: a million media have seventeen million.
 */
export async function hitsOfStored(
  hashes: FixedHashes,
  stored: StoredFingerprints,
  radiusBitsOf: (algorithm: CalibratedAlgorithm) => number,
): Promise<BitHit[]> {
  const hits: BitHit[] = [];
  for (const algorithm of CALIBRATED_ALGORITHMS) {
    const { owners, bits } = stored.hashes[algorithm];
    if (owners.length === 0) continue;
    const radiusBits = radiusBitsOf(algorithm);
    const turns = algorithm === 'blockhash-256-r512' ? 1 : ORIENTATIONS.length;
    for (const segment of hashes.segmentsFor(algorithm)) {
      for (const triples of await hashes.threads.within(segment, bits, radiusBits)) {
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
  return hits;
}
