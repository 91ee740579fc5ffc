import { Type } from 'typebox';
import { BoundedText, Closed, type Static } from '../../schemas/closed.ts';
import type { Queryable } from '../store/db.ts';
import { row, text } from '../store/row-shape.ts';
import type { LeadEvidence } from './lead-evidence.ts';

/** A piece of evidence as it was when somebody decided; the row itself may be withdrawn later. */
export const DecidedEvidence = Closed({
  /** `m12` in match, `v45` in model_match. */
  id: BoundedText(24),
  method: BoundedText(20),
  algorithm: BoundedText(200),
  distance: Type.Number(),
  threshold: Type.Number(),
  calibrated: Type.Boolean(),
  log10LikelihoodRatio: Type.Number(),
});
export type DecidedEvidence = Static<typeof DecidedEvidence>;

/** The heaviest of them; more do not fit a row, and say nothing more. */
const MOST_KEPT = 100;

export function decidedEvidence(evidence: readonly LeadEvidence[]): DecidedEvidence[] {
  return evidence
    .toSorted((a, b) => b.log10LikelihoodRatio - a.log10LikelihoodRatio)
    .slice(0, MOST_KEPT)
    .map(({ id, method, algorithm, distance, threshold, calibrated, log10LikelihoodRatio }) => ({
      id,
      method,
      algorithm,
      distance,
      threshold,
      calibrated,
      log10LikelihoodRatio,
    }));
}

/** Of evidence that somebody decided on, what is in force still. @param ids `m12`, `v45` */
export async function stillInForce(db: Queryable, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const numbers = (table: 'm' | 'v'): number[] =>
    ids.filter((id) => id.startsWith(table)).map((id) => Number(id.slice(1)));
  const found = await db.read(
    row({ id: text }),
    `select 'm' || t.match_id as id from match t join hash_set s on s.set_id = t.set_id and s.state = 'active'
      where t.match_id = any($1::bigint[]) and t.withdrawn_at is null
     union all
     select 'v' || match_id from model_match where match_id = any($2::bigint[]) and withdrawn_at is null`,
    [numbers('m'), numbers('v')],
  );
  return new Set(found.map(({ id }) => id));
}
