import type { Queryable } from '../store/db.ts';
import { bool, nullable, row, text } from '../store/row-shape.ts';

export interface OwnCase {
  readonly caseId: string;
  readonly caseRef: string;
  readonly joint: boolean;
  /** YYYY-MM-DD, of a joint case. */
  readonly lastDay: string | null;
}

/** Open cases that are assigned to a principal and not over. */
export async function ownCases(db: Queryable, principalId: string): Promise<OwnCase[]> {
  return await db.read(
    row({ caseId: text, caseRef: text, joint: bool, lastDay: nullable(text) }),
    `select c.case_id, c.case_ref, c.joint, to_char(c.last_day, 'YYYY-MM-DD') as last_day
       from case_member m join case_file c using (case_id)
      where m.principal_id = $1 and c.state = 'open' and (c.last_day is null or c.last_day >= (now() at time zone 'UTC')::date)
      order by c.opened_at desc, c.case_id limit 1000`,
    [principalId],
  );
}
