import path from 'node:path';
import { listAudit } from '../../../engine/audit/list.ts';
import { verifyChain } from '../../../engine/audit/verify/chain.ts';
import { type PlannedAct, withAudit } from '../../../engine/audit/with-audit.ts';
import type { Db } from '../../../engine/store/db.ts';
import type { AuditEntry } from '../../../schemas/audit.ts';
import { HomewardError } from '../../../schemas/error.ts';
import { type CaseToRun, none, type RequirementToRun, same } from '../case.ts';
import type { Ground } from '../ground.ts';

const ACTS = 10;

const actOf = (organisation: string): PlannedAct => ({
  operation: 'consultation',
  action: 'validate',
  actor: 'validation',
  organisation,
  purpose: null,
  justification: null,
  caseRef: null,
  recipient: null,
  objects: [],
});

/** One database for all cases, a trail of its own for each. */
async function withTrail<T>(ground: Ground, organisation: string, work: (db: Db) => Promise<T>): Promise<T> {
  const db = await ground.openDatabase(path.join(ground.folder, 'audit'));
  try {
    for (let act = 0; act < ACTS; act++) {
      await withAudit(db, { ...actOf(organisation), objects: [`act ${act}`] }, async () => ({ result: null }));
    }
    return await work(db);
  } finally {
    await db.close();
  }
}

async function entriesOf(db: Db, organisation: string): Promise<AuditEntry[]> {
  const entries: AuditEntry[] = [];
  for await (const entry of listAudit(db, organisation)) entries.push(entry);
  return entries;
}

/** `acts` is what was really done; a test of this case says something else. */
export function wholeChainCase(acts: number = ACTS): CaseToRun {
  return {
    id: 'whole-chain',
    assertion: `${acts} acts leave two entries each, before and after, in a chain that verifies.`,
    check: async (ground) =>
      await withTrail(ground, 'whole', async (db) => {
        const verdict = await verifyChain(listAudit(db, 'whole'));
        return same(
          `whole, ${2 * acts} entries`,
          `${verdict.whole ? 'whole' : `broken: ${verdict.fault}`}, ${verdict.entries} entries`,
        );
      }),
  };
}

const changedCase: CaseToRun = {
  id: 'changed-entry',
  assertion:
    'An entry changed, left out or moved is detected, each of them in turn; a cut tail by the head known before.',
  check: async (ground) =>
    await withTrail(ground, 'changed', async (db) => {
      const entries = await entriesOf(db, 'changed');
      const last = entries.at(-1);
      if (last === undefined) throw new Error('expected a trail, received none');
      const head = { sequence: last.sequence, hash: last.hash };
      const undetected: string[] = [];
      let tried = 0;
      const expectBroken = async (what: string, forged: readonly AuditEntry[]): Promise<void> => {
        tried += 1;
        if ((await verifyChain(forged, head)).whole) undetected.push(what);
      };
      for (const [index, entry] of entries.entries()) {
        await expectBroken(`actor of ${index}`, entries.with(index, { ...entry, actor: 'somebody else' }));
        await expectBroken(`outcome of ${index}`, entries.with(index, { ...entry, outcome: 'refused' }));
        await expectBroken(`${index} left out`, entries.toSpliced(index, 1));
        const next = entries[index + 1];
        if (next !== undefined) await expectBroken(`${index} moved`, entries.with(index, next).with(index + 1, entry));
        await expectBroken(`cut from ${index}`, entries.slice(0, index));
      }
      return none(`${tried} of ${tried} detected`, undetected, `${tried} of ${tried} detected`);
    }),
};

const changedInDatabaseCase: CaseToRun = {
  id: 'changed-in-database',
  assertion: 'An entry changed in the database itself is detected when the trail is read.',
  check: async (ground) =>
    await withTrail(ground, 'forged', async (db) => {
      await db.execute(
        `update audit_entry set entry = jsonb_set(entry::jsonb, '{actor}', '"somebody else"') where organisation = $1 and sequence = 5`,
        ['forged'],
      );
      const verdict = await verifyChain(listAudit(db, 'forged'));
      return same('broken at 5', verdict.whole ? 'whole' : `broken at ${verdict.atSequence}`);
    }),
};

const unwritableCase: CaseToRun = {
  id: 'unwritable',
  assertion: 'Where the trail cannot be written, the act is refused and not done.',
  check: async (ground) =>
    await withTrail(ground, 'unwritable', async (db) => {
      await db.execute('alter table audit_entry rename to audit_entry_away');
      let done = 0;
      let refused = 0;
      for (let attempt = 0; attempt < 100; attempt++) {
        try {
          await withAudit(db, actOf('unwritable'), async () => {
            done += 1;
            return { result: null };
          });
        } catch (error) {
          if (!(error instanceof HomewardError) || error.code !== 'HW_AUDIT_UNWRITABLE') throw error;
          refused += 1;
        }
      }
      return same('100 of 100 refused, 0 done', `${refused} of 100 refused, ${done} done`);
    }),
};

export const audit: RequirementToRun = {
  id: 'audit',
  goals: ['S3', 'S4'],
  requirement: 'Nothing is done without a trail, and the trail cannot be changed unseen.',
  cases: [wholeChainCase(), changedCase, changedInDatabaseCase, unwritableCase],
};
