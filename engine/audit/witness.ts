import { HomewardError } from '../../schemas/error.ts';
import type { Db, Queryable } from '../store/db.ts';
import { row, text } from '../store/row-shape.ts';
import { recordAuditAlarm } from './alarms.ts';
import { canonicalJson } from './verify/canonical-json.ts';
import { printedCode } from './verify/printed-code.ts';
import { canonicalValue, isCheckpoint, type WitnessLine } from './verify/records.ts';
import { digestOf } from './verify/signed-text.ts';
import { compareCopies, readWitnessLines, type WitnessVerdict } from './verify/verify-witness.ts';

export interface KeptCopy {
  readonly organisation: string;
  readonly sequence: number;
  readonly code: string;
  readonly keyId: string;
  /** first: there was no older copy. known: this very copy was kept before. Otherwise how it stands to the latest older one. */
  readonly verdict: 'first' | 'known' | WitnessVerdict;
  /** Another key than signed the older copy: ask the organisation, by another way, whether it changed it. */
  readonly keyChanged: boolean;
}

const LINE = row({ line: text });

/**
 * Keeps the checkpoints of another organisation. One that contradicts a copy kept before is kept too, being evidence, and is an open
 * alarm: that organisation's history was rewritten.
 * @throws HW_AUDIT_WITNESS for a file that holds no such copies; nothing is kept of it then
 */
export async function keepCopies(db: Db, fileText: string): Promise<KeptCopy[]> {
  const lines = parseCopies(fileText).toSorted((a, b) => a.checkpoint.sequence - b.checkpoint.sequence);
  return await db.transaction(async (tx) => {
    const kept: KeptCopy[] = [];
    for (const line of lines) {
      const { organisation, sequence, keyId } = line.checkpoint;
      const digest = digestOf(canonicalJson(line.checkpoint));
      // Two who keep copies of one organisation at once would each compare with what was there before.
      await tx.execute('select pg_advisory_xact_lock(hashtextextended($1, 4857004))', [organisation]);
      const older = await latestCopy(tx, organisation, sequence);
      const stored = await tx.execute(
        `insert into audit_witness (organisation, sequence, digest, line) values ($1, $2, $3, $4) on conflict do nothing`,
        [organisation, sequence, Buffer.from(digest, 'hex'), canonicalJson(line)],
      );
      const verdict = stored === 0 ? 'known' : older === null ? 'first' : compareCopies(older, line);
      if (verdict === 'conflict') {
        await recordAuditAlarm(tx, {
          kind: 'witnessConflict',
          organisation,
          sequence,
          detail: `a checkpoint of ${sequence} entries contradicts the copy of ${older?.checkpoint.sequence ?? 0} entries that is kept`,
        });
      }
      const keyChanged = older !== null && older.checkpoint.keyId !== keyId;
      kept.push({ organisation, sequence, code: printedCode(digest), keyId, verdict, keyChanged });
    }
    return kept;
  });
}

/** The kept copies of an organisation as a file for `audit verify --witness`. */
export async function keptLines(db: Queryable, organisation: string): Promise<string[]> {
  const found = await db.read(
    LINE,
    'select line from audit_witness where organisation = $1 order by sequence, witness_id',
    [organisation],
  );
  return found.map(({ line }) => line);
}

export interface FoundCheckpoint {
  readonly organisation: string;
  readonly sequence: number;
  readonly at: string;
  /** ours: made here. kept: a copy of another organisation's. */
  readonly from: 'ours' | 'kept';
}

/**
 * The checkpoint that has a printed code, computed anew from what is stored: a column with the code could be left as it was by whoever
 * rewrites the rest. Reads all of them; few ask, and there are some 9,000 a year and organisation.
 */
export async function findByCode(db: Queryable, code: string): Promise<FoundCheckpoint | null> {
  const ours = await db.read(row({ canonical: text }), 'select canonical from audit_checkpoint');
  const kept = await db.read(LINE, 'select line from audit_witness');
  const candidates = [
    ...ours.map(({ canonical }) => ({ checkpoint: canonicalValue(canonical), from: 'ours' as const })),
    ...kept.flatMap(({ line }) => parseCopies(line).map(({ checkpoint }) => ({ checkpoint, from: 'kept' as const }))),
  ];
  for (const { checkpoint, from } of candidates) {
    if (isCheckpoint(checkpoint) && printedCode(digestOf(canonicalJson(checkpoint))) === code) {
      const { organisation, sequence, at } = checkpoint;
      return { organisation, sequence, at, from };
    }
  }
  return null;
}

async function latestCopy(db: Queryable, organisation: string, sequence: number): Promise<WitnessLine | null> {
  const [found] = await db.read(
    LINE,
    'select line from audit_witness where organisation = $1 and sequence <= $2 order by sequence desc, witness_id limit 1',
    [organisation, sequence],
  );
  return (found === undefined ? undefined : parseCopies(found.line)[0]) ?? null;
}

function parseCopies(fileText: string): WitnessLine[] {
  try {
    return readWitnessLines(fileText);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new HomewardError(
      'HW_AUDIT_WITNESS',
      `${error.message}, received something else; nothing was kept, ask for the file again`,
      { cause: error },
    );
  }
}
