import { type AgreementTerms, TLP_LEVELS } from '../../schemas/access.ts';
import type { Queryable } from '../store/db.ts';
import { keptPlan } from '../store/kept-plan.ts';
import { integer, oneOf, row } from '../store/row-shape.ts';

/** Sets in force and series of which a partner may be told: within its TLP, those of a third organisation with its consent alone. */
export interface ToldKnown {
  readonly setIds: ReadonlySet<number>;
  readonly seriesIds: ReadonlySet<number>;
}

const TOLD = row({ kind: oneOf(['set', 'series'] as const), id: integer });
const TOLD_SQL = keptPlan(
  `select 'set' as kind, set_id as id from hash_set
    where state = 'active' and may_be_told($1::text, $2::smallint, tlp, owner_organisation_id)
   union all
   select 'series', series_id from series where series_id = any ($3::bigint[]) and may_be_told($1::text, $2::smallint, tlp, owner_organisation_id)`,
);

/** @param seriesIds those that it is asked about */
export async function toldKnown(
  db: Queryable,
  organisationId: string,
  { highestTlp }: AgreementTerms,
  seriesIds: readonly number[],
): Promise<ToldKnown> {
  const found = await db.read(TOLD, TOLD_SQL, [organisationId, TLP_LEVELS.indexOf(highestTlp), seriesIds]);
  const of = (kind: 'set' | 'series') => new Set(found.filter((one) => one.kind === kind).map(({ id }) => id));
  return { setIds: of('set'), seriesIds: of('series') };
}
