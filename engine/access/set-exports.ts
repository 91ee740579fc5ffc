import { isUuid, type Member } from '../../schemas/access.ts';
import type { Db, Queryable } from '../store/db.ts';
import { integer, nullable, type RowOf, row, text, timestamp } from '../store/row-shape.ts';
import { accessNotFound, isSamePerson, ruleBroken } from './access-error.ts';
import { toldKnown } from './told-known.ts';

/** An approved export may be fetched for so long. */
const APPROVED_HOURS = 24;

const EXPORT = row({
  exportId: text,
  setId: integer,
  source: text,
  setName: text,
  setVersion: integer,
  organisationId: text,
  askedBy: text,
  justification: text,
  askedAt: timestamp,
  approvedBy: nullable(text),
  /** Until when it may be fetched. */
  openUntil: nullable(timestamp),
});
export type SetExport = RowOf<typeof EXPORT>;

const SELECT = `select x.export_id, x.set_id, s.source, s.name as set_name, s.version as set_version, x.organisation_id, p.label as asked_by,
       x.justification, x.asked_at, a.label as approved_by, x.approved_at + interval '${APPROVED_HOURS} hours' as open_until
  from export_request x join hash_set s using (set_id) join principal p on p.principal_id = x.asked_by
  left join principal a on a.principal_id = x.approved_by`;

/**
 * Asks for a whole hash set; nothing is given before a second person has approved it.
 * @throws HW_ACCESS_NOT_FOUND alike for a set that is not in force and one that the member may not be told of
 */
export async function askForExport(db: Db, member: Member, setId: number, justification: string): Promise<SetExport> {
  if (!(await mayHave(db, member, setId))) throw missingSet(setId);
  const [made] = await db.read(
    row({ exportId: text }),
    'insert into export_request (set_id, organisation_id, asked_by, justification) values ($1, $2, $3, $4) returning export_id',
    [setId, member.organisationId, member.principalId, justification],
  );
  return await findExport(db, made?.exportId ?? '');
}

/** The latest first. @param organisationId null: of all organisations */
export async function listExports(db: Db, organisationId: string | null, most: number): Promise<SetExport[]> {
  return await db.read(
    EXPORT,
    `${SELECT} where $1::text is null or x.organisation_id = $1 order by x.asked_at desc, x.export_id limit $2`,
    [organisationId, most],
  );
}

/**
 * Lets it go, as a second person of the organisation that runs the engine. Approving again changes nothing.
 * @throws HW_ACCESS_RULE for who asked for it, or has the same name
 */
export async function approveExport(db: Db, member: Member, exportId: string): Promise<SetExport> {
  const found = await findExport(db, exportId);
  const updated = isSamePerson(found.askedBy, member.label)
    ? 0
    : await db.execute(
        `update export_request set approved_by = coalesce(approved_by, $2), approved_at = coalesce(approved_at, now())
          where export_id = $1 and asked_by <> $2`,
        [exportId, member.principalId],
      );
  if (updated === 0)
    throw ruleBroken('a second person to let a set go', 'who asked for it', 'have another supervisor do it');
  return await findExport(db, exportId);
}

/**
 * An export that the member asked for himself and may fetch now: approved, in time, and of a set that he may still be told of.
 * @throws HW_ACCESS_NOT_FOUND alike for one that is not there and another's; HW_ACCESS_RULE
 */
export async function openExport(db: Db, member: Member, exportId: string): Promise<SetExport> {
  const found = await findExport(db, exportId, member.principalId);
  if (found.openUntil === null || Date.parse(found.openUntil) < Date.now())
    throw ruleBroken(
      `an export that a second person approved within ${APPROVED_HOURS} hours`,
      found.openUntil === null ? 'one that waits for it' : 'an older one',
      'have a supervisor approve it, or ask for it anew',
    );
  if (!(await mayHave(db, member, found.setId))) throw missingSet(found.setId);
  return found;
}

async function mayHave(db: Queryable, { agreement, organisationId }: Member, setId: number): Promise<boolean> {
  if (agreement !== null) return (await toldKnown(db, organisationId, agreement, [])).setIds.has(setId);
  return (await db.query("select 1 from hash_set where set_id = $1 and state = 'active'", [setId])).length > 0;
}

/** @param askedBy null: whoever asked for it */
async function findExport(db: Queryable, exportId: string, askedBy: string | null = null): Promise<SetExport> {
  const [found] = isUuid(exportId)
    ? await db.read(EXPORT, `${SELECT} where x.export_id = $1 and ($2::uuid is null or x.asked_by = $2)`, [
        exportId,
        askedBy,
      ])
    : [];
  if (found === undefined) throw missingExport(exportId);
  return found;
}

const missingExport = (exportId: string) =>
  accessNotFound('an export', exportId.slice(0, 100), 'GET /exports lists yours');
const missingSet = (setId: number) => accessNotFound('a hash set in force', String(setId), 'GET /hash-sets lists them');
