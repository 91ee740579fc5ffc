import { hostname } from 'node:os';
import type { AuditAct, AuditEntry } from '../../schemas/audit.ts';
import { type Db, jsonParam, storableText } from '../store/db.ts';
import { bytes, integer, row } from '../store/row-shape.ts';
import { retrying } from '../store/sqlstate.ts';
import { canonicalJson } from './verify/canonical-json.ts';
import { entryHash, NO_PREVIOUS_HASH } from './verify/chain.ts';

const HEAD = row({ sequence: integer, hash: bytes });

/**
 * Adds an entry to the chain of its organisation and returns it. Appending is one at a time within an organisation, so
 * that no two entries follow the same one.
 */
export async function appendAudit(db: Db, act: AuditAct, node: string = hostname()): Promise<AuditEntry> {
  const stored = storableAct(act);
  return await retrying(
    async () =>
      await db.transaction(async (tx) => {
        // Taken until the transaction ends; embedded there is one session and nobody to wait for.
        await tx.execute('select pg_advisory_xact_lock(hashtextextended($1, 4857002))', [stored.organisation]);
        const [head] = await tx.read(
          HEAD,
          'select sequence, hash from audit_entry where organisation = $1 order by sequence desc limit 1',
          [stored.organisation],
        );
        const unhashed = {
          ...stored,
          sequence: (head?.sequence ?? 0) + 1,
          at: new Date().toISOString(),
          node: storableText(node).slice(0, 200),
          previousHash: head?.hash.toString('hex') ?? NO_PREVIOUS_HASH,
        };
        const entry: AuditEntry = { ...unhashed, hash: entryHash(unhashed) };
        await tx.execute(
          'insert into audit_entry (organisation, sequence, at, entry, canonical, hash) values ($1, $2, $3, $4, $5, $6)',
          [
            entry.organisation,
            entry.sequence,
            entry.at,
            jsonParam(entry),
            canonicalJson(unhashed),
            Buffer.from(entry.hash, 'hex'),
          ],
        );
        return entry;
      }),
  );
}

/** As the database holds it, so that what is hashed is what is read back. */
function storableAct(act: AuditAct): AuditAct {
  const nullable = (value: string | null): string | null => (value === null ? null : storableText(value));
  return {
    operation: act.operation,
    action: storableText(act.action),
    actor: storableText(act.actor),
    organisation: storableText(act.organisation),
    purpose: nullable(act.purpose),
    justification: nullable(act.justification),
    caseRef: nullable(act.caseRef),
    recipient: nullable(act.recipient),
    objects: act.objects.map(storableText),
    outcome: act.outcome,
  };
}
