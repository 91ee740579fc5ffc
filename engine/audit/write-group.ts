import { hostname } from 'node:os';
import type { AuditAct, AuditEntry } from '../../schemas/audit.ts';
import { type Db, jsonParam, type SqlParam, storableText, type Transaction } from '../store/db.ts';
import { keptPlan } from '../store/kept-plan.ts';
import { bytes, integer, row, text, timestamp } from '../store/row-shape.ts';
import { sqlStateOf } from '../store/sqlstate.ts';
import { recordAuditAlarm } from './alarms.ts';
import { storableAct } from './storable-act.ts';
import { canonicalJson } from './verify/canonical-json.ts';
import { entryHash, NO_PREVIOUS_HASH } from './verify/chain.ts';

/** Clocks of machines that keep time differ by less; further back than this, somebody or something set the clock. */
const CLOCK_STEP_MS = 5_000;
const UNIQUE_VIOLATION = '23505';

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
  /** Of a writer that goes on: written to where what it knows still holds, which saves four of five round trips. */
  readonly heads?: KnownHeads;
}

/** Where chains stand as far as one writer knows, by organisation. */
export type KnownHeads = Map<string, Head>;

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
  options: WriteOptions = {},
): Promise<readonly AuditEntry[]> {
  const { node = hostname(), now = Date.now, heads = new Map(), onClockStep } = options;
  const stored = acts.map(storableAct);
  const organisations = [...new Set(stored.map((act) => act.organisation))].sort();
  const storedNode = storableText(node).slice(0, 200);
  if (organisations.every((one) => heads.has(one))) {
    const { made, steps, after } = chained(stored, heads, storedNode, now());
    if (steps.length === 0 && (await insertedAfter(db, made, heads))) {
      for (const [organisation, head] of after) heads.set(organisation, head);
      return made;
    }
  }
  const { made, steps, after } = await db.transaction(async (tx) => {
    const entries = chained(stored, await lockHeads(tx, organisations), storedNode, now());
    await tx.execute(INSERT_SQL, columnsOf(entries.made));
    for (const { organisation, sequence, backMs } of entries.steps) {
      await recordAuditAlarm(tx, {
        kind: 'clockSteppedBack',
        organisation,
        sequence,
        detail: `the clock of ${storedNode} stands ${Math.round(backMs / 1000)} s before the time of the entry before`,
      });
    }
    return entries;
  });
  for (const [organisation, head] of after) heads.set(organisation, head);
  for (const step of steps) onClockStep?.(step);
  return made;
}

interface Chained {
  readonly made: readonly AuditEntry[];
  readonly steps: readonly ClockStep[];
  /** Where the chains stand then. */
  readonly after: ReadonlyMap<string, Head>;
}

function chained(acts: readonly AuditAct[], heads: ReadonlyMap<string, Head>, node: string, nowMs: number): Chained {
  const after = new Map<string, Head>();
  const steps: ClockStep[] = [];
  const at = new Date(nowMs).toISOString();
  const made = acts.map((act): AuditEntry => {
    const head = after.get(act.organisation) ?? heads.get(act.organisation);
    const sequence = (head?.sequence ?? 0) + 1;
    const unhashed = { ...act, sequence, at, node, previousHash: head?.hash ?? NO_PREVIOUS_HASH };
    const entry = { ...unhashed, hash: entryHash(unhashed) };
    const backMs = (head?.atMs ?? nowMs) - nowMs;
    if (backMs > CLOCK_STEP_MS) steps.push({ organisation: act.organisation, sequence, backMs });
    after.set(act.organisation, { sequence, hash: entry.hash, atMs: nowMs });
    return entry;
  });
  return { made, steps, after };
}

/**
 * In one statement: the sequence is unique in a chain, so it fails where somebody else wrote meanwhile. Whatever fails, nothing is known
 * any more.
 */
async function insertedAfter(db: Db, made: readonly AuditEntry[], heads: KnownHeads): Promise<boolean> {
  try {
    const followed = [...new Set(made.map((entry) => entry.organisation))].sort();
    const added = await db.execute(INSERT_AFTER_SQL, [
      ...columnsOf(made),
      followed,
      followed.map((one) => heads.get(one)?.sequence ?? 0),
      followed.map((one) => heads.get(one)?.hash ?? ''),
    ]);
    if (added === 0) heads.clear();
    return added > 0;
  } catch (error) {
    heads.clear();
    if (sqlStateOf(error) === UNIQUE_VIOLATION) return false;
    throw error;
  }
}

const LOCK = 'pg_advisory_xact_lock(hashtextextended(chain.organisation, 4857002))';
const LOCK_SQL = keptPlan(`select ${LOCK} from unnest($1::text[]) as chain (organisation)`);
const HEADS_SQL = keptPlan(
  `select chain.organisation, head.sequence, head.hash, head.at
       from unnest($1::text[]) as chain (organisation)
       cross join lateral (select sequence, hash, at from audit_entry
                            where audit_entry.organisation = chain.organisation order by sequence desc limit 1) as head`,
);

/** Holds the chains until the transaction ends, and says where each one stands. In one order for all writers, so that none waits in a ring. */
async function lockHeads(tx: Transaction, organisations: readonly string[]): Promise<Map<string, Head>> {
  // One row after the other, in their order. Embedded there is one session and nobody to wait for.
  await tx.execute(LOCK_SQL, [organisations]);
  // A statement after the lock: it sees what the writer before committed.
  const heads = await tx.read(HEAD, HEADS_SQL, [organisations]);
  return new Map(
    heads.map((head) => [
      head.organisation,
      { sequence: head.sequence, hash: head.hash.toString('hex'), atMs: Date.parse(head.at) },
    ]),
  );
}

/** In one order for all writers, as the locks are taken. */
const MADE_SQL = `insert into audit_entry (organisation, sequence, at, entry, canonical, hash)
   select organisation, sequence, at, entry::jsonb, canonical, decode(hash, 'hex')
     from unnest($1::text[], $2::bigint[], $3::timestamptz[], $4::text[], $5::text[], $6::text[])
       as made (organisation, sequence, at, entry, canonical, hash)`;
const IN_ORDER = 'order by organisation, sequence';
const INSERT_SQL = keptPlan(`${MADE_SQL} ${IN_ORDER}`);
/**
 * Under the same locks, and only where all that is followed is still there: a database that was restored to an earlier moment has lost it.
 * What another wrote before the lock was had is not seen by this statement, and breaks the key.
 */
const INSERT_AFTER_SQL = keptPlan(`${MADE_SQL}
    where (select count(${LOCK}) from unnest($7::text[]) as chain (organisation)) = cardinality($7::text[])
      and (select count(*) from unnest($7::text[], $8::bigint[], $9::text[]) as known (organisation, sequence, hash)
             join audit_entry a on a.organisation = known.organisation and a.sequence = known.sequence
                               and a.hash = decode(known.hash, 'hex')) = cardinality($7::text[]) ${IN_ORDER}`);

function columnsOf(entries: readonly AuditEntry[]): SqlParam[] {
  return [
    entries.map((entry) => entry.organisation),
    entries.map((entry) => entry.sequence),
    entries.map((entry) => entry.at),
    entries.map((entry) => jsonParam(entry)),
    entries.map(({ hash: _own, ...hashed }) => canonicalJson(hashed)),
    entries.map((entry) => entry.hash),
  ];
}
