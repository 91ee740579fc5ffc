import { AuditEntry } from '../../schemas/audit.ts';
import type { Db } from '../store/db.ts';
import { json, row } from '../store/row-shape.ts';

const PAGE = 1_000;
const ENTRY = row({ entry: json(AuditEntry) });

/** The entries of an organisation in their order, from `afterSequence` on. */
export async function* listAudit(db: Db, organisation: string, afterSequence = 0): AsyncGenerator<AuditEntry> {
  let after = afterSequence;
  for (;;) {
    const page = await db.read(
      ENTRY,
      `select entry from audit_entry where organisation = $1 and sequence > $2 order by sequence limit ${PAGE}`,
      [organisation, after],
    );
    for (const { entry } of page) yield entry;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    after = last.entry.sequence;
  }
}
