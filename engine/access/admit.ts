import type { Member } from '../../schemas/access.ts';
import type { AuditOperation } from '../../schemas/audit.ts';
import { HomewardError } from '../../schemas/error.ts';
import type { Grouped } from '../store/grouped.ts';
import type { AdmissionFacts, AskedFacts } from './admission-facts.ts';
import { caseNotFound } from './cases.ts';
import { purposeUnknown } from './purposes.ts';

export interface AskedAct {
  readonly operation: AuditOperation;
  /** A code of the reviewed table; whatever else was sent is refused. */
  readonly purpose: string;
  readonly caseId: string | null;
  readonly justification: string | null;
  /** A look-up is made for a case, always. */
  readonly lookUp?: boolean;
}

/** What an act is recorded with, once it may be done. */
export interface Admission {
  readonly operation: AuditOperation;
  readonly purpose: string;
  readonly justification: string | null;
  readonly caseId: string | null;
  readonly caseRef: string | null;
  /** Ids of the organisations in whose chains the act is recorded: who asks, in a joint case of another one that one too, and for an embedded member the one that runs the engine. */
  readonly chains: readonly string[];
}

const MOST_JUSTIFICATION = 2000;
/** Art. 25 of the Law Enforcement Directive asks for the grounds of these two. */
const JUSTIFIED: readonly AuditOperation[] = ['consultation', 'disclosure'];

/**
 * Whether a member may do something now, for this purpose and in this case.
 * @throws HW_PURPOSE_UNKNOWN for free text, a code that is not in the table, or one that the agreement does not name;
 *   HW_JUSTIFICATION_MISSING; HW_CASE_NOT_FOUND for a case that is closed, over, not assigned to the member, or not there
 */
export async function admit(
  facts: Grouped<AskedFacts, AdmissionFacts>,
  member: Member,
  asked: AskedAct,
): Promise<Admission> {
  const { operation, purpose, caseId } = asked;
  const { purposeKnown, assignedCase, homeOrganisationId } = await facts.ask({
    purpose,
    caseId,
    principalId: member.principalId,
  });
  if (!purposeKnown) throw purposeUnknown(purpose);
  if (member.agreement !== null && !member.agreement.purposes.includes(purpose))
    throw new HomewardError(
      'HW_PURPOSE_UNKNOWN',
      `expected one of the purposes that the agreement names (${member.agreement.purposes.join(', ')}), received ${JSON.stringify(purpose)}; give one of these`,
    );
  const justification = asked.justification?.trim() ?? '';
  if (justification === '' && JUSTIFIED.includes(operation))
    throw new HomewardError(
      'HW_JUSTIFICATION_MISSING',
      `expected a justification for a ${operation}, received none; say in a sentence why it is needed`,
    );
  if (justification.length > MOST_JUSTIFICATION)
    throw new HomewardError(
      'HW_USAGE',
      `expected a justification of up to ${MOST_JUSTIFICATION} characters, received ${justification.length}; shorten it`,
    );
  if (assignedCase === null && (caseId !== null || asked.lookUp === true)) throw caseNotFound();
  return {
    operation,
    purpose,
    justification: justification === '' ? null : justification,
    caseId,
    caseRef: assignedCase?.caseRef ?? null,
    chains: [
      ...new Set([
        member.organisationId,
        ...(assignedCase === null ? [] : [assignedCase.organisationId]),
        // Who works among us answers to both.
        ...(member.agreement?.tier === 'embedded' && homeOrganisationId !== null ? [homeOrganisationId] : []),
      ]),
    ],
  };
}
