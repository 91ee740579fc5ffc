import type { Db } from '../store/db.ts';
import { integer, nullable, row, text } from '../store/row-shape.ts';

export interface SeriesSummary {
  readonly seriesId: number;
  readonly source: string;
  readonly name: string;
  /** Records of hash sets in force. */
  readonly records: number;
  /** What the unit has put into it. */
  readonly media: number;
  readonly subjects: number;
  /** Contents of cases with evidence in force, by digest, hash or model. */
  readonly matchedMedia: number;
  readonly mergedInto: number | null;
}

const SUMMARY = row({
  seriesId: integer,
  source: text,
  name: text,
  records: integer,
  media: integer,
  subjects: integer,
  matchedMedia: integer,
  mergedInto: nullable(integer),
});

/** Series that hold records of a set in force or matches, and those that were made here; those with most matches first. */
export async function listSeries(db: Db): Promise<SeriesSummary[]> {
  return await db.read(
    SUMMARY,
    `select e.series_id, e.source, e.name, e.merged_into, coalesce(r.records, 0) as records, coalesce(t.media, 0) as matched_media,
            (select count(*) from series_media m where m.series_id = e.series_id) as media,
            (select count(*) from subject b where b.series_id = e.series_id) as subjects
       from series e
       left join (select series_id, count(*) as records from known_record group by series_id) r on r.series_id = e.series_id
       left join (select series_id, count(distinct media_id) as media
                    from (select series_id, media_id from match where withdrawn_at is null
                          union all
                          select series_id, media_id from model_match where withdrawn_at is null) as evidence
                   group by series_id) t
              on t.series_id = e.series_id
      where r.records is not null or t.media is not null or e.created_by is not null
      order by matched_media desc, e.source, e.name`,
  );
}
