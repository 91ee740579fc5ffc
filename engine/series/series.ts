import { HomewardError } from '../../schemas/error.ts';
import { categoryEntry } from '../hashset/category-schemes.ts';
import type { Db } from '../store/db.ts';
import { integer, nullable, row, text } from '../store/row-shape.ts';

export interface SeriesSummary {
  readonly seriesId: number;
  readonly source: string;
  readonly name: string;
  readonly records: number;
  readonly matchedMedia: number;
}

export interface SeriesDetail extends Pick<SeriesSummary, 'seriesId' | 'source' | 'name'> {
  readonly categories: readonly {
    readonly setName: string;
    readonly setVersion: number;
    readonly scheme: string;
    readonly code: string | null;
    readonly label: string | null;
    readonly records: number;
  }[];
  readonly matches: readonly { readonly method: string; readonly media: number; readonly batches: number }[];
}

const SUMMARY = row({ seriesId: integer, source: text, name: text, records: integer, matchedMedia: integer });

/** Series that hold records of a set in force, or matches; those with most matches first. */
export async function listSeries(db: Db): Promise<SeriesSummary[]> {
  return await db.read(
    SUMMARY,
    `select e.series_id, e.source, e.name, coalesce(r.records, 0) as records, coalesce(t.media, 0) as matched_media
       from series e
       left join (select series_id, count(*) as records from known_record group by series_id) r on r.series_id = e.series_id
       left join (select series_id, count(distinct media_id) as media from match where withdrawn_at is null group by series_id) t
              on t.series_id = e.series_id
      where r.records is not null or t.media is not null
      order by matched_media desc, e.source, e.name`,
  );
}

/**
 * One series in every source that uses the name: series of different sources are never merged.
 * @throws HomewardError HW_SERIES_NOT_FOUND
 */
export async function showSeries(db: Db, name: string, source: string | undefined): Promise<SeriesDetail[]> {
  const found = await db.read(
    row({ seriesId: integer, source: text, name: text }),
    'select series_id, source, name from series where name = $1 and ($2::text is null or source = $2) order by source',
    [name, source ?? null],
  );
  if (found.length === 0) {
    throw new HomewardError(
      'HW_SERIES_NOT_FOUND',
      `expected the name of a series${source === undefined ? '' : ` of ${JSON.stringify(source)}`}, received ${JSON.stringify(name)}, which is not here; homeward series list --reveal shows the names`,
    );
  }
  return await Promise.all(found.map(async (series) => await detail(db, series)));
}

async function detail(db: Db, series: Pick<SeriesSummary, 'seriesId' | 'source' | 'name'>): Promise<SeriesDetail> {
  const categories = await db.read(
    row({ setName: text, setVersion: integer, scheme: text, code: nullable(text), records: integer }),
    `select s.name as set_name, s.version as set_version, s.category_scheme as scheme, r.category_code as code, count(*) as records
       from known_record r join hash_set s on s.set_id = r.set_id
      where r.series_id = $1
      group by s.name, s.version, s.category_scheme, r.category_code
      order by records desc`,
    [series.seriesId],
  );
  const matches = await db.read(
    row({ method: text, media: integer, batches: integer }),
    `select t.method, count(distinct t.media_id) as media, count(distinct i.batch_id) as batches
       from match t join item i on i.media_id = t.media_id
      where t.series_id = $1 and t.withdrawn_at is null
      group by t.method order by media desc`,
    [series.seriesId],
  );
  return {
    ...series,
    categories: categories.map((one) => ({
      ...one,
      label: one.code === null ? null : categoryEntry(one.scheme, one.code).label,
    })),
    matches,
  };
}
