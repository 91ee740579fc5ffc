import { hostname } from 'node:os';
import type { AuditAct, AuditEntry } from '../../schemas/audit.ts';
import { type Db, jsonParam, storableText, type Transaction } from '../store/db.ts';
import { bytes, integer, row, text, timestamp } from '../store/row-shape.ts';
import { recordAuditAlarm } from './alarms.ts';
import { storableAct } from './storable-act.ts';
import { canonicalJson } from './verify/canonical-json.ts';
import { entryHash, NO_PREVIOUS_HASH } from './verify/chain.ts';

/** Clocks of machines that keep time differ by less; further back than this, somebody or something set the clock. */
const CLOCK_STEP_MS = 5_000;

export interface ClockStep {
  readonly organisation: string;
  /** Of the entry whose time lies before that of the entry it follows. */
  readonly sequence: number;
  readonly backMs: number;
}

export interface WriteOptions {
  /** Host name of the machine that acts. */
  readonly node?: string;
  /** Milliseconds since 1970; the system's clock unless a test has one of its own. */
  readonly now?: () => number;
  /** Told after the commit. An open alarm is in the database by then; must not throw. */
  readonly onClockStep?: (step: ClockStep) => void;
}

interface Head {
  readonly sequence: number;
  readonly hash: string;
  readonly atMs: number;
}

const HEAD = row({ organisation: text, sequence: integer, hash: bytes, at: timestamp });

/**
 * Adds entries to the chains of their organisations in one transaction, and returns them in the order of the acts. Writing is one at
 * a time within an organisation, so that no two entries follow the same one; the order is that of the sequence, whatever the clock says.
 */
export async function writeGroup(
  db: Db,
  acts: readonly AuditAct[],
  { node = hostname(), now = Date.now, onClockStep }: WriteOptions = {},
): Promise<AuditEntry[]> {
  const stored = acts.map(storableAct);
  const storedNode = storableText(node).slice(0, 200);
  const { entries, steps } = await db.transaction(async (tx) => {
    const heads = await lockHeads(tx, [...new Set(stored.map((act) => act.organisation))].sort());
    const nowMs = now();
    const at = new Date(nowMs).toISOString();
    const found: ClockStep[] = [];
    const made = stored.map((act): AuditEntry => {
      const head = heads.get(act.organisation);
      const sequence = (head?.sequence ?? 0) + 1;
      const unhashed = { ...act, sequence, at, node: storedNode, previousHash: head?.hash ?? NO_PREVIOUS_HASH };
      const entry = { ...unhashed, hash: entryHash(unhashed) };
      const backMs = (head?.atMs ?? nowMs) - nowMs;
      if (backMs > CLOCK_STEP_MS) found.push({ organisation: act.organisation, sequence, backMs });
      heads.set(act.organisation, { sequence, hash: entry.hash, atMs: nowMs });
      return entry;
    });
    await insertEntries(tx, made);
    for (const { organisation, sequence, backMs } of found) {
      await recordAuditAlarm(tx, {
        kind: 'clockSteppedBack',
        organisation,
        sequence,
        detail: `the clock of ${storedNode} stands ${Math.round(backMs / 1000)} s before the time of the entry before`,
      });
    }
    return { entries: made, steps: found };
  });
  for (const step of steps) onClockStep?.(step);
  return entries;
}

/** Holds the chains until the transaction ends, and says where each one stands. In one order for all writers, so that none waits in a ring. */
async function lockHeads(tx: Transaction, organisations: readonly string[]): Promise<Map<string, Head>> {
  for (const organisation of organisations) {
    // Embedded there is one session and nobody to wait for.
    await tx.execute('select pg_advisory_xact_lock(hashtextextended($1, 4857002))', [organisation]);
  }
  // A statement after the lock: it sees what the writer before committed.
  const heads = await tx.read(
    HEAD,
    `select chain.organisation, head.sequence, head.hash, head.at
       from unnest($1::text[]) as chain (organisation)
       cross join lateral (select sequence, hash, at from audit_entry
                            where audit_entry.organisation = chain.organisation order by sequence desc limit 1) as head`,
    [organisations],
  );
  return new Map(
    heads.map((head) => [
      head.organisation,
      { sequence: head.sequence, hash: head.hash.toString('hex'), atMs: Date.parse(head.at) },
    ]),
  );
}

async function insertEntries(tx: Transaction, entries: readonly AuditEntry[]): Promise<void> {
  await tx.execute(
    `insert into audit_entry (organisation, sequence, at, entry, canonical, hash)
     select organisation, sequence, at, entry::jsonb, canonical, decode(hash, 'hex')
       from unnest($1::text[], $2::bigint[], $3::timestamptz[], $4::text[], $5::text[], $6::text[])
         as made (organisation, sequence, at, entry, canonical, hash)`,
    [
      entries.map((entry) => entry.organisation),
      entries.map((entry) => entry.sequence),
      entries.map((entry) => entry.at),
      entries.map((entry) => jsonParam(entry)),
      entries.map(({ hash: _own, ...hashed }) => canonicalJson(hashed)),
      entries.map((entry) => entry.hash),
    ],
  );
}
