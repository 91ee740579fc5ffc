import { Type } from 'typebox';
import { BoundedText, Closed, Count, Hex, Nullable, OneOf, type Static } from './closed.ts';

/** The six operations of LED Art. 25. */
export const AUDIT_OPERATIONS = [
  'collection',
  'alteration',
  'consultation',
  'disclosure',
  'combination',
  'erasure',
] as const;
export const AuditOperation = OneOf(AUDIT_OPERATIONS);
export type AuditOperation = Static<typeof AuditOperation>;

/** What the actor did, before it is chained. */
export const AuditAct = Closed({
  operation: AuditOperation,
  /** The command or route, such as `scan` or `hashset export`. */
  action: BoundedText(100),
  actor: BoundedText(200),
  organisation: BoundedText(200),
  purpose: Nullable(BoundedText(200)),
  justification: Nullable(BoundedText(2000)),
  caseRef: Nullable(BoundedText(200)),
  recipient: Nullable(BoundedText(200)),
  /** Identifiers of what it was done to (batch, hash set with version, series); never hashes or file names. */
  objects: Type.Array(BoundedText(300), { maxItems: 1000 }),
  outcome: OneOf(['started', 'done', 'refused', 'failed', 'interrupted']),
});
export type AuditAct = Static<typeof AuditAct>;

export const AuditEntry = Closed({
  ...AuditAct.properties,
  /** 1, 2, 3 ... without gap within the organisation. */
  sequence: Count(),
  /** ISO 8601 in UTC with milliseconds. */
  at: BoundedText(30),
  /** Host name of the machine it was done on. */
  node: BoundedText(200),
  previousHash: Hex(32),
  /** SHA-256 over the canonical JSON of all the other fields. */
  hash: Hex(32),
});
export type AuditEntry = Static<typeof AuditEntry>;
