import { type Static, Type } from 'typebox';
import { Nullable, OneOf } from '../../schemas/closed.ts';
import { CaptureMetadata, type DecodeMode, ORIENTATIONS, PDQ_FLAVOURS } from '../../schemas/fingerprint.ts';
import { MATCH_METHODS } from '../../schemas/match.ts';
import { OUTCOMES, REASONS } from '../../schemas/outcome.ts';
import { pathAsText } from '../../schemas/path-text.ts';
import type { ReportGood, ReportItem, ReportItemModels, ReportMatch } from '../../schemas/report.ts';
import { categoryEntry } from '../hashset/category-schemes.ts';
import { standingOf } from '../match/standing.ts';
import type { Db } from '../store/db.ts';
import { bool, bytes, integer, json, nullable, oneOf, type RowOf, row, text, timestamp } from '../store/row-shape.ts';
import { type ModelRuns, modelsOf } from './model-items.ts';

/** Item numbers of a page: at most so many items are read together; a page and its matches are all that is in memory. */
const PAGE_NUMBERS = 1_000;

const ITEM = row({
  itemId: integer,
  path: bytes,
  mediaId: nullable(integer),
  itemSize: nullable(integer),
  modifiedAt: nullable(timestamp),
  type: text,
  outcome: oneOf(OUTCOMES),
  reason: nullable(oneOf(REASONS)),
  reasonDetail: nullable(text),
  sha256: nullable(bytes),
  sha1: nullable(bytes),
  md5: nullable(bytes),
  widthPixels: nullable(integer),
  heightPixels: nullable(integer),
  trailingBytes: nullable(integer),
  pdq512Quality: nullable(integer),
  pdqFullQuality: nullable(integer),
  hasBlockhash: bool,
  searchedChangeId: nullable(integer),
  capture: nullable(json(CaptureMetadata)),
});
type ItemRow = RowOf<typeof ITEM>;

/** In the order of MATCHES_SQL. */
const MATCH = Type.Tuple([
  OneOf(MATCH_METHODS),
  Type.String(), // algorithm
  Type.Integer(), // distance in bits
  Type.Integer(), // threshold in bits
  Nullable(OneOf(ORIENTATIONS)),
  Nullable(OneOf(PDQ_FLAVOURS)),
  Nullable(Type.Number()), // expected false matches
  Type.String(), // source
  Type.String(), // set
  Type.Integer(), // its version
  Nullable(Type.String()), // series
  Type.String(), // category scheme
  Nullable(Type.String()), // category code
  Type.Integer(), // revision of the set
  Nullable(Type.String()), // negative set
]);
type StoredMatch = Static<typeof MATCH>;
const MATCHES = row({ mediaId: integer, matches: json(Type.Array(MATCH)) });

// Where a batch has items. Its numbers need not follow each other: other scans record beside it, and what was recorded already uses up numbers.
const PAGES_SQL = `select distinct item_id / ${PAGE_NUMBERS} as page from item where batch_id = $1 order by page`;

// Shaped so that a page costs the same however long the batch is and whatever the planner believes: an embedded database has no
// statistics of a batch it just took in. Materialized, since by the index of a batch's places each page would read the whole batch;
// "offset 0", since a join the planner may turn round reads all contents or all matches for each page.
const ITEMS_SQL = `
with page as materialized (select * from item where item_id >= $4::bigint and item_id < $4::bigint + ${PAGE_NUMBERS})
select i.item_id, i.path, i.media_id, i.size_bytes as item_size, i.modified_at, i.type, i.outcome, i.reason, i.reason_detail,
       m.sha256, m.sha1, m.md5,
       f.width_pixels, f.height_pixels, f.trailing_bytes, f.pdq_512_quality as pdq512_quality, f.pdq_full_quality,
       f.blockhash is not null as has_blockhash, f.searched_change_id, f.capture
  from page i
  left join lateral (select sha256, sha1, md5 from media where media_id = i.media_id offset 0) m on true
  left join lateral (
    select width_pixels, height_pixels, trailing_bytes, pdq_512_quality, pdq_full_quality, blockhash,
           searched_change_id, capture
      from fingerprint where media_id = i.media_id and pipeline_version = $2 and mode = $3 offset 0
  ) f on true
 where i.batch_id = $1
 order by i.item_id`;

// Ordered by what does not depend on the moment of recording, so that a report made again reads the same.
// Evidence is in force while its set is: neither a mark of withdrawal nor the set alone decides.
// Digest evidence holds whatever the decoding; perceptual evidence belongs to the mode it was computed in.
// As one JSON value for each content: handing over fourteen columns a match costs the embedded database ten times what finding
// them does, and names in each of them three times what the values do.
const MATCHES_SQL = `
select wanted.media_id,
       json_agg(json_build_array(
         t.method, t.algorithm, t.distance_bits, t.threshold_bits, t.orientation, t.flavour, t.expected_false_matches,
         s.source, s.name, s.version, e.name, s.category_scheme, t.category_code,
         t.set_revision, c.source || ' ' || c.name || ' version ' || c.version
       ) order by t.distance_bits, t.method, s.source, s.name, t.record_id) as matches
  from unnest($1::bigint[]) as wanted(media_id)
 cross join lateral (select * from match where media_id = wanted.media_id and withdrawn_at is null offset 0) t
  join hash_set s on s.set_id = t.set_id and s.state = 'active'
  left join hash_set c on c.set_id = t.contradicted_by_set and c.state = 'active'
  left join series e on e.series_id = t.series_id
 where t.method in ('md5', 'sha1', 'sha256') or (t.mode = $2 and t.pipeline_version = $3)
 group by wanted.media_id`;

const GOOD = row({
  mediaId: integer,
  source: text,
  setName: text,
  setVersion: integer,
  method: oneOf(['md5', 'sha1', 'sha256'] as const),
});

const GOOD_SQL = `
select distinct g.media_id, s.source, s.name as set_name, s.version as set_version, g.method
  from media_good g join hash_set s on s.set_id = g.set_id and s.state = 'active' and s.purpose = 'good'
 where g.media_id = any($1::bigint[]) order by g.media_id, s.source, s.name, s.version, g.method`;

/** A batch's items as a report shows them, in the order they were recorded, with the number of their content. */
export async function* reportItems(
  db: Db,
  batch: {
    readonly batchId: string;
    readonly pipelineVersion: string;
    readonly mode: DecodeMode;
    /** Change of what is known with which fingerprints that were searched earlier await their rematch; null: none do. */
    readonly awaitsChangeId: number | null;
    /** Null where the models were left out. */
    readonly models: ModelRuns | null;
  },
): AsyncGenerator<{ readonly item: ReportItem; readonly mediaId: number | null }> {
  for (const { page } of await db.read(row({ page: integer }), PAGES_SQL, [batch.batchId])) {
    const first = page * PAGE_NUMBERS;
    const rows = await db.read(ITEM, ITEMS_SQL, [batch.batchId, batch.pipelineVersion, batch.mode, first]);
    const mediaIds = [...new Set(rows.flatMap((row) => (row.mediaId === null ? [] : [row.mediaId])))];
    const found =
      mediaIds.length === 0 ? [] : await db.read(MATCHES, MATCHES_SQL, [mediaIds, batch.mode, batch.pipelineVersion]);
    const matches = new Map(found.map((one) => [one.mediaId, one.matches.map(matchOf)]));
    const good = Map.groupBy(
      mediaIds.length === 0 ? [] : await db.read(GOOD, GOOD_SQL, [mediaIds]),
      (one) => one.mediaId,
    );
    const models = batch.models === null ? null : await modelsOf(db, mediaIds, batch.models);
    for (const row of rows) {
      const of = row.mediaId === null ? [] : (matches.get(row.mediaId) ?? []);
      const said = row.mediaId === null ? null : (models?.get(row.mediaId) ?? null);
      const knownGood = row.mediaId === null ? [] : (good.get(row.mediaId) ?? []).map(({ mediaId: _, ...one }) => one);
      yield { item: itemOf(row, of, knownGood, said, batch.awaitsChangeId), mediaId: row.mediaId };
    }
  }
}

function itemOf(
  row: ItemRow,
  matches: ReportMatch[],
  knownGood: ReportGood[],
  models: ReportItemModels | null,
  awaitsChangeId: number | null,
): ReportItem {
  const qualities = [row.pdq512Quality, row.pdqFullQuality].filter((quality) => quality !== null);
  return {
    ...pathAsText(row.path),
    sizeBytes: row.itemSize,
    modifiedAt: row.modifiedAt,
    sha256: row.sha256?.toString('hex') ?? null,
    md5: row.md5?.toString('hex') ?? null,
    sha1: row.sha1?.toString('hex') ?? null,
    type: row.type,
    outcome: row.outcome,
    reason: row.reason,
    reasonDetail: row.reasonDetail,
    ...standingOf({
      outcome: row.outcome,
      isPicture: row.widthPixels !== null,
      hashes: row,
      methods: matches.map((match) => match.method),
      isKnownGood: knownGood.length > 0,
      awaitsRematch: awaitsChangeId !== null && (row.searchedChangeId ?? 0) < awaitsChangeId,
    }),
    widthPixels: row.widthPixels,
    heightPixels: row.heightPixels,
    quality: qualities.length === 0 ? null : Math.min(...qualities),
    trailingBytes: row.trailingBytes,
    capture: row.capture,
    matches: matches.map((match) => ({ ...match, uncorroborated: standsAlone(match, matches, models) })),
    knownGood,
    models,
  };
}

/** Whether everything that ties the item to the series (or, without one, to the set) of this match is of one family of methods. */
function standsAlone(match: ReportMatch, matches: readonly ReportMatch[], models: ReportItemModels | null): boolean {
  const { source, series, setName } = match;
  const same = matches.filter(
    (one) =>
      one.source === source &&
      one.series === series &&
      (series !== null || one.setName === setName) &&
      !one.contradictedBy,
  );
  const byModel = (models?.matches ?? []).filter((one) => one.source === source && one.series === series);
  const families = [...same, ...byModel].map(({ method }) =>
    method === 'md5' || method === 'sha1' || method === 'sha256' ? 'digest' : method,
  );
  return new Set(families).size < 2;
}

function matchOf([
  method,
  algorithm,
  distance,
  threshold,
  orientation,
  flavour,
  expectedFalseMatches,
  source,
  setName,
  setVersion,
  series,
  scheme,
  code,
  setRevision,
  contradictedBy,
]: StoredMatch): ReportMatch {
  return {
    method,
    algorithm,
    distance,
    threshold,
    orientation,
    flavour,
    expectedFalseMatches,
    source,
    setName,
    setVersion,
    setRevision,
    contradictedBy,
    series,
    category: code === null ? null : { scheme, code, label: categoryEntry(scheme, code).label },
  };
}
