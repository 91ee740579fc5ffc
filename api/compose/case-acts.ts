import { withAudit } from '../../engine/audit/with-audit.ts';
import { closeKeeping, eraseCase } from '../../engine/erasure/close-case.ts';
import type { Closure, ErasingOutcome, KeepingOutcome } from '../../engine/erasure/closure.ts';
import { decideRetention, listCases, type RetainedCase } from '../../engine/erasure/retention.ts';
import { Scratch } from '../../engine/ingest/scratch.ts';
import type { Db } from '../../engine/store/db.ts';
import type { Config } from '../../schemas/config.ts';
import { auditActOf } from './audit-act.ts';
import { withDatabase } from './open-database.ts';
import { openUploads } from './upload-folder.ts';

interface Asked {
  readonly case: string;
  readonly justification: string;
}

/** Closes a case and keeps its material until a review, as a recorded act. */
export async function closeCaseKeeping(
  config: Config,
  asked: Asked & { readonly outcome: KeepingOutcome; readonly reviewOn: string | null },
): Promise<Closure> {
  return await withDatabase(
    config,
    async (db) =>
      await withAudit(db, auditActOf(config, 'alteration', 'case close', asked), async () => {
        const closure = await closeKeeping(db, { ...namesOf(config, asked), ...asked });
        return { result: closure, objects: [`closure ${closure.closureId}`, `outcome ${closure.outcome}`] };
      }),
  );
}

/** Erases a case, as a recorded act: the trail gets counts and the commitment, and none of what went. */
export async function eraseCaseMaterial(
  config: Config,
  asked: Asked & { readonly outcome: ErasingOutcome; readonly backupsGoneBy: string | null },
  onStep: (closure: Closure) => void,
): Promise<Closure> {
  return await withDatabase(config, async (db) => await erased(config, db, asked, onStep));
}

async function erased(
  config: Config,
  db: Db,
  asked: Asked & { readonly outcome: ErasingOutcome; readonly backupsGoneBy: string | null },
  onStep: (closure: Closure) => void,
): Promise<Closure> {
  const action = asked.outcome === 'review' ? 'case review' : 'case close';
  return await withAudit(db, auditActOf(config, 'erasure', action, asked), async () => {
    // What a killed scan left unpacked goes as well.
    await (await Scratch.open(config.scratchFolder))[Symbol.asyncDispose]();
    const closure = await eraseCase(db, { ...namesOf(config, asked), ...asked }, { onStep });
    // The rows of its uploads are gone; so are their files then.
    await (await openUploads(db, config)).store.sweep(config.uploads);
    return { result: closure, objects: erasureObjects(closure) };
  });
}

/** Whoever decides at a review: kept until a day, or erased now. */
export async function reviewCase(
  config: Config,
  asked: Asked & ({ readonly until: string } | { readonly until: null; readonly backupsGoneBy: string | null }),
  onStep: (closure: Closure) => void,
): Promise<Closure | null> {
  const decided = { justification: asked.justification, decidedBy: config.actor };
  const of = { organisation: config.organisation, caseRef: asked.case };
  return await withDatabase(config, async (db) => {
    await withAudit(db, auditActOf(config, 'alteration', 'case review', asked), async () => {
      const decisionId = await decideRetention(db, of, { until: asked.until, ...decided });
      const decision = asked.until === null ? 'erase' : `keep until ${asked.until}`;
      return { result: null, objects: [`decision ${decisionId}`, decision] };
    });
    if (asked.until !== null) return null;
    const { backupsGoneBy } = asked;
    return await erased(config, db, { ...asked, outcome: 'review', backupsGoneBy }, onStep);
  });
}

/** The cases of the organisation with their state, as a recorded consultation. */
export async function retainedCases(config: Config, dueOnly: boolean): Promise<RetainedCase[]> {
  const action = dueOnly ? 'case review due' : 'case material';
  return await withDatabase(
    config,
    async (db) =>
      await withAudit(db, auditActOf(config, 'consultation', action), async () => ({
        result: await listCases(db, config.organisation, dueOnly),
      })),
  );
}

const namesOf = (config: Config, asked: Asked) => ({
  organisation: config.organisation,
  caseRef: asked.case,
  closedBy: config.actor,
});

function erasureObjects(closure: Closure): string[] {
  const { closureId, counts, commitment, backupsGoneBy, leftToOperator } = closure;
  return [
    `closure ${closureId}`,
    `outcome ${closure.outcome}`,
    `commitment ${commitment?.toString('hex') ?? ''}`,
    ...Object.entries(counts ?? {}).flatMap(([table, rows]) => (rows === 0 ? [] : [`${table} ${rows}`])),
    `backups gone by ${backupsGoneBy ?? 'not stated'}`,
    `left to the operator ${leftToOperator?.length ?? 0}`,
  ];
}
