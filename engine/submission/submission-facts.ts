import type { Db } from '../store/db.ts';
import { row, text } from '../store/row-shape.ts';

export interface SubmissionFacts {
  /** As batches and chains of the audit name it. */
  readonly organisation: string;
  readonly submitter: string;
  readonly caseRef: string;
}

/**
 * What a batch carries of its submission in words.
 * @param home what batches and chains of the organisation that runs the engine are named by: its commands make some too
 */
export async function submissionFacts(db: Db, submissionId: string, home: string): Promise<SubmissionFacts> {
  const [facts] = await db.read(
    row({ organisation: text, submitter: text, caseRef: text }),
    `select case when o.home then $2 else o.organisation_id end as organisation, p.label as submitter, c.case_ref
       from submission s join organisation o using (organisation_id) join principal p on p.principal_id = s.submitted_by
       join case_file c on c.case_id = s.case_id
      where s.submission_id = $1`,
    [submissionId, home],
  );
  if (facts === undefined) throw new Error('expected the submission to be there');
  return facts;
}
