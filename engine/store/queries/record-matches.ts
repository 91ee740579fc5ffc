import { MATCH_METHODS, PIPELINE_VERSION, SET_PURPOSES, type SetPurpose } from '../../../schemas/constants.ts';
import type { DecodeMode } from '../../../schemas/fingerprint.ts';
import type { MatchEvidence } from '../../../schemas/match.ts';
import type { Queryable, SqlParam, Transaction } from '../db.ts';
import { integer, nullable, oneOf, row, text } from '../row-shape.ts';
import { byStrongestDigest, STORED_CONTENTS } from './strongest-digest.ts';

/** Evidence that a media is, or looks like, a known record. */
export interface FoundMatch extends MatchEvidence {
  readonly mediaId: number;
  readonly recordId: number;
  /** A picture of a negative set that the media also lies near; null for digests, which nothing contradicts. */
  readonly contradiction: { readonly setId: number; readonly recordId: number; readonly distanceBits: number } | null;
}

/** A record with a digest of a media, whatever its set is for. */
export interface DigestHit {
  readonly mediaId: number;
  readonly recordId: number;
  readonly method: 'sha256' | 'sha1' | 'md5';
  readonly purpose: SetPurpose;
}

/**
 * Media and the records that have a digest of them, by the strongest digest the record has. Digests of the empty file match nothing.
 *
 * @param media SQL condition on media, ours
 * @param records table or view of known records, ours
 */
export const digestHitSql = (media: string, records: string): string => `
with wanted as materialized (
  select media_id, sha256, sha1, md5 from ${STORED_CONTENTS} stored where ${media}
), found as (${byStrongestDigest('w.media_id, r.record_id', 'wanted', records)}
)
select f.media_id, f.record_id, f.method, s.purpose
  from found f join known_record r on r.record_id = f.record_id join hash_set s on s.set_id = r.set_id`;

const DIGEST_HIT = row({
  mediaId: integer,
  recordId: integer,
  method: oneOf(['sha256', 'sha1', 'md5'] as const),
  purpose: oneOf(SET_PURPOSES),
});

/** Hits of `digestHitSql`; `params` are those of its conditions. */
export async function readDigestHits(
  db: Queryable,
  sql: string,
  params: readonly SqlParam[] = [],
): Promise<DigestHit[]> {
  return await db.read(DIGEST_HIT, sql, params);
}

export async function findDigestHits(db: Queryable, mediaIds: readonly number[]): Promise<DigestHit[]> {
  return await readDigestHits(db, digestHitSql('media_id = any($1::bigint[])', 'searched_record'), [mediaIds]);
}

export async function findDigestMatches(db: Queryable, mediaIds: readonly number[]): Promise<FoundMatch[]> {
  return digestEvidence(await findDigestHits(db, mediaIds));
}

/** Hits on known material as evidence; others are none. */
export function digestEvidence(hits: readonly DigestHit[]): FoundMatch[] {
  return hits
    .filter(({ purpose }) => purpose === 'known')
    .map(({ mediaId, recordId, method }) => ({
      mediaId,
      recordId,
      method,
      algorithm: method,
      distanceBits: 0,
      thresholdBits: 0,
      orientation: null,
      flavour: null,
      expectedFalseMatches: null,
      contradiction: null,
    }));
}

/** Columns of evidence as it is written; what the record and its set say of it is read from them anew. */
const OF_RECORD = ['set_id', 'record_id', 'series_id', 'category_code'];
const EVIDENCE_COLUMNS = [
  ...['media_id', 'set_id', 'record_id', 'method', 'algorithm', 'mode', 'pipeline_version', 'distance_bits'],
  ...['threshold_bits', 'orientation', 'flavour', 'expected_false_matches', 'series_id', 'category_code'],
  ...['contradicted_by_set', 'contradicted_by_record', 'contradicted_distance_bits'],
];

/**
 * Evidence written once more, for the same record or another one that it holds for; the state of the set that it comes from is that of
 * now. The start of an insert, up to its `from`.
 *
 * @param evidence alias of the row of match; `record` of the row of known_record
 */
export function evidenceAgainSql(evidence: string, record: string): string {
  const values = EVIDENCE_COLUMNS.map((column) => `${OF_RECORD.includes(column) ? record : evidence}.${column}`);
  return `insert into match (${EVIDENCE_COLUMNS.join(', ')}) select ${values.join(', ')}`;
}

/**
 * Keeps the sets of this evidence as they are until the transaction ends: whoever takes one out of force waits, and then sees the
 * evidence that has to be withdrawn. In one order for everybody, so that nobody waits in a circle.
 * Returns whether all of them are still in force; where not, their successors have to be looked into.
 */
export async function holdSetsInForce(
  tx: Transaction,
  found: readonly { readonly recordId: number }[],
): Promise<boolean> {
  if (found.length === 0) return true;
  const recordIds = [...new Set(found.map(({ recordId }) => recordId))];
  // The records are counted as they were when the statement began, the states are those after waiting: gone before or gone since.
  const sets = await tx.read(
    row({ state: text, records: integer }),
    `select state, (select count(*) from known_record where record_id = any($1::bigint[])) as records
       from hash_set where set_id in (select set_id from known_record where record_id = any($1::bigint[]))
      order by set_id for share`,
    [recordIds],
  );
  return sets[0]?.records === recordIds.length && sets.every((set) => set.state === 'active');
}

/**
 * Records evidence that is not in force yet, with the series and category of its record; returns what was new or is contradicted now and
 * was not. What was withdrawn and is found again is a row of its own. Rows go in by media and record, so that two scans of the same
 * contents do not wait for each other in a circle.
 */
export async function recordMatches(
  tx: Transaction,
  of: {
    readonly mode: DecodeMode;
    /** Of the fingerprints it was found by; the present one unless given. */
    readonly pipelineVersion?: string;
  },
  matches: readonly FoundMatch[],
): Promise<{ readonly mediaId: number; readonly setId: number }[]> {
  if (matches.length === 0) return [];
  const column = <T>(value: (match: FoundMatch) => T): T[] => matches.map(value);
  return await tx.read(
    row({ mediaId: integer, setId: integer }),
    `insert into match (${EVIDENCE_COLUMNS.join(', ')})
     select distinct on (f.media_id, f.record_id, f.method) f.media_id, r.set_id, r.record_id, f.method, f.algorithm, $1, $2, f.distance_bits,
            f.threshold_bits, f.orientation, f.flavour, f.expected_false_matches, r.series_id, r.category_code, f.negative_set,
            f.negative_record, f.negative_bits
       from unnest($3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::smallint[], $8::smallint[], $9::text[], $10::text[], $11::float8[],
                   $12::bigint[], $13::bigint[], $14::smallint[])
         as f(media_id, record_id, method, algorithm, distance_bits, threshold_bits, orientation, flavour, expected_false_matches,
              negative_set, negative_record, negative_bits)
       join searched_record r on r.record_id = f.record_id
       join hash_set s on s.set_id = r.set_id and s.purpose = 'known'
      order by f.media_id, f.record_id, f.method
     on conflict (media_id, record_id, method, mode, pipeline_version) where withdrawn_at is null
     do update set contradicted_by_set = excluded.contradicted_by_set, contradicted_by_record = excluded.contradicted_by_record,
                   contradicted_distance_bits = excluded.contradicted_distance_bits
      where excluded.contradicted_by_record is not null
        and match.contradicted_by_record is distinct from excluded.contradicted_by_record
     returning media_id, set_id`,
    [
      of.mode,
      of.pipelineVersion ?? PIPELINE_VERSION,
      column((one) => one.mediaId),
      column((one) => one.recordId),
      column((one) => one.method),
      column((one) => one.algorithm),
      column((one) => one.distanceBits),
      column((one) => one.thresholdBits),
      column((one) => one.orientation),
      column((one) => one.flavour),
      column((one) => one.expectedFalseMatches),
      column((one) => one.contradiction?.setId ?? null),
      column((one) => one.contradiction?.recordId ?? null),
      column((one) => one.contradiction?.distanceBits ?? null),
    ],
  );
}

/** Fingerprints that gave way to new ones. */
export interface RemadeFingerprint {
  readonly mediaId: number;
  readonly pipelineVersion: string;
}

/** Withdraws perceptual evidence that rested on fingerprints which were made anew; what holds is found again. */
export async function withdrawRemade(
  tx: Transaction,
  mode: DecodeMode,
  remade: readonly RemadeFingerprint[],
): Promise<void> {
  await tx.execute(
    `update match t set withdrawn_at = now()
       from unnest($2::bigint[], $3::text[]) as r(media_id, pipeline_version)
      where t.media_id = r.media_id and t.pipeline_version = r.pipeline_version and t.mode = $1
        and t.method in ('pdq', 'blockhash') and t.withdrawn_at is null`,
    [mode, remade.map((one) => one.mediaId), remade.map((one) => one.pipelineVersion)],
  );
}

/** Who recorded these media as what, for progress: one row for each media, method, source and code. */
export async function matchSummaries(db: Queryable, mediaIds: readonly number[], mode: DecodeMode) {
  return await db.read(
    row({ mediaId: integer, method: oneOf(MATCH_METHODS), source: text, scheme: text, code: nullable(text) }),
    `select distinct t.media_id, t.method, s.source, s.category_scheme as scheme, t.category_code as code
       from match t join hash_set s on s.set_id = t.set_id and s.state = 'active'
      where t.media_id = any($1::bigint[]) and t.withdrawn_at is null and (t.mode = $2 or t.method in ('md5', 'sha1', 'sha256'))`,
    [mediaIds, mode],
  );
}
