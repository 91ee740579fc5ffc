import type { AuditAct } from '../../schemas/audit.ts';
import { storableText } from '../store/db.ts';

const MOST_OBJECTS = 1_000;
const CUT = '\u2026';

/**
 * An act as the database holds it, so that what is hashed is what is read back. What is longer than the schema allows is cut and ends
 * with an ellipsis: one entry that does not read back would make every later one unreadable with it.
 */
export function storableAct(act: AuditAct): AuditAct {
  return {
    operation: act.operation,
    action: bounded(act.action, 100),
    actor: bounded(act.actor, 200),
    organisation: bounded(act.organisation, 200),
    purpose: boundedOrNull(act.purpose, 200),
    justification: boundedOrNull(act.justification, 2_000),
    caseRef: boundedOrNull(act.caseRef, 200),
    recipient: boundedOrNull(act.recipient, 200),
    objects: boundedObjects(act.objects),
    outcome: act.outcome,
  };
}

function bounded(value: string, most: number): string {
  const stored = storableText(value);
  // In UTF-16 units, of which there are never fewer than of the characters that the schema counts.
  return stored.length <= most ? stored : `${stored.slice(0, most - 1).toWellFormed()}${CUT}`;
}

function boundedOrNull(value: string | null, most: number): string | null {
  return value === null ? null : bounded(value, most);
}

function boundedObjects(objects: readonly string[]): string[] {
  const kept = objects.length <= MOST_OBJECTS ? objects : objects.slice(0, MOST_OBJECTS - 1);
  const stored = kept.map((object) => bounded(object, 300));
  return kept.length === objects.length ? stored : [...stored, `${CUT} and ${objects.length - kept.length} more`];
}
