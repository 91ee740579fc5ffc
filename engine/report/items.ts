import { CaptureMetadata, type DecodeMode, ORIENTATIONS, PDQ_FLAVOURS } from '../../schemas/fingerprint.ts';
import { MATCH_METHODS } from '../../schemas/match.ts';
import { OUTCOMES, REASONS } from '../../schemas/outcome.ts';
import { pathAsText } from '../../schemas/path-text.ts';
import type { ReportItem, ReportMatch } from '../../schemas/report.ts';
import { categoryEntry } from '../hashset/category-schemes.ts';
import { standingOf } from '../match/standing.ts';
import type { Db } from '../store/db.ts';
import { bytes, integer, json, nullable, oneOf, type RowOf, real, row, text, timestamp } from '../store/row-shape.ts';

/** Items read together; a page and its matches are all that is in memory. */
const PAGE_ITEMS = 2_000;

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
  capture: nullable(json(CaptureMetadata)),
});
type ItemRow = RowOf<typeof ITEM>;

const MATCH = row({
  mediaId: integer,
  method: oneOf(MATCH_METHODS),
  algorithm: text,
  distanceBits: integer,
  thresholdBits: integer,
  orientation: nullable(oneOf(ORIENTATIONS)),
  flavour: nullable(oneOf(PDQ_FLAVOURS)),
  expectedFalseMatches: nullable(real),
  source: text,
  setName: text,
  setVersion: integer,
  categoryScheme: text,
  categoryCode: nullable(text),
  series: nullable(text),
});
type MatchRow = RowOf<typeof MATCH>;

// By item number and not by offset: the thousandth page costs what the first does.
const ITEMS_SQL = `
select i.item_id, i.path, i.media_id, i.size_bytes as item_size, i.modified_at, i.type, i.outcome, i.reason, i.reason_detail,
       m.sha256, m.sha1, m.md5,
       f.width_pixels, f.height_pixels, f.trailing_bytes, f.pdq_512_quality as pdq512_quality, f.pdq_full_quality, f.capture
  from item i
  left join media m on m.media_id = i.media_id
  left join fingerprint f on f.media_id = i.media_id and f.pipeline_version = $2 and f.mode = $3
 where i.batch_id = $1 and i.item_id > $4
 order by i.item_id
 limit $5`;

// Ordered by what does not depend on the moment of recording, so that a report made again reads the same.
// Digest evidence holds whatever the decoding; perceptual evidence belongs to the mode it was computed in.
const MATCHES_SQL = `
select t.media_id, t.method, t.algorithm, t.distance_bits, t.threshold_bits, t.orientation, t.flavour, t.expected_false_matches,
       s.source, s.name as set_name, s.version as set_version, s.category_scheme, t.category_code, e.name as series
  from match t
  join hash_set s on s.set_id = t.set_id
  left join series e on e.series_id = t.series_id
 where t.media_id = any($1::bigint[]) and t.withdrawn_at is null
   and (t.method in ('md5', 'sha1', 'sha256') or (t.mode = $2 and t.pipeline_version = $3))
 order by t.media_id, t.distance_bits, t.method, s.source, s.name, t.record_id`;

/** A batch's items as a report shows them, in the order they were recorded, with the number of their content. */
export async function* reportItems(
  db: Db,
  batch: { readonly batchId: string; readonly pipelineVersion: string; readonly mode: DecodeMode },
): AsyncGenerator<{ readonly item: ReportItem; readonly mediaId: number | null }> {
  let after = 0;
  for (;;) {
    const rows = await db.read(ITEM, ITEMS_SQL, [batch.batchId, batch.pipelineVersion, batch.mode, after, PAGE_ITEMS]);
    if (rows.length === 0) return;
    const mediaIds = [...new Set(rows.flatMap((row) => (row.mediaId === null ? [] : [row.mediaId])))];
    const matches = Map.groupBy(
      mediaIds.length === 0 ? [] : await db.read(MATCH, MATCHES_SQL, [mediaIds, batch.mode, batch.pipelineVersion]),
      (row) => row.mediaId,
    );
    for (const row of rows) {
      after = row.itemId;
      yield { item: itemOf(row, row.mediaId === null ? [] : (matches.get(row.mediaId) ?? [])), mediaId: row.mediaId };
    }
  }
}

function itemOf(row: ItemRow, matchRows: readonly MatchRow[]): ReportItem {
  const matches = matchRows.map(matchOf);
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
    standing: standingOf({
      outcome: row.outcome,
      isPicture: row.widthPixels !== null,
      methods: matches.map((match) => match.method),
    }),
    widthPixels: row.widthPixels,
    heightPixels: row.heightPixels,
    quality: qualities.length === 0 ? null : Math.min(...qualities),
    trailingBytes: row.trailingBytes,
    capture: row.capture,
    matches,
  };
}

function matchOf(row: MatchRow): ReportMatch {
  return {
    method: row.method,
    algorithm: row.algorithm,
    distance: row.distanceBits,
    threshold: row.thresholdBits,
    orientation: row.orientation,
    flavour: row.flavour,
    expectedFalseMatches: row.expectedFalseMatches,
    source: row.source,
    setName: row.setName,
    setVersion: row.setVersion,
    series: row.series,
    category:
      row.categoryCode === null
        ? null
        : {
            scheme: row.categoryScheme,
            code: row.categoryCode,
            label: categoryEntry(row.categoryScheme, row.categoryCode).label,
          },
  };
}
