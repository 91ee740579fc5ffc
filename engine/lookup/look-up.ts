import { SET_PURPOSES } from '../../schemas/constants.ts';
import { ORIENTATIONS } from '../../schemas/fingerprint.ts';
import type { KnownBits, KnownRecord } from '../../schemas/known-record.ts';
import type { LookupAnswer, LookupMatch, LookupMethod, SearchedSet } from '../../schemas/lookup.ts';
import { categoryEntry } from '../hashset/category-schemes.ts';
import { type RecordBatch, recordsOf } from '../hashset/formats/record-batch.ts';
import type { CalibratedAlgorithm } from '../match/calibration.ts';
import { BIT_POLICY, passesQuality } from '../match/policy.ts';
import { loadSetRules, type SetRules } from '../match/set-rules.ts';
import type { BitQuery, BitSearch } from '../search/bit-search.ts';
import type { Db } from '../store/db.ts';
import { keptPlan } from '../store/kept-plan.ts';
import { integer, nullable, oneOf, row, text } from '../store/row-shape.ts';
import { digestHits } from './digest-look-up.ts';
import { PHOTO_DNA_ALGORITHM, PHOTO_DNA_THRESHOLD_SQUARED, photoDnaWithin } from './photo-dna-search.ts';

/** A hit before it is told of which record and set it is. */
export type FoundHit = Pick<LookupMatch, 'method' | 'algorithm' | 'distance' | 'threshold' | 'recordId'>;

/** A record to look up; `incomplete` where a hash of it could not be read, so that nothing may be said not to match it. */
export interface SoughtRecord {
  readonly record: Pick<KnownRecord, 'sourceKey' | 'md5' | 'sha1' | 'sha256' | 'bits' | 'photoDna'>;
  readonly incomplete: boolean;
}

/**
 * What is known of records that have no material here, such as a lab's own list: each by all its hashes. Nothing of them is stored.
 * @param first number of the batch's first record
 */
export async function lookUp(db: Db, search: BitSearch, batch: RecordBatch, first: number): Promise<LookupAnswer[]> {
  const sought = [...recordsOf(batch)].map((record, at) => ({ record, incomplete: batch.incomplete[at] === 1 }));
  return await lookUpRecords(db, search, sought, first);
}

/** The same of records as they are. */
export async function lookUpRecords(
  db: Db,
  search: BitSearch,
  sought: readonly SoughtRecord[],
  first = 1,
): Promise<LookupAnswer[]> {
  const records = sought.map((one) => one.record);
  const found = new Map<number, FoundHit[]>(records.map((_, at) => [at, []]));
  const withDigest = records.some(({ md5, sha1, sha256 }) => md5 !== null || sha1 !== null || sha256 !== null);
  const [digests, rules] = await Promise.all([withDigest ? digestHits(db, records) : [], loadSetRules(db)]);
  for (const { query, recordId, method } of digests)
    found.get(query)?.push({ method, algorithm: method, distance: 0, threshold: 0, recordId });
  const flat = await addBitHits(search, rules, records, found);
  const values = records.flatMap(({ photoDna = [] }, at) => photoDna.map((value) => ({ at, value })));
  const threshold = Math.sqrt(PHOTO_DNA_THRESHOLD_SQUARED);
  for (const { query, recordId, distance } of await photoDnaWithin(
    db,
    values.map((one) => one.value),
  )) {
    const at = values[query]?.at ?? -1;
    found.get(at)?.push({ method: 'photodna', algorithm: PHOTO_DNA_ALGORITHM, distance, threshold, recordId });
  }
  const nearestOf = records.map((_, at) => nearest(found.get(at) ?? []));
  const described = await describeFound(db, nearestOf);
  return records.map((record, at) => {
    const incomplete = sought[at]?.incomplete === true || flat.has(at);
    const matches = described[at] ?? [];
    const { sourceKey, md5, sha1, sha256 } = record;
    const answer = answerOf(matches, incomplete);
    const searched = searchedOf(record, flat.has(at));
    return { number: first + at, sourceKey, md5, sha1, sha256, answer, searched, incomplete, matches };
  });
}

/** Hits of each record with what their records and sets are now; what went out of force since is no match any more. */
export async function describeFound(db: Db, found: readonly (readonly FoundHit[])[]): Promise<LookupMatch[][]> {
  const known = await describeRecords(db, found.flat());
  return found.map((hits) =>
    hits.flatMap((one) => {
      const of = known.get(one.recordId);
      return of === undefined ? [] : [{ ...one, ...of }];
    }),
  );
}

/** Of each method and known record the nearest. */
function nearest(found: readonly FoundHit[]): FoundHit[] {
  const best = new Map<string, FoundHit>();
  for (const one of found) {
    const key = `${one.method} ${one.recordId}`;
    const before = best.get(key);
    if (before === undefined || one.distance < before.distance) best.set(key, one);
  }
  return [...best.values()].sort((a, b) => a.distance - b.distance || a.recordId - b.recordId);
}

/** Known good material and negative pictures are told, and make nothing known. */
export function answerOf(matches: readonly LookupMatch[], incomplete: boolean): LookupAnswer['answer'] {
  const methods = matches.filter((one) => one.purpose === 'known').map((one) => one.method);
  if (methods.some((method) => method === 'md5' || method === 'sha1' || method === 'sha256')) return 'known';
  if (methods.length > 0) return 'variant';
  return incomplete ? 'unknown' : 'no';
}

function searchedOf(record: SoughtRecord['record'], flat: boolean): LookupMethod[] {
  const usable = record.bits.filter(
    (bits) => !flat || algorithmsOf(bits).some((name) => passesQuality(name, bits.quality)),
  );
  return [
    ...(['md5', 'sha1', 'sha256'] as const).filter((kind) => record[kind] !== null),
    ...(usable.some((bits) => bits.algorithm === 'pdq') ? (['pdq'] as const) : []),
    ...(usable.some((bits) => bits.algorithm !== 'pdq') ? (['blockhash'] as const) : []),
    ...(record.photoDna === undefined ? [] : (['photodna'] as const)),
  ];
}

/** A PDQ of unknown flavour is compared with the known ones of both. */
function algorithmsOf({ algorithm, flavour }: KnownBits): CalibratedAlgorithm[] {
  if (algorithm !== 'pdq') return [algorithm];
  return flavour === null ? ['pdq-512', 'pdq-full'] : [flavour];
}

/** @returns positions of records with a hash of a picture too flat to be compared */
async function addBitHits(
  search: BitSearch,
  rules: SetRules,
  records: readonly SoughtRecord['record'][],
  found: ReadonlyMap<number, FoundHit[]>,
): Promise<ReadonlySet<number>> {
  const flat = new Set<number>();
  const queries: BitQuery[] = [];
  for (const [at, { bits }] of records.entries()) {
    for (const one of bits) {
      for (const algorithm of algorithmsOf(one)) {
        if (!passesQuality(algorithm, one.quality)) {
          flat.add(at);
          continue;
        }
        const radiusBits = rules.searchRadiusBits(BIT_POLICY[algorithm].thresholdBits);
        // The supplied hash is of the picture as it lies; the others of its eight cannot be had from it.
        const [orientation] = ORIENTATIONS;
        queries.push({ tag: at, algorithm, orientation, bits: Buffer.from(one.hex, 'hex'), radiusBits });
      }
    }
  }
  for (const { query, recordId, distanceBits, quality } of queries.length === 0 ? [] : await search.within(queries)) {
    const { id, method, thresholdBits } = BIT_POLICY[query.algorithm];
    const threshold = rules.radiusBitsOf(recordId) ?? thresholdBits;
    if (distanceBits > threshold || !passesQuality(query.algorithm, quality)) continue;
    found.get(query.tag)?.push({ method, algorithm: id, distance: distanceBits, threshold, recordId });
  }
  return flat;
}

const RECORD = row({
  recordId: integer,
  recordKey: nullable(text),
  source: text,
  setId: integer,
  setName: text,
  setVersion: integer,
  setRevision: integer,
  purpose: oneOf(SET_PURPOSES),
  series: nullable(text),
  seriesId: nullable(integer),
  scheme: text,
  code: nullable(text),
});

const DESCRIBE_SQL = keptPlan(
  `select r.record_id, r.source_key as record_key, s.set_id, s.source, s.name as set_name, s.version as set_version, s.revision as set_revision,
          s.purpose, e.name as series, r.series_id, s.category_scheme as scheme, r.category_code as code
     from unnest($1::bigint[]) as w (record_id) join searched_record r on r.record_id = w.record_id
     join hash_set s on s.set_id = r.set_id left join series e on e.series_id = r.series_id`,
);

type Described = Omit<LookupMatch, keyof FoundHit>;

async function describeRecords(db: Db, found: readonly FoundHit[]): Promise<ReadonlyMap<number, Described>> {
  const recordIds = [...new Set(found.map((one) => one.recordId))];
  if (recordIds.length === 0) return new Map();
  const rows = await db.read(RECORD, DESCRIBE_SQL, [recordIds]);
  return new Map(
    rows.map(({ recordId, scheme, code, ...one }) => [
      recordId,
      { ...one, category: code === null ? null : { scheme, code, label: categoryEntry(scheme, code).label } },
    ]),
  );
}

const SETS_SQL = keptPlan(
  `select set_id, source, name, version, revision, purpose, record_count as records from hash_set
    where state = 'active' order by source, name`,
);

/** The sets that a look-up is answered from. */
export async function searchedSets(db: Db): Promise<SearchedSet[]> {
  return await db.read(
    row({
      setId: integer,
      source: text,
      name: text,
      version: integer,
      revision: integer,
      purpose: oneOf(SET_PURPOSES),
      records: integer,
    }),
    SETS_SQL,
  );
}
