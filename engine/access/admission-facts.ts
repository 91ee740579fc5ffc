import { isUuid, PURPOSE_PATTERN } from '../../schemas/access.ts';
import type { Db } from '../store/db.ts';
import { Grouped } from '../store/grouped.ts';
import { keptPlan } from '../store/kept-plan.ts';
import { bool, nullable, row, text } from '../store/row-shape.ts';

/** More of a group gained nothing. */
const MOST_OF_GROUP = 256;

export interface AskedFacts {
  readonly purpose: string;
  readonly caseId: string | null;
  readonly principalId: string;
}

/** What the database says of an act before it is admitted. */
export interface AdmissionFacts {
  /** It is a code of the reviewed table that is not retired. */
  readonly purposeKnown: boolean;
  /** The organisation that runs the engine. */
  readonly homeOrganisationId: string | null;
  /** A case that is open, not over and assigned to the principal; null alike whatever is missing of it. */
  readonly assignedCase: { readonly caseRef: string; readonly organisationId: string } | null;
}

const FACTS = row({
  purposeKnown: bool,
  homeOrganisationId: nullable(text),
  caseRef: nullable(text),
  organisationId: nullable(text),
});
const FACTS_SQL = keptPlan(
  `select exists (select 1 from purpose_code p where p.code = a.purpose and p.retired_at is null) as purpose_known,
          c.case_ref, c.organisation_id,
          (select organisation_id from organisation where home) as home_organisation_id
     from unnest($1::text[], $2::uuid[], $3::uuid[]) with ordinality as a (purpose, case_id, principal_id, number)
     left join (case_file c join case_member m using (case_id))
       on c.case_id = a.case_id and m.principal_id = a.principal_id and c.state = 'open'
          and (c.last_day is null or c.last_day >= (now() at time zone 'UTC')::date)
    order by a.number`,
);

/** Asks for many who come at once in one statement, as of now: a case that was closed a moment ago is closed. */
export function admissionFacts(db: Db): Grouped<AskedFacts, AdmissionFacts> {
  const purpose = new RegExp(PURPOSE_PATTERN);
  return new Grouped({
    most: MOST_OF_GROUP,
    work: async (asked) => {
      const found = await db.read(FACTS, FACTS_SQL, [
        asked.map((one) => (purpose.test(one.purpose) ? one.purpose : null)),
        asked.map(({ caseId }) => (caseId !== null && isUuid(caseId) ? caseId : null)),
        asked.map((one) => one.principalId),
      ]);
      return found.map(({ caseRef, organisationId, ...facts }) => ({
        ...facts,
        assignedCase: caseRef === null || organisationId === null ? null : { caseRef, organisationId },
      }));
    },
  });
}
