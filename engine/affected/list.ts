import { Type } from 'typebox';
import { DECODE_MODES } from '../../schemas/constants.ts';
import type { Db } from '../store/db.ts';
import { integer, json, oneOf, type RowOf, row, text } from '../store/row-shape.ts';
import { type AffectedVersion, relationsOf } from './version.ts';

const BATCH = row({
  batchId: text,
  caseRef: text,
  exhibitRef: text,
  organisation: text,
  mode: oneOf(DECODE_MODES),
  roots: json(Type.Array(Type.String())),
  items: integer,
  media: integer,
  matches: integer,
  leads: integer,
});

/** A batch that a version had a part in: its items and contents that were touched, evidence in force that rests on it, and leads with such evidence. */
export type AffectedBatch = RowOf<typeof BATCH>;

/** Batches that a version had a part in, oldest first. */
export async function affectedBatches(db: Db, version: AffectedVersion): Promise<AffectedBatch[]> {
  const { touched, evidence, parameter } = relationsOf(version);
  return await db.read(
    BATCH,
    `with touched as materialized (${touched}), evidence as materialized (
       select e.media_id, coalesce(s.merged_into, e.series_id) as series_id
         from (${evidence}) e left join series s on s.series_id = e.series_id
     ), places as materialized (
       select i.batch_id, i.media_id, count(*) as items from touched t join item i on i.media_id = t.media_id group by i.batch_id, i.media_id
     ), found as (
       select p.batch_id, count(*) as matches from places p join evidence e on e.media_id = p.media_id group by p.batch_id
     ), led as (
       select p.batch_id, count(*) as leads
         from places p join lead l on l.media_id = p.media_id and l.state <> 'withdrawn'
        where exists (select from evidence e where e.media_id = l.media_id and e.series_id = l.series_id)
        group by p.batch_id
     ), counted as (
       select batch_id, sum(items) as items, count(*) as media from places group by batch_id
     )
     select b.batch_id, b.case_ref, b.exhibit_ref, b.organisation, b.mode, b.roots, c.items, c.media,
            coalesce(f.matches, 0) as matches, coalesce(l.leads, 0) as leads
       from counted c join batch b on b.batch_id = c.batch_id
       left join found f on f.batch_id = c.batch_id
       left join led l on l.batch_id = c.batch_id
      order by b.started_at, b.batch_id`,
    [parameter],
  );
}
