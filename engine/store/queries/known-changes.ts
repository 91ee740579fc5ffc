import type { Queryable, Transaction } from '../db.ts';
import { integer, nullable, oneOf, row, text } from '../row-shape.ts';

/** Numbers that records of one set got together, both ends included. */
export interface RecordBlock {
  readonly setId: number;
  readonly firstRecordId: number;
  readonly lastRecordId: number;
}

export interface KnownChange extends RecordBlock {
  /** Rises by one from commit to commit: who has seen number n has seen all before it. */
  readonly changeId: number;
  /** added: the records of the set in this range are searched. withdrawn: no record of this range is searched any more. */
  readonly kind: 'added' | 'withdrawn';
}

/** The name under which a server tells of a change (`note_known_change` in the migrations). */
export const KNOWN_CHANGES_CHANNEL = 'homeward_known';

/** Records of a set come into the search: a block of numbers of their own. Last in its transaction, for it holds a lock on all others. */
export async function noteAdded(tx: Transaction, block: RecordBlock): Promise<void> {
  if (block.lastRecordId < block.firstRecordId) return;
  await tx.execute('insert into known_block (first_record_id, last_record_id, set_id) values ($1, $2, $3)', [
    block.firstRecordId,
    block.lastRecordId,
    block.setId,
  ]);
  await noteSearchedAgain(tx, block);
}

/** Records that have their block already are searched again. */
export async function noteSearchedAgain(tx: Transaction, block: RecordBlock): Promise<void> {
  await note(tx, 'added', block);
}

/** Records leave the search: of a whole set, or some of one that stays in force. */
export async function noteWithdrawn(tx: Transaction, blocks: readonly RecordBlock[]): Promise<void> {
  for (const block of blocks) await note(tx, 'withdrawn', block);
}

async function note(tx: Transaction, kind: KnownChange['kind'], block: RecordBlock): Promise<void> {
  await tx.query('select note_known_change($1, $2, $3, $4)', [
    block.setId,
    kind,
    block.firstRecordId,
    block.lastRecordId,
  ]);
}

/** Forgets the blocks of a set that goes out of force; returns them. */
export async function dropBlocks(tx: Transaction, setId: number): Promise<RecordBlock[]> {
  return await tx.read(
    row({ setId: integer, firstRecordId: integer, lastRecordId: integer }),
    'delete from known_block where set_id = $1 returning set_id, first_record_id, last_record_id',
    [setId],
  );
}

/** The latest change that is committed, 0 where there is none. */
export async function latestKnownChange(db: Queryable): Promise<number> {
  const [found] = await db.read(
    row({ changeId: nullable(integer) }),
    'select max(change_id) as change_id from known_change',
  );
  return found?.changeId ?? 0;
}

/** Changes after a number, in their order. */
export async function knownChangesAfter(db: Queryable, changeId: number): Promise<KnownChange[]> {
  return await db.read(
    row({
      changeId: integer,
      setId: integer,
      kind: oneOf(['added', 'withdrawn'] as const),
      firstRecordId: integer,
      lastRecordId: integer,
    }),
    'select change_id, set_id, kind, first_record_id, last_record_id from known_change where change_id > $1 order by change_id',
    [changeId],
  );
}

/** When a change was made, as text to compare; `never` for number 0, null for a number that this database has not given. */
export async function knownChangeAt(db: Queryable, changeId: number): Promise<string | null> {
  if (changeId === 0) return 'never';
  const [found] = await db.read(
    row({ at: text }),
    `select extract(epoch from at)::text as at from known_change where change_id = $1`,
    [changeId],
  );
  return found?.at ?? null;
}

/** Which database this is; made with it and never changed. */
export async function databaseIdentity(db: Queryable): Promise<string> {
  const [found] = await db.read(row({ identity: text }), 'select identity from database_identity');
  if (found === undefined) throw new RangeError('expected an identity of the database, found none');
  return found.identity;
}
