import { HomewardError } from '../../schemas/error.ts';
import { type Db, jsonParam, storableText, type Transaction } from '../store/db.ts';
import { integer, row, text } from '../store/row-shape.ts';
import { retrying } from '../store/sqlstate.ts';
import { CLOSURE, CLOSURE_COLUMNS, type Closure, type ErasingOutcome, type KeepingOutcome } from './closure.ts';
import { type CaseName, deleteMaterial } from './delete-material.ts';
import { overwriteLog } from './overwrite-log.ts';
import { leftAfterRewrite, rewriteTables } from './rewrite-tables.ts';

interface Closing extends CaseName {
  /** 1 to 2,000 characters. */
  readonly justification: string;
  readonly closedBy: string;
}

/**
 * Closes a case whose material is kept. It is looked at again when its rule says so.
 * @param reviewOn `2027-01-31`; null: as retention_rule has it
 * @throws HomewardError HW_CASE_UNKNOWN
 */
export async function closeKeeping(
  db: Db,
  closing: Closing & { readonly outcome: KeepingOutcome; readonly reviewOn: string | null },
): Promise<Closure> {
  return await db.transaction(async (tx) => {
    await refuseUnknown(tx, closing);
    const [made] = await tx.read(
      CLOSURE,
      `insert into case_closure (organisation, case_ref, outcome, justification, closed_by, review_at)
       select $1, $2, r.outcome, $4, $5, coalesce($6::date::timestamptz, now() + make_interval(days => r.review_after_days))
         from retention_rule r where r.outcome = $3
       returning ${CLOSURE_COLUMNS}`,
      [
        closing.organisation,
        closing.caseRef,
        closing.outcome,
        storableText(closing.justification),
        storableText(closing.closedBy),
        closing.reviewOn,
      ],
    );
    if (made === undefined) throw new Error(`no retention rule for ${closing.outcome}`);
    await closeFile(tx, closing);
    return made;
  });
}

export interface ErasureOptions {
  /** How long it is waited for others that may still see the deleted rows. */
  readonly waitMs?: number;
  /** Called when a step is done, with what it came to. */
  readonly onStep?: (closure: Closure) => void;
}

/**
 * Erases a case: its rows in one transaction, then their bytes in tables, indexes and log. Each step is recorded when it is done: killed
 * at any moment, the same call goes on with the next one. A case that was erased already and has got nothing since is told as it is.
 * @param backupsGoneBy `2027-01-31`, when the last backup that holds it is gone; null: not stated
 * @throws HomewardError HW_CASE_UNKNOWN, HW_ERASURE_BLOCKED
 */
export async function eraseCase(
  db: Db,
  closing: Closing & { readonly outcome: ErasingOutcome; readonly backupsGoneBy: string | null },
  options: ErasureOptions = {},
): Promise<Closure> {
  const unfinished = await latestErasure(db, closing);
  if (unfinished !== null && unfinished.erasure !== 'done') await finish(db, unfinished, options);
  const [there] = await db.read(
    row({ batches: integer }),
    'select count(*) as batches from batch where organisation = $1 and case_ref = $2',
    [closing.organisation, closing.caseRef],
  );
  const before = await latestErasure(db, closing);
  if ((there?.batches ?? 0) === 0 && before !== null) return before;
  const deleted = await retrying(async () => await db.transaction(async (tx) => await erase(tx, closing)));
  options.onStep?.(deleted);
  return await finish(db, deleted, options);
}

async function erase(
  tx: Transaction,
  closing: Closing & { readonly outcome: ErasingOutcome; readonly backupsGoneBy: string | null },
): Promise<Closure> {
  await refuseUnknown(tx, closing);
  // First: whoever hands something in for it holds the case, and is either done, so that it goes too, or finds the case closed.
  await closeFile(tx, closing);
  const { counts, commitment } = await deleteMaterial(tx, closing);
  const [made] = await tx.read(
    CLOSURE,
    `insert into case_closure (organisation, case_ref, outcome, justification, closed_by, erasure, deleted_by_transaction, counts, commitment, backups_gone_by)
     values ($1, $2, $3, $4, $5, 'deleted', pg_current_xact_id()::text, $6, $7, $8::date)
     returning ${CLOSURE_COLUMNS}`,
    [
      closing.organisation,
      closing.caseRef,
      closing.outcome,
      storableText(closing.justification),
      storableText(closing.closedBy),
      jsonParam(counts),
      commitment,
      closing.backupsGoneBy,
    ],
  );
  if (made === undefined) throw new Error('a closure just written is not there');
  return made;
}

/** Nobody may ask for it any more, whoever it was assigned to. */
async function closeFile(tx: Transaction, closing: Closing & { readonly outcome: string }): Promise<void> {
  await tx.execute(
    `update case_file c set state = 'closed', closed_by = $3, closed_at = now(), outcome = $4
       from organisation o
      where o.organisation_id = c.organisation_id and (o.name = $1 or o.organisation_id = $1) and c.case_ref = $2 and c.state = 'open'`,
    [closing.organisation, closing.caseRef, storableText(closing.closedBy).slice(0, 200), closing.outcome],
  );
}

async function finish(db: Db, closure: Closure, options: ErasureOptions): Promise<Closure> {
  let at = closure;
  if (at.erasure === 'deleted') {
    const [deletion] = await db.read(
      row({ deletedBy: text }),
      'select deleted_by_transaction as deleted_by from case_closure where closure_id = $1',
      [at.closureId],
    );
    await rewriteTables(db, deletion?.deletedBy ?? '', options.waitMs === undefined ? {} : { waitMs: options.waitMs });
    at = await step(db, at.closureId, `erasure = 'rewritten'`, []);
    options.onStep?.(at);
  }
  if (at.erasure === 'rewritten') {
    const left = await overwriteLog(db);
    left.push(...(await leftAfterRewrite(db)));
    left.push(...(await copiesElsewhere(db)));
    at = await step(db, at.closureId, `erasure = 'done', erased_at = now(), left_to_operator = $2`, [jsonParam(left)]);
    options.onStep?.(at);
  }
  return at;
}

async function step(db: Db, closureId: number, set: string, params: readonly string[]): Promise<Closure> {
  const [found] = await db.read(
    CLOSURE,
    `update case_closure set ${set} where closure_id = $1 returning ${CLOSURE_COLUMNS}`,
    [closureId, ...params],
  );
  if (found === undefined) throw new Error('a closure that was being carried out is not there');
  return found;
}

async function copiesElsewhere(db: Db): Promise<string[]> {
  const shards = await db.read(row({ name: text }), 'select name from known_shard order by shard_number');
  if (shards.length === 0) return [];
  return [
    `Shards hold copies of galleries (${shards.map((one) => one.name).join(', ')}): homeward db shard sync, then VACUUM FULL, CHECKPOINT and pg_switch_wal() there.`,
  ];
}

async function latestErasure(db: Db, { organisation, caseRef }: CaseName): Promise<Closure | null> {
  const [found] = await db.read(
    CLOSURE,
    `select ${CLOSURE_COLUMNS} from case_closure
      where organisation = $1 and case_ref = $2 and erasure is not null order by closure_id desc limit 1`,
    [organisation, caseRef],
  );
  return found ?? null;
}

async function refuseUnknown(tx: Transaction, { organisation, caseRef }: CaseName): Promise<void> {
  const [there] = await tx.read(
    row({ known: integer }),
    `select (select count(*) from batch where organisation = $1 and case_ref = $2)
          + (select count(*) from custody_event where organisation = $1 and case_ref = $2 and erased_at is null)
          + (select count(*) from case_file c join organisation o using (organisation_id)
              where (o.name = $1 or o.organisation_id = $1) and c.case_ref = $2 and c.state = 'open') as known`,
    [organisation, caseRef],
  );
  if ((there?.known ?? 0) > 0) return;
  throw new HomewardError(
    'HW_CASE_UNKNOWN',
    `expected a case of ${JSON.stringify(organisation)} with material here, received ${JSON.stringify(caseRef)}, which has none; homeward case material shows them, --organisation names another unit`,
  );
}
