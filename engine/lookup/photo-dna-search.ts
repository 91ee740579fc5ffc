import type { Queryable } from '../store/db.ts';
import { integer, real, row } from '../store/row-shape.ts';

/** Two values match up to this squared Euclidean distance, as the labs that supply them use it: a distance of 200. */
export const PHOTO_DNA_THRESHOLD_SQUARED = 40_000;
/** With its version, as evidence carries it. */
export const PHOTO_DNA_ALGORITHM = 'photodna-144/1';

export interface PhotoDnaHit {
  readonly query: number;
  readonly recordId: number;
  /** Euclidean, of the nearest pair of orientations as supplied. */
  readonly distance: number;
}

const HIT = row({ query: integer, recordId: integer, distance: real });

// Every value is compared: an index would be approximate and miss. Materialized, or the text would be read as a vector for each pair.
const WITHIN_SQL = `
with q as materialized (
  select ordinality as number, value::vector as value from unnest($1::text[]) with ordinality as t(value, ordinality)
)
select q.number - 1 as query, p.record_id, min(p.value <-> q.value) as distance
  from q join searched_photodna p on (p.value <-> q.value) <= $2::float8
 group by q.number, p.record_id
 order by q.number, distance, p.record_id`;

/** All known PhotoDNA values within the threshold of these, by position. @param values 288 hexadecimal digits each */
export async function photoDnaWithin(
  db: Queryable,
  values: readonly string[],
  thresholdSquared = PHOTO_DNA_THRESHOLD_SQUARED,
): Promise<PhotoDnaHit[]> {
  if (values.length === 0) return [];
  const literals = values.map((hex) => `[${Buffer.from(hex, 'hex').join(',')}]`);
  return await db.read(HIT, WITHIN_SQL, [literals, Math.sqrt(thresholdSquared)]);
}
