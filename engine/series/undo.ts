import { HomewardError } from '../../schemas/error.ts';
import { SeriesChangeDetails, type SeriesChanged, type SeriesChangeEntry } from '../../schemas/series.ts';
import { type Db, storableText, type Transaction } from '../store/db.ts';
import { lockSeriesChanges } from '../store/queries/series-turn.ts';
import { bool, integer, json, nullable, type RowOf, row, text, timestamp } from '../store/row-shape.ts';
import { retrying, sqlStateOf } from '../store/sqlstate.ts';
import type { ChangedBy } from './change.ts';
import { refilledKeys, revertEntry, touchedKeys, unpackIds, writtenKeys } from './change-rows.ts';
import { findSeries, type SeriesName } from './find-series.ts';
import { followChange } from './follow-change.ts';
import { notFound } from './not-found.ts';

const CHANGE = row({
  changeId: integer,
  action: text,
  doneBy: text,
  doneAt: timestamp,
  undoneBy: nullable(text),
  details: json(SeriesChangeDetails),
});
type Change = RowOf<typeof CHANGE>;

const CONCERNS = `exists (select from jsonb_array_elements_text(details->'series') as concerned where concerned::bigint = any($1::bigint[]))`;
const UNIQUE_VIOLATION = '23505';

/**
 * Undoes the last change of a series that is in force, or a given one: puts every row it touched back exactly as it was. Evidence that
 * rested on what goes is withdrawn; what was taken out comes back without its evidence until the next search.
 * @param changeId null for the last one
 * @throws HomewardError HW_SERIES_UNDO where later changes, evidence or leads rest on it, HW_SERIES_PART_NOT_FOUND where there is no such
 *   change, HW_SERIES_FACES, HW_SERIES_NOT_FOUND, HW_SERIES_AMBIGUOUS
 */
export async function undoChange(
  db: Db,
  by: ChangedBy,
  asked: SeriesName,
  changeId: number | null,
): Promise<SeriesChanged> {
  return await retrying(
    async () =>
      await db.transaction(async (tx) => {
        await lockSeriesChanges(tx);
        const { seriesId } = await findSeries(tx, asked, by.organisation);
        const change = await changeToUndo(tx, seriesId, changeId);
        await refuseWhatOthersRestOn(tx, change);
        const evidenceWithdrawn = await revert(tx, change);
        await tx.execute('update series_change set undone_by = $2, undone_at = now() where change_id = $1', [
          change.changeId,
          storableText(by.actor),
        ]);
        return {
          changeId: change.changeId,
          seriesId,
          action: `undo ${change.action}`,
          partId: null,
          created: false,
          changed: change.details.entries.reduce((sum, entry) => sum + unpackIds(entry.ids).length, 0),
          unchanged: 0,
          leftOut: 0,
          evidenceWithdrawn,
        };
      }),
  );
}

async function changeToUndo(tx: Transaction, seriesId: number, changeId: number | null): Promise<Change> {
  const [change] = await tx.read(
    CHANGE,
    `select change_id, action, done_by, done_at, undone_by, details from series_change
      where ${CONCERNS} and ${changeId === null ? 'undone_at is null' : 'change_id = $2'} order by change_id desc limit 1`,
    changeId === null ? [[seriesId]] : [[seriesId], changeId],
  );
  if (change === undefined) {
    throw notFound(
      'a change of this series',
      [changeId === null ? 'the last one' : String(changeId)],
      'homeward series show lists the changes of a series',
    );
  }
  if (change.undoneBy !== null) {
    throw new HomewardError(
      'HW_SERIES_UNDO',
      `expected a change in force to undo, received change ${change.changeId}, which ${change.undoneBy} has undone; homeward series show lists the changes`,
    );
  }
  return change;
}

/**
 * A later change that wrote a row of this one, or needed it, would be left without what it rests on. It shares a series with this one:
 * what moves a row to another series concerns both.
 */
async function refuseWhatOthersRestOn(tx: Transaction, change: Change): Promise<void> {
  const later = await tx.read(
    CHANGE,
    `select change_id, action, done_by, done_at, undone_by, details from series_change
      where ${CONCERNS} and change_id > $2 and undone_at is null order by change_id desc`,
    [change.details.series, change.changeId],
  );
  const written = new Set(change.details.entries.flatMap((entry) => [...writtenKeys(entry), ...refilledKeys(entry)]));
  const resting = later.filter(
    ({ details }) =>
      details.restsOn.some((key) => written.has(key)) ||
      details.entries.some((entry) => touchedKeys(entry).some((key) => written.has(key))),
  );
  if (resting.length === 0) return;
  throw new HomewardError(
    'HW_SERIES_UNDO',
    `expected a change that nothing rests on, received change ${change.changeId} (${change.action}), on which ${resting
      .map((one) => `change ${one.changeId} (${one.action} by ${one.doneBy}, ${one.doneAt})`)
      .join(', ')} rest; undo those first, the latest first`,
  );
}

async function revert(tx: Transaction, change: Change): Promise<number> {
  const entries = change.details.entries.toReversed();
  // A series goes last: evidence has to leave it before.
  const isMade = (entry: SeriesChangeEntry): boolean => entry.op === 'insert' && entry.table === 'series';
  for (const entry of entries) if (!isMade(entry)) await revertOne(tx, change, entry);
  const { evidenceWithdrawn } = await followChange(tx, change.details.series, change.details.entries, 'undone');
  for (const entry of entries.filter(isMade)) {
    for (const seriesId of unpackIds(entry.ids)) await refuseSeriesInUse(tx, change, seriesId);
    await revertOne(tx, change, entry);
  }
  return evidenceWithdrawn;
}

async function revertOne(tx: Transaction, change: Change, entry: SeriesChangeEntry): Promise<void> {
  let whole: boolean;
  try {
    whole = await revertEntry(tx, entry);
  } catch (error) {
    if (sqlStateOf(error) !== UNIQUE_VIOLATION) throw error;
    throw new HomewardError(
      'HW_SERIES_UNDO',
      `expected the place of what change ${change.changeId} took out to be free, received something that was put there since (${entry.table}); take that out first`,
      { cause: error },
    );
  }
  if (whole) return;
  throw new HomewardError(
    'HW_SERIES_UNDO',
    `expected the rows of change ${change.changeId} as it left them, received others (${entry.table}); they were changed by other means than a series change, so nothing was undone`,
  );
}

async function refuseSeriesInUse(tx: Transaction, change: Change, seriesId: number): Promise<void> {
  const [used] = await tx.read(
    row({ records: bool, evidence: bool, leads: bool, proposals: bool }),
    `select exists (select from known_record where series_id = $1) as records,
            exists (select from model_match where series_id = $1) or exists (select from match where series_id = $1) as evidence,
            exists (select from lead where series_id = $1) as leads,
            exists (select from candidate_series where series_id = $1) as proposals`,
    [seriesId],
  );
  const uses = Object.entries(used ?? {}).filter(([, found]) => found);
  if (uses.length === 0) return;
  throw new HomewardError(
    'HW_SERIES_UNDO',
    `expected a series that nothing was recorded against, received series ${seriesId} of change ${change.changeId} with ${uses.map(([what]) => what).join(', ')}; it stays: merge it into another series instead`,
  );
}
