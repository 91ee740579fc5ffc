import { HomewardError } from '../../schemas/error.ts';
import type { Queryable } from '../store/db.ts';
import { integer, nullable, row, text } from '../store/row-shape.ts';

export interface SeriesName {
  readonly name: string;
  /** Needed where several sources use the name. */
  readonly source?: string | undefined;
}

export interface FoundSeries {
  readonly seriesId: number;
  readonly source: string;
  readonly name: string;
  /** Null for a series that came with a hash set. */
  readonly createdBy: string | null;
  readonly mergedInto: number | null;
}

const FOUND = row({
  seriesId: integer,
  source: text,
  name: text,
  createdBy: nullable(text),
  mergedInto: nullable(integer),
});

/**
 * Every series of that name, one of each source that uses it.
 * @throws HomewardError HW_SERIES_NOT_FOUND
 */
export async function seriesOfName(db: Queryable, asked: SeriesName): Promise<FoundSeries[]> {
  const found = await db.read(
    FOUND,
    `select series_id, source, name, created_by, merged_into from series
      where name = $1 and ($2::text is null or source = $2) order by source`,
    [asked.name, asked.source ?? null],
  );
  if (found.length === 0) {
    const of = asked.source === undefined ? '' : ` of ${JSON.stringify(asked.source)}`;
    throw new HomewardError(
      'HW_SERIES_NOT_FOUND',
      `expected the name of a series${of}, received ${JSON.stringify(asked.name)}, which is not here; homeward series list --reveal shows the names`,
    );
  }
  return found;
}

/**
 * One series of that name; where several sources use it and none is named, the unit's own.
 * @throws HomewardError HW_SERIES_NOT_FOUND, HW_SERIES_AMBIGUOUS
 */
export async function findSeries(db: Queryable, asked: SeriesName, organisation: string): Promise<FoundSeries> {
  const found = await seriesOfName(db, asked);
  const own = found.filter((one) => one.source === organisation);
  const [only, other] = own.length === 1 ? own : found;
  if (only === undefined || other !== undefined) {
    throw new HomewardError(
      'HW_SERIES_AMBIGUOUS',
      `expected one series named ${JSON.stringify(asked.name)}, received one of each of ${found.map((one) => JSON.stringify(one.source)).join(', ')}; say which with --source`,
    );
  }
  return only;
}

/**
 * A series that this unit may change: one that was made here, or whose source it is. What came with the hash set of somebody else
 * says what they say.
 * @throws HomewardError HW_SERIES_NOT_FOUND, HW_SERIES_AMBIGUOUS, HW_SERIES_FOREIGN, HW_SERIES_MERGED
 */
export async function seriesToChange(db: Queryable, asked: SeriesName, organisation: string): Promise<FoundSeries> {
  const series = await findSeries(db, asked, organisation);
  if (series.createdBy === null && series.source !== organisation) {
    throw new HomewardError(
      'HW_SERIES_FOREIGN',
      `expected a series of ${JSON.stringify(organisation)}, received one that came with a hash set of ${JSON.stringify(series.source)}; create one of your own and link the two`,
    );
  }
  if (series.mergedInto !== null) {
    const [into] = await db.read(row({ name: text }), 'select name from series where series_id = $1', [
      series.mergedInto,
    ]);
    throw new HomewardError(
      'HW_SERIES_MERGED',
      `expected a series that stands for itself, received ${JSON.stringify(series.name)}, which was merged into ${JSON.stringify(into?.name)}; change that one, or undo the merge`,
    );
  }
  return series;
}
