import { randomInt } from 'node:crypto';
import { CALIBRATED_ALGORITHMS, type CalibratedAlgorithm } from '../match/calibration.ts';
import type { Db } from '../store/db.ts';
import { recordSearchAlarm } from '../store/queries/search-alarms.ts';
import { row, text } from '../store/row-shape.ts';
import { type BitHit, type BitQuery, comparedWith } from './bit-search.ts';
import type { MihSearch } from './mih/mih-search.ts';
import { PgvectorScan } from './pgvector-scan.ts';

/** Where PDQ is said to match; checks ask at this distance and nearer. */
const RADIUS_BITS = 31;

export interface SearchCheck {
  readonly algorithm: CalibratedAlgorithm;
  readonly queries: number;
  readonly hits: number;
  /** Queries that the index and the scan answered differently. */
  readonly differing: number;
}

/**
 * Asks the index and the scan the same: known hashes with some bits turned, drawn anew each time. Every difference is an alarm.
 * The store must stay as it is meanwhile; a difference that a change explains is asked again.
 */
export async function checkSearch(db: Db, index: MihSearch, queriesEach: number): Promise<SearchCheck[]> {
  const scan = new PgvectorScan(db);
  const checks: SearchCheck[] = [];
  for (const algorithm of CALIBRATED_ALGORITHMS) {
    const queries = await drawQueries(db, algorithm, queriesEach);
    if (queries.length === 0) continue;
    let differing = 0;
    let hits = 0;
    for (const query of queries) {
      const expected = await scan.within([query]);
      hits += expected.length;
      if (sameHits(await index.within([query]), expected)) continue;
      if (sameHits(await index.within([query]), await scan.within([query]))) continue;
      differing += 1;
    }
    if (differing > 0)
      await recordSearchAlarm(db, {
        search: index.description,
        detail: `${algorithm}: ${differing} of ${queries.length} queries of a check were answered otherwise than by the scan`,
      });
    checks.push({ algorithm, queries: queries.length, hits, differing });
  }
  return checks;
}

/** Whether two searches answered alike, query by query. */
export function sameHits(found: readonly BitHit[], expected: readonly BitHit[]): boolean {
  const textOf = (hits: readonly BitHit[]) =>
    hits
      .map((hit) => `${hit.query.tag} ${hit.recordId} ${hit.distanceBits} ${hit.quality}`)
      .sort()
      .join();
  return textOf(found) === textOf(expected);
}

/** Known hashes drawn anew each time, with some bits turned, to be looked for. */
export async function drawQueries(db: Db, algorithm: CalibratedAlgorithm, count: number): Promise<BitQuery[]> {
  // From anywhere in the store: the next hash after a number drawn at random.
  const drawn = await db.read(
    row({ hex: text }),
    `with drawn as materialized (
       select floor(random() * (select coalesce(max(record_id), 0) + 1 from known_bits)) as from_id
         from generate_series(1, $2::int)
     )
     select encode(substring(bit_send(b.bits) from 5), 'hex') as hex
       from drawn d cross join lateral (
         (select record_id, bits from searched_bits where algorithm = any($1::text[]) and record_id >= d.from_id order by record_id limit 1)
         union all
         (select record_id, bits from searched_bits where algorithm = any($1::text[]) and record_id < d.from_id order by record_id limit 1)
         limit 1
       ) b`,
    [comparedWith(algorithm), count],
  );
  return drawn.map(({ hex }, tag) => {
    const bits = Buffer.from(hex, 'hex');
    for (let turned = randomInt(RADIUS_BITS + 1); turned > 0; turned -= 1) {
      const bit = randomInt(256);
      bits[bit >> 3] = (bits[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    }
    return { tag, algorithm, orientation: 'original', bits, radiusBits: RADIUS_BITS };
  });
}
