import { PIPELINE_VERSION } from '../../../schemas/constants.ts';
import type { DecodeMode } from '../../../schemas/fingerprint.ts';
import type { Db, Queryable, Transaction } from '../db.ts';
import { integer, nullable, row, text } from '../row-shape.ts';

/**
 * Who may go when stored media are gone through with new records. Whoever records media takes it together with others for its transaction;
 * whoever begins to go through takes it alone, for the moment in which it notes the highest number of a media.
 *
 * Nothing falls between. A recording notes the latest change of what is known before it searches, and under the lock it looks whether a
 * later change is gone through already. If so, it searches again. If not, whoever goes through that change begins after its commit, and
 * so finds its media and fingerprints among those that it covers.
 */
const SEARCHED = 4857005;

const PASS = row({
  rematchId: integer,
  afterChangeId: integer,
  lastChangeId: integer,
  lastMediaId: integer,
  doneMediaId: integer,
});
const PASS_COLUMNS = 'rematch_id, after_change_id, last_change_id, last_media_id, done_media_id';

/** One going through of stored media with what came into the search after one change up to another. */
export interface RematchPass {
  readonly rematchId: number;
  readonly afterChangeId: number;
  readonly lastChangeId: number;
  readonly lastMediaId: number;
  /** It goes on behind this media. */
  readonly doneMediaId: number;
}

/** To be called by whoever records media, before it does; returns the last change that stored media are or were gone through with. */
export async function holdSearched(tx: Transaction): Promise<number> {
  await tx.execute(`select pg_advisory_xact_lock_shared(${SEARCHED})`);
  // A statement of its own: it has to see what was committed while the lock was waited for.
  const [last] = await tx.read(
    row({ lastChangeId: nullable(integer) }),
    'select max(last_change_id) as last_change_id from rematch',
  );
  return last?.lastChangeId ?? 0;
}

/** These media, recorded before, were searched again in one mode with what is known by a change. */
export async function noteSearched(
  tx: Transaction,
  mediaIds: readonly number[],
  mode: DecodeMode,
  changeId: number,
): Promise<void> {
  await tx.execute(
    `update fingerprint set searched_change_id = $4
      where media_id = any($1::bigint[]) and pipeline_version = $2 and mode = $3 and coalesce(searched_change_id, 0) < $4`,
    [mediaIds, PIPELINE_VERSION, mode, changeId],
  );
}

const PENDING_SQL = `
select min(c.change_id) as first_change_id, max(c.change_id) as last_change_id, count(distinct c.set_id) as sets
  from known_change c join hash_set s on s.set_id = c.set_id and s.state = 'active'
 where c.kind = 'added'
   and c.change_id > (select coalesce(max(last_change_id), 0) from rematch where finished_at is not null)`;

/** What stored media were not gone through with yet. */
export interface PendingRematch {
  /** Changes of what is known, the first and the last. */
  readonly firstChangeId: number;
  readonly lastChangeId: number;
  readonly sets: number;
}

/** Null where all stored media were compared with all that is known. */
export async function pendingRematch(db: Queryable): Promise<PendingRematch | null> {
  const [found] = await db.read(
    row({ firstChangeId: nullable(integer), lastChangeId: nullable(integer), sets: integer }),
    PENDING_SQL,
  );
  if (found?.firstChangeId == null || found.lastChangeId === null) return null;
  return { firstChangeId: found.firstChangeId, lastChangeId: found.lastChangeId, sets: found.sets };
}

/** The pass that was interrupted, otherwise a new one where one is needed; null where none is. */
export async function beginPass(db: Db): Promise<RematchPass | null> {
  return await db.transaction(async (tx) => {
    await tx.execute(`select pg_advisory_xact_lock(${SEARCHED})`);
    const [begun] = await tx.read(
      PASS,
      `select ${PASS_COLUMNS} from rematch where finished_at is null order by rematch_id limit 1`,
    );
    if (begun !== undefined) return begun;
    const pending = await pendingRematch(tx);
    if (pending === null) return null;
    const [made] = await tx.read(
      PASS,
      `insert into rematch (after_change_id, last_change_id, last_media_id)
       values ($1, $2, (select coalesce(max(media_id), 0) from media)) returning ${PASS_COLUMNS}`,
      [pending.firstChangeId - 1, pending.lastChangeId],
    );
    return made ?? null;
  });
}

export async function finishPass(db: Db, rematchId: number): Promise<void> {
  await db.execute('update rematch set finished_at = now() where rematch_id = $1 and finished_at is null', [rematchId]);
}

/** Never goes back: two who go on with one pass do some of it twice, and lose nothing. */
export async function notePassed(tx: Queryable, rematchId: number, mediaId: number): Promise<void> {
  await tx.execute('update rematch set done_media_id = $2 where rematch_id = $1 and done_media_id < $2', [
    rematchId,
    mediaId,
  ]);
}

/** The last media of the next so many behind one, or null at the end. */
export async function windowEnd(
  db: Queryable,
  { lastMediaId }: Pick<RematchPass, 'lastMediaId'>,
  afterMediaId: number,
  count: number,
): Promise<number | null> {
  const [found] = await db.read(
    row({ mediaId: nullable(integer) }),
    `select max(media_id) as media_id
       from (select media_id from media where media_id > $1 and media_id <= $2 order by media_id limit $3) w`,
    [afterMediaId, lastMediaId, count],
  );
  return found?.mediaId ?? null;
}

/** Ranges of record numbers that came in by the changes of a pass and are in force, as SQL: `(values (1::bigint, 9::bigint), ...)`; null where there are none. */
export async function newRangesSql(db: Db, pass: RematchPass): Promise<string | null> {
  const ranges = await db.read(
    row({ firstRecordId: integer, lastRecordId: integer }),
    `select distinct c.first_record_id, c.last_record_id
       from known_change c join hash_set s on s.set_id = c.set_id and s.state = 'active'
      where c.kind = 'added' and c.change_id > $1 and c.change_id <= $2 order by 1, 2`,
    [pass.afterChangeId, pass.lastChangeId],
  );
  const joined: { first: number; last: number }[] = [];
  for (const { firstRecordId: first, lastRecordId: last } of ranges) {
    const before = joined.at(-1);
    if (before !== undefined && first <= before.last + 1) before.last = Math.max(before.last, last);
    else joined.push({ first, last });
  }
  if (joined.length === 0) return null;
  return `(values ${joined.map(({ first, last }) => `(${first}::bigint, ${last}::bigint)`).join(', ')})`;
}

/** What passes found, by set: the media with evidence that was new, and the leads that were opened with it. */
export interface RematchedSet {
  readonly setId: number;
  readonly source: string;
  readonly name: string;
  readonly version: number;
  readonly media: number;
  readonly matches: number;
  readonly leads: number;
}

export async function rematchedSets(db: Db, rematchIds: readonly number[]): Promise<RematchedSet[]> {
  return await db.read(
    row({
      setId: integer,
      source: text,
      name: text,
      version: integer,
      media: integer,
      matches: integer,
      leads: integer,
    }),
    `select s.set_id, s.source, s.name, s.version, sum(r.media) as media, sum(r.matches) as matches, sum(r.leads) as leads
       from rematch_set r join hash_set s on s.set_id = r.set_id
      where r.rematch_id = any($1::bigint[])
      group by s.set_id order by s.source, s.name, s.version`,
    [rematchIds],
  );
}
