import type { Queryable } from '../store/db.ts';
import { integer, row, text } from '../store/row-shape.ts';

export interface SeriesNamed {
  readonly seriesId: number;
  readonly source: string;
  readonly name: string;
}

/** In the order of their numbers, for readers that see rows by policy: only columns that a member may read are asked for. */
export async function seriesPage(db: Queryable, afterSeriesId: number, most: number): Promise<SeriesNamed[]> {
  return await db.read(
    row({ seriesId: integer, source: text, name: text }),
    'select series_id, source, name from series where series_id > $1 order by series_id limit $2',
    [afterSeriesId, most],
  );
}
