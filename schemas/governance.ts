import { Type } from 'typebox';
import { AUDIT_OPERATIONS } from './audit.ts';
import { BoundedText, Closed, Count, Nullable, OneOf, type Static } from './closed.ts';

export const GOVERNANCE_OUTPUT_VERSION = '1.1';

/** How acts of one kind ended. */
const Endings = {
  done: Count(),
  refused: Count(),
  failed: Count(),
  interrupted: Count(),
  /** Begun and never ended: the process was killed, or still runs. */
  unfinished: Count(),
};

/** What a governor is told of a period: counts from the audit and the tables, and no name of anybody. */
export const GovernanceReport = Closed({
  schemaVersion: Type.Literal(GOVERNANCE_OUTPUT_VERSION),
  organisation: BoundedText(200),
  /** From the first instant, up to but without the second; ISO 8601 in UTC. */
  period: Closed({ from: BoundedText(40), until: BoundedText(40) }),
  /** Acts by operation, command and purpose. */
  acts: Type.Array(
    Closed({
      operation: OneOf(AUDIT_OPERATIONS),
      action: BoundedText(100),
      /** A code; `free text` where somebody wrote one, which may name people and is not repeated; null where none was given. */
      purpose: Nullable(BoundedText(40)),
      ...Endings,
    }),
    { maxItems: 10_000 },
  ),
  totals: Closed(Endings),
  /** What became of files and why, for items recorded in the period. */
  itemTrouble: Type.Array(Closed({ outcome: BoundedText(20), reason: Nullable(BoundedText(60)), items: Count() }), {
    maxItems: 1_000,
  }),
  /** Of what was handed in over the API in the period, what failed as a whole, by the code of docs/errors.md. Since 1.1. */
  failedSubmissions: Type.Array(Closed({ code: BoundedText(60), submissions: Count() }), { maxItems: 1_000 }),
  scans: Closed({
    /** Ended in the period. */
    ended: Count(),
    /** Of them, time from start to end, all together, in hours of one machine. */
    machineHours: Type.Number({ minimum: 0 }),
    /** Items recorded in the period that are still there. */
    items: Count(),
  }),
  erasures: Type.Array(
    Closed({
      outcome: BoundedText(40),
      closedAt: BoundedText(40),
      /** Null while it is not finished. */
      erasedAt: Nullable(BoundedText(40)),
      items: Count(),
      media: Count(),
      backupsGoneBy: Nullable(BoundedText(10)),
      /** Steps that only the operator can do. */
      leftToOperator: Count(),
    }),
    { maxItems: 10_000 },
  ),
  closedKept: Count(),
  reviews: Closed({ decidedKeep: Count(), decidedErase: Count(), dueNow: Count() }),
  custody: Closed({ events: Count(), changedDigests: Count() }),
  suspendedRecords: Closed({ suspended: Count(), resumed: Count(), inForceNow: Count() }),
  alarms: Closed({ raised: Count(), openNow: Count() }),
});
export type GovernanceReport = Static<typeof GovernanceReport>;
