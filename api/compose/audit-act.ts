import type { AuditAct, AuditOperation } from '../../schemas/audit.ts';
import type { Config } from '../../schemas/config.ts';

/** What an act is recorded as before it is done; its outcome is added by whoever does it. */
export function auditActOf(
  config: Config,
  operation: AuditOperation,
  action: string,
  details: {
    readonly purpose?: string;
    readonly justification?: string;
    readonly case?: string;
    readonly recipient?: string;
    readonly reveal?: true;
  } = {},
): Omit<AuditAct, 'outcome'> {
  return {
    operation,
    action: details.reveal ? `${action} with names revealed` : action,
    actor: config.actor,
    organisation: config.organisation,
    purpose: details.purpose ?? null,
    justification: details.justification ?? null,
    caseRef: details.case ?? null,
    recipient: details.recipient ?? null,
    objects: [],
  };
}
