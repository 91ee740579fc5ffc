import type { Queryable } from '../store/db.ts';
import { integer, nullable, real, row, text, timestamp } from '../store/row-shape.ts';

/** A piece of evidence by digest or perceptual hash in force on one item of a batch, as far as the asking member sees it. */
export interface StoredBatchMatch {
  readonly itemId: number;
  readonly matchId: number;
  readonly mediaId: number;
  readonly method: string;
  readonly algorithm: string;
  readonly distance: number;
  readonly threshold: number;
  readonly series: string | null;
  readonly setName: string | null;
  readonly setVersion: number | null;
  readonly foundAt: string;
}

const MATCH = row({
  itemId: integer,
  matchId: integer,
  mediaId: integer,
  method: text,
  algorithm: text,
  distance: real,
  threshold: real,
  series: nullable(text),
  setName: nullable(text),
  setVersion: nullable(integer),
  foundAt: timestamp,
});

export type BatchMatchCursor = Pick<StoredBatchMatch, 'itemId' | 'matchId'>;

/** In the order of items, from after a place on. Sets and series that the member may not know of are null. */
export async function batchMatches(
  db: Queryable,
  batchId: string,
  after: BatchMatchCursor | null,
  most: number,
): Promise<StoredBatchMatch[]> {
  return await db.read(
    MATCH,
    `select i.item_id, m.match_id, m.media_id, m.method, m.algorithm, m.distance_bits::float8 as distance,
            m.threshold_bits::float8 as threshold, s.name as series, h.name as set_name, h.version as set_version, m.created_at as found_at
       from item i join match m on m.media_id = i.media_id and m.withdrawn_at is null
       left join series s on s.series_id = m.series_id left join hash_set h on h.set_id = m.set_id
      where i.batch_id = $1 and (i.item_id, m.match_id) > ($2::bigint, $3::bigint)
      order by i.item_id, m.match_id limit $4`,
    [batchId, after?.itemId ?? 0, after?.matchId ?? 0, most],
  );
}
